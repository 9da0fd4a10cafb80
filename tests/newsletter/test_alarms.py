"""Telling the operators, by mail, of what cannot wait until one of them looks."""

import time
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.urls import reverse
from pytest_django.fixtures import Settings

from newsletter import retention
from newsletter.delivery import alarms, stopping
from newsletter.models import Alarm, Brake, Edition
from subscribers.models import Attack, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.newsletter.test_cockpit import sign_in
from tests.stubs import Relay, Server

pytestmark = pytest.mark.django_db

MINUTE = timedelta(minutes=1)
OPERATORS = ["ada@papers.example", "bo@papers.example"]
Begin = Callable[[Edition, Subscriber], object]


@pytest.fixture(autouse=True)
def operators(settings: Settings) -> None:
    settings.OPERATORS = OPERATORS


def tick(minutes: int = 0) -> int:
    """How many alarms the operators are told of at that time."""
    at = NOW + minutes * MINUTE
    return alarms.tell(at) if alarms.keep_up(at) else 0


def wait_for_approval(edition: Edition, reader: Subscriber) -> None:
    Edition.objects.filter(pk=edition.pk).update(status="held", reason="Daily editions need approval")
    planned(edition, reader)


def run_out_of_papers(edition: Edition, reader: Subscriber) -> None:
    Edition.objects.filter(pk=edition.pk).update(drawn_at=None)
    planned(edition, reader)


GOES_ON: dict[str, tuple[Begin, str, str]] = {
    "an attack": (
        lambda edition, _: Attack.objects.begin("few came back", NOW),
        "Sign-up is under attack, since 2026-03-20 09:00 UTC.",
        "/admin/subscribers/attack/",
    ),
    "a brake": (lambda edition, _: Brake.objects.pull("535 no"), "All mail is stopped", "/admin/newsletter/brake/"),
    "a stop": (
        lambda edition, _: stopping.stop(edition, "20 addresses do not exist"),
        "Daily 2026-03-20: 20 addresses do not exist",
        "/admin/desk/editions/",
    ),
    "what waits for approval": (
        wait_for_approval,
        "Daily 2026-03-20: Daily editions need approval",
        "/admin/desk/editions/",
    ),
    "what has no papers": (run_out_of_papers, "An edition has no papers", "/admin/papers/source/"),
}


@pytest.mark.parametrize("name", GOES_ON)
def test_operators_are_told_once_of(name: str, relay: Relay, edition: Edition, alice: Subscriber) -> None:
    begin, words, link = GOES_ON[name]
    begin(edition, alice)
    assert [tick(), tick(1), tick(600)] == [1, 0, 0]
    assert relay.recipients == OPERATORS
    [part, _] = relay.accepted[0].iter_parts()
    assert words in part.get_content()
    assert link in part.get_content()
    assert "example.org" not in part.get_content()


def test_what_begins_anew_is_told_anew(relay: Relay, edition: Edition) -> None:
    for minutes in (0, 5):
        stopping.stop(edition, "20 addresses do not exist")
        assert tick(minutes) == 1
        Edition.objects.filter(pk=edition.pk).resume()
        assert tick(minutes + 1) == 0
    assert Alarm.objects.exclude(ended_at=None).count() == 2


def test_nobody_is_told_of_what_waited_once_nothing_does(relay: Relay, edition: Edition, alice: Subscriber) -> None:
    relay.answer = "450 later"
    wait_for_approval(edition, alice)
    assert tick() == 0
    edition.digests.update(status="expired", reason="too late", settled_at=NOW)
    relay.answer = "250 OK"
    assert tick(600) == 0


def test_what_waits_is_told_once_though_its_first_copies_expire(
    relay: Relay, edition: Edition, alice: Subscriber, bob: Subscriber
) -> None:
    wait_for_approval(edition, alice)
    assert tick() == 1
    edition.digests.update(status="expired", reason="too late", settled_at=NOW)
    assert tick(5) == 0
    planned(edition, bob)
    assert tick(10) == 0


