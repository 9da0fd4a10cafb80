"""No copy of the database ever mails by itself."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings

from newsletter import tasks
from newsletter.delivery import installation
from newsletter.models import Brake, Digest, Edition, Installation
from papers.models import Topic
from subscribers import shared
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.stubs import Relay

LATER = NOW + timedelta(minutes=1)
NO_REDIS = "redis://127.0.0.1:1"
needs_redis = pytest.mark.usefixtures("with_redis")


@pytest.fixture
def with_redis(settings: Settings) -> None:
    if settings.REDIS_URL == NO_REDIS:
        pytest.skip("no Redis here: `python -m tests.run` starts one")


@pytest.fixture
def installed(db: None) -> Installation:
    """A database that mail is sent from, two ticks old."""
    assert installation.renew(NOW)
    assert installation.renew(NOW)
    return Installation.objects.get()


def test_a_new_database_is_taken_for_what_it_is(installed: Installation) -> None:
    assert installed.beat == 2
    assert not Brake.objects.exists()


def test_a_database_that_lies_elsewhere_does_not_mail(installed: Installation) -> None:
    Installation.objects.update(place="another machine")
    assert not installation.check(LATER)
    assert not installation.renew(LATER)
    brake = Brake.objects.get()
    assert (brake.cause, Installation.objects.get().beat) == ("restored", 2)
    assert "lies elsewhere" in brake.reason


@needs_redis
def test_a_database_that_has_gone_back_in_time_does_not_mail(installed: Installation) -> None:
    installation.renew(LATER)
    Installation.objects.update(beat=2)  # what a dump of a minute ago holds
    assert not installation.check(LATER)
    assert "gone back in time" in Brake.objects.get().reason


@needs_redis
def test_a_tick_of_another_worker_in_between_is_no_journey_through_time(installed: Installation) -> None:
    others = [LATER]

    def tick(execute: Any, sql: str, *rest: Any) -> Any:
        found = execute(sql, *rest)
        while sql.startswith("SELECT") and "installation" in sql and others:
            installation.renew(others.pop())
        return found

    with connection.execute_wrapper(tick):
        assert installation.check(LATER)
    assert not others
    assert not Brake.objects.exists()


@needs_redis
def test_two_databases_at_one_redis_do_not_both_mail(installed: Installation) -> None:
    Installation.objects.update(epoch="00000000-0000-0000-0000-000000000000")
    assert not installation.check(LATER)


@needs_redis
def test_a_dump_from_before_all_this_does_not_mail(
    installed: Installation, edition: Edition, alice: Subscriber
) -> None:
    Installation.objects.all().delete()
    planned(edition, alice)
    assert not installation.check(LATER)


@needs_redis
def test_a_redis_that_was_flushed_stops_nothing(installed: Installation) -> None:
    shared.ask(lambda client: client.delete(installation._key()))
    assert installation.renew(LATER)
    assert installation.renew(LATER)


def test_a_redis_that_is_gone_stops_nothing(installed: Installation, settings: Settings) -> None:
    settings.REDIS_URL = NO_REDIS
    assert installation.renew(LATER)


@needs_redis
def test_a_redis_that_was_gone_for_a_while_stops_nothing(installed: Installation, settings: Settings) -> None:
    there, settings.REDIS_URL = settings.REDIS_URL, NO_REDIS
    installation.renew(LATER)
    settings.REDIS_URL = there
    assert installation.renew(LATER)
    assert not Brake.objects.exists()


def test_the_environment_can_say_so(db: None, settings: Settings) -> None:
    settings.DATABASE_IS_RESTORED = True
    assert not installation.check(NOW)


@pytest.fixture
def copied(installed: Installation, edition: Edition, alice: Subscriber, graphs: Topic) -> Digest:
    """A copy, with a digest that is due."""
    alice.topics.set([graphs])
    Installation.objects.update(place="another machine")
    return planned(edition, alice)


def test_a_worker_of_a_copy_sends_nothing(copied: Digest, relay: Relay) -> None:
    tasks.deliver()
    assert relay.recipients == []
    assert Brake.objects.engaged().count() == 1
    tasks.deliver()
    assert Brake.objects.count() == 1


def test_releasing_the_brake_is_not_enough(copied: Digest, relay: Relay, admin_client: Client) -> None:
    installation.check(NOW)
    asked = {"action": "release", "_selected_action": [Brake.objects.get().pk]}
    admin_client.post("/admin/newsletter/brake/", asked, secure=True)
    tasks.deliver()
    assert relay.recipients == []


def test_an_operator_says_in_the_admin_that_it_is_no_copy(copied: Digest, relay: Relay, admin_client: Client) -> None:
    installation.check(NOW)
    asked = {"action": "adopt", "_selected_action": [Brake.objects.get().pk]}
    assert (
        "Type “the database may be a copy”"
        in admin_client.post("/admin/newsletter/brake/", asked, secure=True).content.decode()
    )
    admin_client.post("/admin/newsletter/brake/", asked | {"typed": "the database may be a copy"}, secure=True)
    assert not Brake.objects.engaged().exists()
    tasks.deliver()
    assert relay.recipients == ["alice@example.org"]


def test_an_operator_says_so_by_command(copied: Digest, relay: Relay) -> None:
    installation.check(NOW)
    out = StringIO()
    call_command("ledger", "adopt", "--dry-run", stdout=out)
    assert "1 digests would go out at once" in out.getvalue()
    with pytest.raises(CommandError, match="nothing was changed"):
        call_command("ledger", "adopt", typed="yes", stdout=out)
    assert Brake.objects.engaged().exists()
    call_command("ledger", "adopt", typed="send from here", stdout=out)
    tasks.deliver()
    assert relay.recipients == ["alice@example.org"]
