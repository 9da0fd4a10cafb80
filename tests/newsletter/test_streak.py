"""Refusals in a row, over runs and workers: with a real Redis and without one."""

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

import pytest
from pytest_django import Settings
from time_machine import Traveller

from newsletter import editions
from newsletter.delivery import ledger
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.outcomes import NOT_NOW, Kind, Outcome
from newsletter.delivery.sending import deliver_batch
from newsletter.delivery.streak import DOMAINS, KEEP, OF_LATE, OWED_AGAIN, REFUSALS, Streak
from newsletter.models import Brake, Digest, Edition
from papers.models import Paper, Topic
from subscribers.letters import owe
from subscribers.models import Letter, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers
from tests.stubs import Server, smtp_server

SECOND = timedelta(seconds=1)
TAKEN = Outcome(Kind.ACCEPTED)
CLOSED = "554 5.7.1 Relay access denied"
REFUSED = Outcome(Kind.REFUSED, CLOSED)


@pytest.fixture(params=["Redis", "without Redis"], autouse=True)
def _memory(request: pytest.FixtureRequest, settings: Settings) -> None:
    if request.param == "without Redis":
        settings.REDIS_URL = "redis://127.0.0.1:1"


def of(*outcomes: Outcome, domains: int = DOMAINS) -> Streak:
    """What a run heard in turn, of so many domains."""
    streak = Streak()
    for place, outcome in enumerate(outcomes):
        streak.hear(outcome, f"{place % domains}.example")
    return streak


def stopped() -> bool:
    return Brake.objects.engaged().exists()


@pytest.mark.django_db
class TestARow:
    def test_goes_on_over_runs(self) -> None:
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        assert not stopped()
        of(REFUSED).tell(NOW + KEEP - SECOND)
        assert Brake.objects.get().reason == f"the provider refuses whatever we send: {CLOSED}"

    def test_ends_with_a_run_that_had_anything_taken(self) -> None:
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        of(TAKEN, *[REFUSED] * REFUSALS).tell(NOW)
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        assert not stopped()

    def test_needs_several_domains(self) -> None:
        for _ in range(3):
            of(*[REFUSED] * REFUSALS, domains=DOMAINS - 1).tell(NOW)
        assert not stopped()
        of(*[REFUSED] * DOMAINS).tell(NOW)
        assert stopped()

    @pytest.mark.parametrize("kind", [Kind.LATER, Kind.DOUBT, Kind.UNSENT])
    def test_is_a_runs_own_up_to_any_other_answer(self, kind: Kind) -> None:
        of(*[REFUSED] * (REFUSALS - 1), Outcome(kind), REFUSED).tell(NOW)
        assert not stopped()
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        assert stopped()

    def test_goes_on_past_what_waits_for_its_turn(self) -> None:
        of(*[REFUSED] * (REFUSALS - 1), NOT_NOW, REFUSED).tell(NOW)
        assert stopped()

    def test_begins_anew_when_the_brake_is_released(self) -> None:
        of(*[REFUSED] * REFUSALS).tell(NOW)
        Brake.objects.release(NOW)
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        assert not stopped()

    def test_is_one_accounts(self, settings: Settings) -> None:
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        settings.EMAIL_HOST = "other.example"
        of(REFUSED).tell(NOW)
        assert not stopped()