BY_PEOPLE: dict[str, Callable[[Edition], object]] = {
    "an attack begun by hand": lambda _: Attack.objects.begin("to be safe", NOW, by_hand=True),
    "a brake pulled by hand": lambda _: Brake.objects.pull("a wrong subject", by_hand=True),
    "an edition paused by hand": lambda edition: Edition.objects.filter(pk=edition.pk).pause(),
    "an edition held by hand": lambda edition: Edition.objects.filter(pk=edition.pk).hold(),
    "what is over": lambda _: (Brake.objects.pull("535 no"), Brake.objects.release(NOW)),
    "a copy of the database": lambda _: Brake.objects.pull("restored", Brake.Cause.RESTORED),
    "anything from a copy": lambda _: (
        Brake.objects.pull("restored", Brake.Cause.RESTORED),
        Attack.objects.begin("few came back", NOW),
    ),
    "an edition of which nothing is due": lambda edition: Edition.objects.filter(pk=edition.pk).update(
        status="held", reason="Daily editions need approval"
    ),
}


@pytest.mark.parametrize("name", BY_PEOPLE)
def test_nobody_is_told_of(name: str, relay: Relay, edition: Edition) -> None:
    BY_PEOPLE[name](edition)
    assert tick() == 0
    assert relay.accepted == []


def test_a_closed_relay_is_asked_more_and_more_rarely(relay: Relay) -> None:
    relay.answer = "550 5.7.1 closed"
    Brake.objects.pull("535 no")
    for minutes in range(240):
        assert tick(minutes) == 0
    assert Alarm.objects.get().attempts == 9  # after some 0, 3, 6, 10, 18, 34 and 66 minutes, then hourly
    relay.answer = "250 OK"
    assert tick(300) == 1


def test_an_unclear_answer_tells_nobody_for_sure(relay: Relay) -> None:
    relay.hang_up = True
    Brake.objects.pull("535 no")
    assert [tick(minutes) for minutes in (0, 9, 11, 130, 132, 600)] == [0] * 6
    assert len(relay.accepted) == 3 * len(OPERATORS)  # each may have arrived
    assert Alarm.objects.get().told_at is None


def test_one_unclear_answer_among_refusals_ends_no_alarm(relay: Relay) -> None:
    relay.answer = "550 5.7.1 closed"
    Brake.objects.pull("the provider refuses whatever we send")
    assert [tick(), tick(3)] == [0, 0]
    relay.hang_up = True
    assert tick(10) == 0
    relay.hang_up, relay.answer = False, "250 OK"
    assert [tick(19), tick(21)] == [0, 1]


def test_nobody_else_tells_of_it_while_a_slow_relay_is_asked(relay: Relay, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 600
    relay.answer = "450 later"
    Brake.objects.pull("535 no")
    assert [tick(), tick(39), tick(41)] == [0, 0, 0]  # two operators, twenty minutes each at most
    assert Alarm.objects.get().attempts == 2


def test_the_pause_after_a_doubt_begins_when_the_relay_has_been_waited_for(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited, clock = [0.0], time.monotonic
    monkeypatch.setattr(time, "monotonic", lambda: clock() + sum(waited))

    def is_silent(verb: str, _: str) -> str | None:
        if verb == ".":
            waited.append(600.0)
        return "" if verb == "." else None

    server.answer = is_silent
    Brake.objects.pull("535 no")
    assert tick() == 0
    assert timedelta() <= Alarm.objects.get().next_at - (NOW + 2 * 10 * MINUTE + 10 * MINUTE) < MINUTE


def test_one_operator_who_was_told_is_enough(relay: Relay) -> None:
    relay.refuse = {OPERATORS[0]: "550 5.1.1 gone"}
    Brake.objects.pull("535 no")
    assert [tick(), tick(5)] == [1, 0]
    assert relay.recipients == OPERATORS[1:]


def test_without_operators_nothing_is_kept(settings: Settings) -> None:
    settings.OPERATORS = []
    Brake.objects.pull("535 no")
    assert tick() == 0
    assert not Alarm.objects.exists()


def test_the_admin_shows_who_was_told_of_what_until_it_is_old(settings: Settings, relay: Relay) -> None:
    Brake.objects.pull("535 no")
    tick()
    page = sign_in("Operator").get(reverse("admin:newsletter_alarm_changelist"), secure=True).content.decode()
    assert "all mail is stopped" in page
    Brake.objects.release(NOW)
    tick(1)
    retention.forget(NOW + settings.KEEP_LETTERS)
    assert Alarm.objects.exists()
    retention.forget(NOW + settings.KEEP_LETTERS + 2 * MINUTE)
    assert not Alarm.objects.exists()
