"""Refusals in a row, over runs and workers."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from itertools import chain, cycle, repeat

import pytest
from django.utils import timezone
from pytest_django import Settings
from time_machine import Traveller

from newsletter import editions, retention
from newsletter.delivery import streak
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.sending import deliver_batch
from newsletter.delivery.streak import DOMAINS, ELSEWHERE, KEEP, OF_FEW, REFUSALS, WEAK, Streak, judge
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.models import Brake, Digest, DigestPaper, Edition, Refusal
from papers.models import Paper, Topic
from subscribers.letters import owe
from subscribers.models import Letter, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned, statuses
from tests.stubs import Server, smtp_server

SECOND = timedelta(seconds=1)
WAITED = timedelta(minutes=1)  # for an answer, at most: twice EMAIL_TIMEOUT
TAKEN = Outcome(Kind.ACCEPTED)
CLOSED = "554 5.7.1 Relay access denied"
REFUSED = Outcome(Kind.REFUSED, CLOSED)
NOBODY = Outcome(Kind.REFUSED, "550 5.1.1 no such user", no_mailbox=True)

Run = Callable[..., None]


@pytest.fixture
def run(clock: Traveller, db: None) -> Run:
    """A run, so long after the first one: what it hears in turn, of so many domains."""

    def one(
        after: timedelta, *outcomes: Outcome, domains: int = DOMAINS, first: int = 0, is_newcomer: bool = False
    ) -> None:
        clock.move_to(NOW + after)
        streak = Streak()
        for place, outcome in enumerate(outcomes):
            streak.hear(outcome, f"{first + place % domains}.example", is_newcomer=is_newcomer)
        streak.tell(NOW + after)

    return one


def stopped() -> bool:
    return Brake.objects.engaged().exists()


class TestAStreak:
    def test_goes_on_over_runs(self, run: Run) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 1))
        assert not stopped()
        run(KEEP - 2 * WAITED, REFUSED)
        run(KEEP - WAITED, REFUSED)
        assert Brake.objects.get().reason == f"{streak.CLOSED}: {CLOSED}"

    def test_ends_with_mail_that_was_accepted(self, run: Run) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 2))
        run(WAITED, *[REFUSED] * REFUSALS, TAKEN)
        run(2 * WAITED, *[REFUSED] * (REFUSALS - 1))
        run(3 * WAITED)
        assert not stopped()

    def test_ends_with_the_last_mail_of_a_run_too(self, run: Run, clock: Traveller) -> None:
        works = Streak()
        works.hear(TAKEN, "0.example")
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        works.hear(TAKEN, "0.example")
        works.tell(NOW)
        run(WAITED, REFUSED)
        assert not stopped()

    def test_begins_after_mail_that_was_accepted(self, run: Run) -> None:
        run(0 * SECOND, TAKEN, *[REFUSED] * REFUSALS)
        assert not stopped()
        run(WAITED, REFUSED)
        assert stopped()

    def test_needs_several_domains(self, run: Run) -> None:
        for times in range(3):
            run(times * WAITED, *[REFUSED] * REFUSALS, domains=DOMAINS - 1)
        assert not stopped()
        run(3 * WAITED, *[REFUSED] * DOMAINS)
        run(4 * WAITED, REFUSED)
        assert stopped()

    def test_of_one_domain_needs_more(self, run: Run) -> None:
        """As on a university's own list."""
        run(0 * SECOND, *[REFUSED] * (OF_FEW - 1), domains=1)
        run(WAITED, REFUSED, domains=1)
        assert not stopped()
        run(2 * WAITED, REFUSED, domains=1)
        assert stopped()

    def test_of_one_domain_while_others_accept_is_that_domains_own(self, run: Run) -> None:
        """A company that has shut us out does not stop everybody's mail."""
        run(0 * SECOND, TAKEN, domains=1)
        others = ELSEWHERE - timedelta(minutes=10)
        for times in range(1, 5):
            run(others + times * WAITED, *[Outcome(Kind.REFUSED, "550 5.7.1 policy")] * OF_FEW, domains=1, first=1)
        assert not stopped()
        assert not judge(NOW + 3 * ELSEWHERE)  # nothing else was sent meanwhile
        run(others + 5 * WAITED, REFUSED, domains=1, first=2)  # now it is two domains
        run(others + 6 * WAITED, REFUSED, domains=1, first=2)
        assert stopped()

    def test_of_one_domain_long_after_others_were_accepted_may_be_a_closed_relay(self, run: Run) -> None:
        """As on a list that is mostly of one university."""
        run(0 * SECOND, TAKEN, domains=1)
        run(ELSEWHERE, *[REFUSED] * OF_FEW, domains=1, first=1)
        run(ELSEWHERE + WAITED, REFUSED, domains=1, first=1)
        assert stopped()

    def test_that_will_be_too_long_costs_one_digest_a_run(self, run: Run, settings: Settings) -> None:
        settings.EMAIL_TIMEOUT = 600
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        streak = Streak()
        streak.hear(REFUSED, "0.example")
        assert streak.is_long
        assert not stopped()

    def test_is_judged_by_a_tick_where_nobody_is_left_to_be_refused(self, run: Run, clock: Traveller) -> None:
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        clock.move_to(NOW + WAITED)
        assert judge(NOW + WAITED)
        assert Brake.objects.get().reason.endswith(CLOSED)

    def test_stops_nothing_while_another_workers_answers_may_come(self, run: Run) -> None:
        hours = timedelta(hours=12)  # after a dead address at the end of last night's edition
        run(0 * SECOND, REFUSED)
        run(hours, *[REFUSED] * REFUSALS)
        run(hours + WAITED - SECOND, REFUSED)
        assert not stopped()
        run(hours + WAITED, REFUSED)
        assert stopped()

    @pytest.mark.parametrize("domains", [1, DOMAINS])
    @pytest.mark.parametrize(("refused", "is_newcomer"), [(REFUSED, True), (NOBODY, False)])
    def test_needs_more_refusals_that_may_be_the_addresses_fault(
        self, run: Run, refused: Outcome, is_newcomer: bool, domains: int
    ) -> None:
        run(0 * SECOND, *[refused] * (WEAK - 1), is_newcomer=is_newcomer, domains=domains)
        run(WAITED, refused, is_newcomer=is_newcomer, domains=domains)
        assert not stopped()
        run(2 * WAITED, refused, is_newcomer=is_newcomer, domains=domains)
        assert stopped()

    @pytest.mark.parametrize("kind", [Kind.LATER, Kind.DOUBT, Kind.UNSENT, Kind.WAITS])
    def test_goes_on_past_any_other_answer(self, run: Run, kind: Kind) -> None:
        run(0 * SECOND, *[REFUSED, Outcome(kind)] * REFUSALS)
        run(WAITED, Outcome(kind), REFUSED)
        assert stopped()

    def test_begins_again_when_the_brake_is_released(self, run: Run) -> None:
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        run(WAITED, REFUSED)
        run(WAITED, *[REFUSED] * (REFUSALS - 1))  # another worker, a moment later
        Brake.objects.release(NOW)
        run(2 * WAITED, *[REFUSED] * (REFUSALS - 1))
        run(4 * WAITED)
        assert not stopped()

    def test_says_why_it_stops_mail_also_at_the_end_of_a_run(self, run: Run, clock: Traveller) -> None:
        run(0 * SECOND, *[REFUSED] * REFUSALS)
        late = Streak()
        clock.move_to(NOW + WAITED - SECOND)
        late.hear(REFUSED, "0.example")
        late.hear(REFUSED, "1.example")
        clock.move_to(NOW + WAITED)
        late.tell(NOW + WAITED)
        assert Brake.objects.get().reason.endswith(CLOSED)

    def test_is_one_accounts(self, run: Run, settings: Settings) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 1))
        settings.EMAIL_HOST = "other.example"
        run(WAITED, REFUSED)
        assert not stopped()

    def test_is_forgotten_after_a_day(self, run: Run) -> None:
        run(0 * SECOND, *[REFUSED] * (REFUSALS - 1))
        assert retention.forget(NOW + KEEP)["refusals"] == 0
        assert retention.forget(NOW + KEEP + SECOND)["refusals"] == REFUSALS - 1


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
    assert not Refusal.objects.exists()


