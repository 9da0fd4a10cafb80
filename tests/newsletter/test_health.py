"""What probes are told."""

import os

import pytest
from django.db.migrations.recorder import MigrationRecorder
from django.test import Client
from pytest_django.fixtures import Settings

needs_redis = pytest.mark.skipif("TEST_REDIS_URL" not in os.environ, reason="make test starts a Redis")


@pytest.fixture
def probe() -> Client:
    """Asks as an orchestrator does: by address, without TLS."""
    return Client(headers={"host": "10.1.2.3"})


def test_a_process_that_runs_is_healthy_whoever_asks(probe: Client) -> None:
    answer = probe.get("/healthz")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


@needs_redis
@pytest.mark.django_db
def test_a_site_that_can_serve_is_ready(probe: Client) -> None:
    answer = probe.get("/readyz")
    assert (answer.status_code, answer.content) == (200, b"ready\n")


@pytest.mark.django_db
def test_a_lost_redis_is_told_in_words(probe: Client, settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    answer = probe.get("/readyz")
    assert (answer.status_code, answer.content) == (503, b"Redis does not answer.\n")


@pytest.mark.django_db
def test_a_waiting_migration_is_told_in_words(probe: Client) -> None:
    MigrationRecorder.Migration.objects.filter(app="papers").delete()
    answer = probe.get("/readyz")
    assert answer.status_code == 503
    assert b"migrations are not applied yet" in answer.content
