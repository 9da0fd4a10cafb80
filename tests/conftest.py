"""The cast and the fixed clock that all tests share."""

import uuid
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.db import connection
from django.utils import timezone
from pytest_django import Settings

from subscribers import requests
from subscribers.models import Subscriber

NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)  # a Friday: the day of the seed page


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """SQLite in a file, as it is in production, which other processes can open too."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")


@pytest.fixture
def fixed_clock() -> Iterator[time_machine.Traveller]:
    """It is NOW, until a test moves the clock."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _counts_of_its_own(settings: Settings) -> None:
    """All tests share one Redis and one instant; what one counts is nothing to the others."""
    settings.REDIS_PREFIX = f"test-{uuid.uuid4().hex}"


@pytest.fixture
def alice(db: None) -> Subscriber:
    """Confirmed, daily at 8 in Berlin."""
    return Subscriber.objects.create(
        email="alice@example.org", status=Subscriber.Status.ACTIVE, zone="Europe/Berlin", next_digest_at=NOW
    )


@pytest.fixture
def bob(db: None) -> Subscriber:
    """Asked, and has not confirmed yet."""
    return Subscriber.objects.create(email="bob@example.org")


def carry_out_requests() -> int:
    """What the worker does with everything that strangers have asked for up to now."""
    return requests.carry_out(timezone.now())