def test_so_does_one_that_hangs_up_in_between(readers: list[Subscriber], server: Server, clock: Traveller) -> None:
    """As a relay does that counts errors: 421 to whoever has had too many."""
    answers = cycle([CLOSED] * 4 + ["421 4.7.0 Error: too many errors"])
    server.answer = lambda verb, _: next(answers) if verb == "RCPT" else None
    for _ in range(30):
        deliver_batch()
        clock.shift(timedelta(minutes=5))
    assert stopped()


def test_so_does_one_that_accepts_letters_alone(
    readers: list[Subscriber], alice: Subscriber, server: Server, clock: Traveller
) -> None:
    """As one whose filter dislikes a link of ours."""
    server.answer = lambda verb, to: "554 5.7.1 blocked" if verb == "." and not to.startswith("alice@") else None
    for _ in range(4):
        owe(alice, Letter.Kind.PREFERENCES, timezone.now())
        send_owed_letters(timezone.now())
        deliver_batch(size=10)
        clock.shift(WAITED)
    assert {to for to, _ in server.accepted} == {"alice@example.org"}
    assert stopped()


def test_one_that_accepts_a_mail_now_and_then_is_not_stopped(
    readers: list[Subscriber], server: Server, clock: Traveller
) -> None:
    refuse = server.answer
    for size in (14, 2, 14):
        server.answer = refuse if size > 2 else lambda verb, _: None
        deliver_batch(size=size)
        clock.shift(WAITED)
    assert statuses() == {"accepted": 2, "failed": 28}
    assert not stopped()


