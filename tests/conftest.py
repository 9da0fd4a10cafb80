"""The cast and the fixed clock that all tests share."""

import gc
import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import time_machine
from django.core.cache import caches
from django.core.management import call_command
from django.core.management.commands import flush
from django.db import connection
from django.test import override_settings
from django.utils import timezone
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from subscribers import append_only, requests
from subscribers.models import Subscriber

NOW = datetime(2026, 3, 20, 9, 0, tzinfo=UTC)  # a Friday: the day of the seed page
SEEDS = Path(__file__).parents[1] / "seeds"

NEEDED = {"db", "transactional_db"}  # by a test of the database

# The same examples in every run, and no clock: a busy machine breaks no promise. The slow tests look at many more.
EXAMPLES = int(os.environ.get("EXAMPLES", "40"))
hypothesis.settings.register_profile("ours", derandomize=True, deadline=None, max_examples=EXAMPLES)
hypothesis.settings.load_profile("ours")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--of-database", action="store_true", help="only what says something of a database")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Function]) -> None:
    if config.getoption("--of-database"):
        of_it, others = [], list[pytest.Function]()
        for item in items:
            needs_it = item.get_closest_marker("django_db") or NEEDED & {*item.fixturenames}
            (of_it if needs_it and not item.get_closest_marker("once") else others).append(item)
        items[:] = of_it
        config.hook.pytest_deselected(items=others)


@pytest.hookimpl(trylast=True)
def pytest_collection_finish() -> None:
    """The modules and the tests themselves are here to stay: the collector of garbage need not look at them again."""
    gc.collect()
    gc.freeze()


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


@pytest.fixture(scope="session", autouse=True)
def _passwords_and_clients_are_cheap() -> Iterator[None]:
    """Else each password costs a third of a second, and each client a look at every static file of the site."""
    hashers = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with override_settings(PASSWORD_HASHERS=hashers, WHITENOISE_AUTOREFRESH=True):
        yield


@pytest.fixture
def fixed_clock() -> Iterator[time_machine.Traveller]:
    """It is NOW, until a test moves the clock."""
    with time_machine.travel(NOW, tick=False) as traveller:
        yield traveller


@pytest.fixture(autouse=True)
def _counts_of_its_own(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """All tests share one Redis and one instant; what one counts is nothing to the others."""
    settings.REDIS_PREFIX = f"test-{uuid.uuid4().hex}"
    monkeypatch.setattr(caches["default"], "key_prefix", settings.REDIS_PREFIX)


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


@pytest.fixture
def site(transactional_db: None, settings: Settings) -> Iterator[str]:
    """The address of a site that holds the seeds."""
    settings.INBOX_DIR = None
    # Not pytest-django's own live_server: that one starts before a test's settings are in force.
    settings.SECURE_SSL_REDIRECT = settings.CSRF_COOKIE_SECURE = False
    settings.ALLOWED_HOSTS = ["localhost", "testserver"]
    call_command("load_topics", verbosity=0)
    call_command("import_papers", str(SEEDS / "trending.txt"), year=2026, verbosity=0)
    server = LiveServer("localhost:0")
    yield server.url
    server.stop()


def carry_out_requests() -> int:
    """What the worker does with everything that strangers have asked for up to now."""
    return requests.carry_out(timezone.now())