@pytest.mark.django_db
class TestBesideAWorkerWhoseMailIsTaken:
    def test_one_that_was_refused_meanwhile_adds_nothing(self, clock: Traveller) -> None:
        refused = of(*[REFUSED] * REFUSALS)
        of(TAKEN).tell(NOW + SECOND)
        refused.tell(NOW + 2 * SECOND)
        clock.move_to(NOW + 3 * SECOND)
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW + 4 * SECOND)
        assert not stopped()
        of(REFUSED).tell(NOW + 5 * SECOND)
        assert stopped()


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    """A relay that is closed to us."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    closed = Server(answer=lambda verb, _: CLOSED if verb == "RCPT" else None)
    with smtp_server(closed) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        yield server


@pytest.fixture
def readers(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    readers = add_readers(30, graphs)
    for reader in readers:
        reader.email = f"{reader.pk}@example.{('org', 'net', 'com')[reader.pk % 3]}"
        reader.save()
    editions.plan(NOW)
    return readers


def statuses() -> dict[str, int]:
    return {status: number for status, number in Edition.objects.get().accounts().items() if number}


def test_a_closed_relay_stops_runs_that_are_too_short_to_tell(readers: list[Subscriber], server: Server) -> None:
    assert [deliver_batch(size=7) for _ in range(5)] == [7, 7, 7, 0, 0]
    assert statuses() == {"failed": 21, "planned": 9}
    assert stopped()


def test_one_that_takes_a_mail_now_and_then_is_not_stopped(readers: list[Subscriber], server: Server) -> None:
    refuse = server.answer
    for size in (14, 2, 14):
        server.answer = refuse if size > 2 else lambda verb, _: None
        deliver_batch(size=size)
    assert statuses() == {"accepted": 2, "failed": 28}
    assert not stopped()


def test_nothing_is_stopped_while_another_worker_has_mail_in_hand(readers: list[Subscriber], server: Server) -> None:
    others = ledger.claim(NOW, 2)
    deliver_batch()
    assert statuses()["failed"] >= REFUSALS
    assert not stopped()
    ledger.record(ledger.release(others, "refused too"), [], NOW)
    deliver_batch(size=1)
    assert stopped()


def test_who_never_comes_to_an_end_is_waited_for_no_longer_than_a_lease(
    readers: list[Subscriber], server: Server, settings: Settings, clock: Traveller
) -> None:
    deliver_batch(size=REFUSALS - 1)
    clock.move_to(NOW + settings.LEASE)
    ledger.claim(NOW + settings.LEASE, 2)
    deliver_batch(size=1)
    assert stopped()
    assert Digest.objects.filter(status="claimed").count() == 2


def strangers(count: int) -> list[Subscriber]:
    """Who has asked to be subscribed, at several domains."""
    asked = [Subscriber.objects.create(email=f"{place}@{place % DOMAINS}.example") for place in range(count)]
    for one in asked:
        owe(one, Letter.Kind.CONFIRMATION, NOW)
    return asked


def letters() -> dict[str, int]:
    return dict(Counter(Letter.objects.values_list("status", flat=True)))


class TestLetters:
    def test_of_a_closed_relay_stop_all_mail_and_go_out_once_it_is_open(
        self, db: None, server: Server, clock: Traveller
    ) -> None:
        asked = strangers(REFUSALS)
        send_owed_letters(NOW)
        assert stopped()
        assert set(Letter.objects.values_list("status", "reason")) == {("owed", OWED_AGAIN)}
        server.answer = lambda verb, _: None
        assert send_owed_letters(NOW) == 0
        Brake.objects.release(NOW)
        assert send_owed_letters(NOW) == REFUSALS
        assert send_owed_letters(NOW) == 0
        assert sorted(to for to, _ in server.accepted) == sorted(str(one.email) for one in asked)

    def test_of_strangers_alone_stop_nothing_where_mail_was_taken_of_late(self, db: None, server: Server) -> None:
        of(TAKEN).tell(NOW - OF_LATE + SECOND)
        strangers(2 * REFUSALS)
        send_owed_letters(NOW)
        assert letters() == {"failed": 2 * REFUSALS}
        assert not stopped()

    def test_of_strangers_are_owed_again_when_readers_are_refused_too(
        self, readers: list[Subscriber], server: Server
    ) -> None:
        of(TAKEN).tell(NOW - SECOND)
        strangers(5)
        send_owed_letters(NOW)
        assert letters() == {"failed": 5}
        deliver_batch()
        assert stopped()
        assert letters() == {"owed": 5}

    def test_that_are_taken_end_a_row(self, alice: Subscriber, server: Server) -> None:
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        server.answer = lambda verb, _: None
        owe(alice, Letter.Kind.PREFERENCES, NOW)
        send_owed_letters(NOW)
        of(*[REFUSED] * (REFUSALS - 1)).tell(NOW)
        assert not stopped()

    def test_in_hand_may_be_taken(self, alice: Subscriber, settings: Settings) -> None:
        owe(alice, Letter.Kind.PREFERENCES, NOW)
        Letter.objects.claim(NOW, settings.LEASE, 1)
        of(*[REFUSED] * REFUSALS).tell(NOW)
        assert not stopped()

    def test_that_were_asked_for_anew_are_owed_once(self, alice: Subscriber, server: Server) -> None:
        for _ in range(2):
            owe(alice, Letter.Kind.PREFERENCES, NOW)
            send_owed_letters(NOW)
        of(*[REFUSED] * REFUSALS).tell(NOW)
        assert list(Letter.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "owed"]

    def test_that_are_refused_once_more_are_no_news(self, db: None, server: Server) -> None:
        strangers(REFUSALS)
        send_owed_letters(NOW)
        Brake.objects.release(NOW)
        send_owed_letters(NOW)
        assert letters() == {"failed": REFUSALS}
        assert not stopped()

    def test_that_we_keep_from_going_out_ourselves_say_nothing(
        self, db: None, server: Server, settings: Settings
    ) -> None:
        settings.MAIL_ONLY_TO = ["lab.example"]
        strangers(REFUSALS)
        send_owed_letters(NOW)
        assert letters() == {"failed": REFUSALS}
        assert not stopped()
