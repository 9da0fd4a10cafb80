"""Refusals in a row, over runs and workers: with a real Redis and without one."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import cycle

import pytest
from django.utils import timezone
from pytest_django import Settings
from time_machine import Traveller

from newsletter import editions
from newsletter.delivery import streak
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.outcomes import Kind, Outcome
from newsletter.delivery.sending import deliver_batch
from newsletter.delivery.streak import DOMAINS, KEEP, NEWCOMERS, OWED_AGAIN, REFUSALS, Streak
from newsletter.models import Brake, Digest, Edition
from papers.models import Paper, Topic
from subscribers.letters import owe
from subscribers.models import Letter, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.stubs import Server, smtp_server

SECOND = timedelta(seconds=1)
WAITED = timedelta(seconds=30)  # for an answer, at most: EMAIL_TIMEOUT
TAKEN = Outcome(Kind.ACCEPTED)
CLOSED = "554 5.7.1 Relay access denied"
REFUSED = Outcome(Kind.REFUSED, CLOSED)


@pytest.fixture(params=["Redis", "without Redis"], autouse=True)
def _memory(request: pytest.FixtureRequest, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param == "without Redis":
        settings.REDIS_URL = "redis://127.0.0.1:1"
    elif "TEST_REDIS_URL" not in os.environ:
        pytest.skip("no Redis: make test starts one")
    monkeypatch.setattr(streak, "_alone", {})
    yield
    assert request.param == "without Redis" or not streak._alone, "everybody's row is in Redis"


@pytest.fixture
def run(clock: Traveller, db: None) -> Callable[..., None]:
    """A run, so long after the first one: what it hears in turn, of so many domains."""

    def one(after: timedelta, *outcomes: Outcome, domains: int = DOMAINS, is_newcomer: bool = False) -> None:
        clock.move_to(NOW + after)
        streak = Streak()
        for place, outcome in enumerate(outcomes):
            streak.hear(outcome, f"{place % domains}.example", is_newcomer=is_newcomer)
        streak.tell(NOW + after)

    return one


def stopped() -> bool:
    return Brake.objects.engaged().exists()


class TestARow:
    def test_goes_on_over_runs(self, run: Callable[..., None]) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 1))
        assert not stopped()
        run(KEEP - 2 * WAITED, REFUSED)
        run(KEEP - WAITED, REFUSED)
        assert Brake.objects.get().reason == f"the provider refuses whatever we send: {CLOSED}"

    def test_ends_with_mail_that_was_taken(self, run: Callable[..., None]) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 2))
        run(WAITED, *[REFUSED] * REFUSALS, TAKEN)
        run(2 * WAITED, *[REFUSED] * (REFUSALS - 1))
        run(3 * WAITED)
        assert not stopped()

    def test_ends_with_the_last_mail_of_a_run_too(self, run: Callable[..., None], clock: Traveller) -> None:
        works = Streak()
        works.hear(TAKEN, "0.example")
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        works.hear(TAKEN, "0.example")
        works.tell(NOW)
        run(WAITED, REFUSED)
        assert not stopped()

    def test_begins_after_mail_that_was_taken(self, run: Callable[..., None]) -> None:
        run(0 * SECOND, TAKEN, *[REFUSED] * REFUSALS)
        assert not stopped()
        run(WAITED, REFUSED)
        assert stopped()

    def test_needs_several_domains(self, run: Callable[..., None]) -> None:
        for times in range(3):
            run(times * WAITED, *[REFUSED] * REFUSALS, domains=DOMAINS - 1)
        assert not stopped()
        run(3 * WAITED, *[REFUSED] * DOMAINS)
        run(4 * WAITED, REFUSED)
        assert stopped()

    def test_stops_nothing_while_another_workers_answers_may_come(self, run: Callable[..., None]) -> None:
        hours = timedelta(hours=12)  # after a dead address at the end of last night's edition
        run(0 * SECOND, REFUSED)
        run(hours, *[REFUSED] * REFUSALS)
        run(hours + WAITED - SECOND, REFUSED)
        assert not stopped()
        run(hours + WAITED, REFUSED)
        assert stopped()

    def test_takes_more_readers_who_never_had_a_mail(self, run: Callable[..., None]) -> None:
        run(0 * SECOND, *[REFUSED] * (NEWCOMERS - 1), is_newcomer=True)
        run(WAITED)
        assert not stopped()
        run(2 * WAITED, REFUSED, is_newcomer=True)
        run(3 * WAITED, REFUSED, is_newcomer=True)
        assert stopped()

    @pytest.mark.parametrize("kind", [Kind.LATER, Kind.DOUBT, Kind.UNSENT, Kind.WAITS])
    def test_goes_on_past_any_other_answer(self, run: Callable[..., None], kind: Kind) -> None:
        run(0 * SECOND, *[REFUSED, Outcome(kind)] * REFUSALS)
        run(WAITED, Outcome(kind), REFUSED)
        assert stopped()

    def test_begins_anew_when_the_brake_is_released(self, run: Callable[..., None]) -> None:
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        run(WAITED, REFUSED)
        run(WAITED, *[REFUSED] * (REFUSALS - 1))  # another worker, a moment later
        Brake.objects.release(NOW)
        run(2 * WAITED, *[REFUSED] * (REFUSALS - 1))
        run(4 * WAITED)
        assert not stopped()

    def test_of_a_worker_whose_clock_is_ahead_waits_no_longer(self, run: Callable[..., None]) -> None:
        run(timedelta(days=20), *[REFUSED] * REFUSALS)
        run(0 * SECOND, REFUSED)
        run(WAITED, REFUSED)
        assert stopped()

    def test_that_ended_meanwhile_leaves_no_mark(self, request: pytest.FixtureRequest, clock: Traveller) -> None:
        if "without" in request.node.name:
            pytest.skip("a process by itself is at one thing at a time")
        streak._mark_long(NOW)
        assert streak._read(NOW) == streak.Row(NOW.timestamp())

    def test_of_a_process_ends_with_everybodys(self, run: Callable[..., None]) -> None:
        streak._alone[streak._key()] = streak.Row(0, Counter({"reader 0.example": REFUSALS}))
        run(0 * SECOND, TAKEN)
        assert not streak._alone

    def test_is_one_accounts(self, run: Callable[..., None], settings: Settings) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 1))
        settings.EMAIL_HOST = "other.example"
        run(WAITED, REFUSED)
        assert not stopped()


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
    return {status: number for status, number in Edition.objects.get(kind="daily").accounts().items() if number}


def test_a_closed_relay_stops_runs_that_are_too_short_to_tell(
    readers: list[Subscriber], server: Server, clock: Traveller
) -> None:
    delivered = []
    for _ in range(5):
        delivered.append(deliver_batch(size=7))
        clock.shift(WAITED)
    assert (delivered[:3], delivered[4]) == ([7, 7, 7], 0)
    assert statuses() == {"failed": sum(delivered), "planned": 30 - sum(delivered)}
    assert stopped()


def test_so_does_one_that_hangs_up_in_between(readers: list[Subscriber], server: Server, clock: Traveller) -> None:
    """As a relay does that counts errors: 421 to whoever has had too many."""
    answers = cycle([CLOSED] * 4 + ["421 4.7.0 Error: too many errors"])
    server.answer = lambda verb, _: next(answers) if verb == "RCPT" else None
    for _ in range(30):
        deliver_batch()
        clock.shift(timedelta(minutes=5))
    assert stopped()


def test_one_that_takes_a_mail_now_and_then_is_not_stopped(
    readers: list[Subscriber], server: Server, clock: Traveller
) -> None:
    refuse = server.answer
    for size in (14, 2, 14):
        server.answer = refuse if size > 2 else lambda verb, _: None
        deliver_batch(size=size)
        clock.shift(WAITED)
    assert statuses() == {"accepted": 2, "failed": 28}
    assert not stopped()


def test_a_bad_import_stops_nobodys_mail(readers: list[Subscriber], server: Server, clock: Traveller) -> None:
    """Of whom nobody ever had a mail of ours, where others had."""
    before = planned(Edition.objects.create(kind="weekly", date=NOW.date()), readers[0])
    Digest.objects.filter(pk=before.pk).update(status="delivered", submitted_at=NOW, settled_at=NOW)
    for _ in range(3):
        deliver_batch()
        clock.shift(WAITED)
    assert statuses() == {"failed": 30}
    assert not stopped()


def strangers(count: int) -> list[Subscriber]:
    """Who has asked to be subscribed, at several domains."""
    asked = [Subscriber.objects.create(email=f"{place}@{place % DOMAINS}.example") for place in range(count)]
    for one in asked:
        owe(one, Letter.Kind.CONFIRMATION, NOW)
    return asked


def letters() -> dict[str, int]:
    return dict(Counter(Letter.objects.values_list("status", flat=True)))


class TestLetters:
    def test_stop_nothing_however_many_strangers_type(self, db: None, server: Server, clock: Traveller) -> None:
        strangers(2 * REFUSALS)
        for _ in range(3):
            send_owed_letters(timezone.now())
            clock.shift(WAITED)
        assert letters() == {"failed": 2 * REFUSALS}
        assert not stopped()

    def test_that_a_closed_relay_refused_go_out_once_it_is_open(
        self, readers: list[Subscriber], server: Server, clock: Traveller
    ) -> None:
        asked = strangers(5)
        send_owed_letters(NOW)
        assert letters() == {"failed": 5}
        for _ in range(2):
            deliver_batch()
            clock.shift(WAITED)
        assert stopped()
        assert set(Letter.objects.values_list("status", "reason")) == {("owed", OWED_AGAIN)}
        server.answer = lambda verb, _: None
        assert send_owed_letters(timezone.now()) == 0
        Brake.objects.release(NOW)
        assert send_owed_letters(timezone.now()) == 5
        assert send_owed_letters(timezone.now()) == 0
        assert sorted(to for to, _ in server.accepted) == sorted(str(one.email) for one in asked)

    def test_that_are_refused_while_mail_is_being_stopped_are_owed_again_too(
        self, db: None, server: Server, clock: Traveller
    ) -> None:
        [asked] = strangers(1)
        late = Streak()
        late.hear(REFUSED, "0.example")
        late.hear(REFUSED, "0.example", letter=asked.letters.get())
        asked.letters.update(status="failed", reason=CLOSED)
        Brake.objects.pull("the provider refuses whatever we send")
        late.tell(NOW)
        assert letters() == {"owed": 1}

    def test_whose_refusal_is_the_last_that_was_missing_are_owed_again_too(
        self, alice: Subscriber, server: Server, run: Callable[..., None], clock: Traveller
    ) -> None:
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        owe(alice, Letter.Kind.PREFERENCES, NOW)
        clock.move_to(NOW + WAITED)
        send_owed_letters(NOW + WAITED)
        assert stopped()
        assert letters() == {"owed": 1}

    def test_that_are_taken_end_a_row(self, alice: Subscriber, server: Server, run: Callable[..., None]) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 1))
        server.answer = lambda verb, _: None
        owe(alice, Letter.Kind.PREFERENCES, NOW)
        send_owed_letters(NOW)
        run(WAITED, *[REFUSED] * (REFUSALS - 1))
        run(2 * WAITED)
        assert not stopped()

    def test_refused_while_nothing_was_taken_are_sent_once_more_when_mail_is(
        self, alice: Subscriber, server: Server, clock: Traveller
    ) -> None:
        strangers(3)
        send_owed_letters(NOW)
        assert letters() == {"failed": 3}
        server.answer = lambda verb, to: CLOSED if verb == "RCPT" and not to.startswith("alice@") else None
        for times in (1, 2):
            clock.shift(WAITED)
            owe(alice, Letter.Kind.PREFERENCES, timezone.now())
            send_owed_letters(timezone.now())
            assert letters() == {"sent": times, "failed": 3}
            assert set(Letter.objects.filter(status="failed").values_list("attempts", flat=True)) == {2}

    def test_that_were_asked_for_anew_are_owed_once(
        self, alice: Subscriber, server: Server, run: Callable[..., None]
    ) -> None:
        for _ in range(2):
            owe(alice, Letter.Kind.PREFERENCES, NOW)
            send_owed_letters(NOW)
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        run(WAITED, REFUSED)
        assert list(Letter.objects.order_by("pk").values_list("status", flat=True)) == ["failed", "owed"]
