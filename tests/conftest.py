"""The cast and the fixed clock that all tests share."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
import time_machine
from django.core.management.commands import flush
from django.db import connection

from subscribers import append_only
from subscribers.models import Subscriber

NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)  # a Friday: the day of the seed page


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    tmp_path_factory: pytest.TempPathFactory, django_db_modify_db_settings_parallel_suffix: None
) -> None:
    """SQLite in a file, as it is in production, which other processes can open too."""
    if connection.vendor == "sqlite":
        connection.settings_dict["TEST"]["NAME"] = str(tmp_path_factory.mktemp("db") / "test.sqlite3")


@pytest.fixture(scope="session", autouse=True)
def _a_test_may_be_forgotten() -> Iterator[None]:
    """SQLite's `flush`, after a test that committed, gets past the guard of the suppressions, and makes it anew."""
    guards = [f"DROP TRIGGER IF EXISTS {append_only.trigger(verb)}" for verb in append_only.VERBS]
    empty = flush.sql_flush
    with pytest.MonkeyPatch.context() as patch:
        if connection.vendor == "sqlite":
            patch.setattr(flush, "sql_flush", lambda *given, **options: [*guards, *empty(*given, **options)])
        yield


@pytest.fixture
def fixed_clock() -> Iterator[time_machine.Traveller]:
    """It is NOW, until a test moves the clock."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


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