def had_one_before(readers: list[Subscriber]) -> None:
    before = Edition.objects.create(kind="weekly", date=NOW.date())
    for reader in readers:
        planned(before, reader)
    Digest.objects.filter(edition=before).update(status="delivered", submitted_at=NOW, settled_at=NOW)


def test_a_bad_import_stops_nobodys_mail(readers: list[Subscriber], server: Server, clock: Traveller) -> None:
    """Of whom nobody ever had a mail of ours, where others had."""
    had_one_before(readers[:1])
    for _ in range(3):
        deliver_batch()
        clock.shift(WAITED)
    assert statuses() == {"failed": 30}
    assert not stopped()


def test_nor_do_readers_whose_mailboxes_are_gone(
    readers: list[Subscriber], server: Server, clock: Traveller, settings: Settings
) -> None:
    """They are dropped after some editions, as if their mail had come back softly each time."""
    had_one_before(readers)
    settings.SOFT_BOUNCES = 2
    there = {str(reader.email) for reader in readers[:DOMAINS]}  # one in each domain
    server.answer = lambda verb, to: "550 5.1.1 User unknown" if verb == "RCPT" and to not in there else None
    for dropped in (0, 30 - DOMAINS):
        Digest.objects.filter(edition__kind="daily").update(status="planned", settled_at=None)
        DigestPaper.objects.all().delete()
        deliver_batch()
        assert Subscriber.objects.filter(status="bounced").count() == dropped
        clock.shift(timedelta(hours=1))
    assert not stopped()


def test_a_dead_address_counts_though_its_reader_is_alone_in_the_run(
    readers: list[Subscriber], server: Server, clock: Traveller, settings: Settings
) -> None:
    """As on a small list: others had theirs accepted hours before."""
    settings.SOFT_BOUNCES = 1
    dead = str(readers[-1].email)
    server.answer = lambda verb, to: "550 5.1.1 User unknown" if verb == "RCPT" and to == dead else None
    for digest in Digest.objects.select_related("subscriber"):
        if digest.subscriber.email == dead:
            Digest.objects.filter(pk=digest.pk).update(not_before=NOW + timedelta(hours=5))
    deliver_batch()
    clock.shift(timedelta(hours=5))
    deliver_batch()
    assert statuses() == {"accepted": 29, "failed": 1}
    assert Subscriber.objects.get(email=dead).status == "bounced"


def test_of_a_relay_that_accepts_nobody_none_is_believed_to_be_gone(
    readers: list[Subscriber], server: Server, settings: Settings
) -> None:
    settings.SOFT_BOUNCES = 1
    server.answer = lambda verb, _: "550 5.1.1 User unknown" if verb == "RCPT" else None
    deliver_batch()
    assert statuses() == {"failed": 30}
    assert set(Subscriber.objects.values_list("status", flat=True)) == {"active"}


def test_an_address_that_all_mail_goes_to_outside_production_is_no_readers(
    readers: list[Subscriber], server: Server, settings: Settings
) -> None:
    settings.SOFT_BOUNCES, settings.MAIL_REROUTE_TO = 1, "team@papers.example"
    answers = chain([None, None], repeat("550 5.1.1 User unknown"))
    server.answer = lambda verb, _: next(answers) if verb == "RCPT" else None
    deliver_batch()
    assert server.accepted
    assert set(Subscriber.objects.values_list("status", flat=True)) == {"active"}


def test_letters_stop_nothing_however_many_strangers_type(db: None, server: Server, clock: Traveller) -> None:
    for place in range(2 * REFUSALS):
        asked = Subscriber.objects.create(email=f"{place}@{place % DOMAINS}.example")
        owe(asked, Letter.Kind.CONFIRMATION, NOW)
    for _ in range(3):
        send_owed_letters(timezone.now())
        clock.shift(WAITED)
    assert not stopped()
    assert not Refusal.objects.exists()
