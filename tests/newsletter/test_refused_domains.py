"""A relay that checks its recipients tells at once of mailboxes that are gone: some, or those of a whole domain."""

from collections.abc import Callable, Collection, Iterable
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from newsletter.delivery import ledger
from newsletter.delivery.feedback import bounces
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, Edition, EditionPaper, Event
from papers.models import Topic
from subscribers.models import HeldDomain, Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, make_papers
from tests.stubs import Server

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
GONE = "550 5.1.1 User unknown"
Plan = Callable[[int, Iterable[Subscriber], str], Edition]


@pytest.fixture
def plan(graphs: Topic, fixed_clock: time_machine.Traveller) -> Plan:
    """Goes to a day and plans an edition for these, a little later each day, as a busy service is."""

    def plan(day: int, readers: Iterable[Subscriber], kind: str = "daily") -> Edition:
        due = NOW + day * (DAY + 20 * timedelta(seconds=1))
        fixed_clock.move_to(due)
        edition = Edition.objects.create(kind=kind, date=due.date())
        first = 10 * day + (1 if kind == "daily" else 1_001)
        papers = make_papers(range(first, first + 6), graphs, hot=50, listed_on=edition.date)
        edition.pool.bulk_create(EditionPaper(edition=edition, paper=one, hot=one.hot, notice=1) for one in papers)
        Digest.objects.bulk_create(
            Digest(edition=edition, subscriber=reader, not_before=due, expires_at=due + DAY / 2) for reader in readers
        )
        return edition

    return plan


def elsewhere(graphs: Topic) -> Subscriber:
    """Whose mail is always accepted, so that the relay is believed."""
    reader = Subscriber.objects.create(email="bo@elsewhere.example", status="active", next_digest_at=NOW)
    reader.topics.set([graphs])
    return reader


def refuse(server: Server, is_gone: Callable[[str], bool]) -> None:
    server.answer = lambda verb, to: GONE if verb == "RCPT" and is_gone(to) else None


def runs(clock: time_machine.Traveller, number: int = 3) -> None:
    for _ in range(number):
        bounces.end_holds(timezone.now())
        deliver_batch(size=50)
        clock.shift(MINUTE)


@pytest.fixture
def go_out(plan: Plan, fixed_clock: time_machine.Traveller) -> Plan:
    """Plans an edition, and has it delivered in a few runs."""

    def go_out(*which: Any) -> Edition:
        edition = plan(*which)
        runs(fixed_clock)
        return edition

    return go_out


def active() -> Collection[Subscriber]:
    return list(Subscriber.objects.filter(status="active"))


@pytest.mark.parametrize("had_theirs", [0, 4])
def test_a_domain_that_takes_nobody_loses_no_reader(
    had_theirs: int, plan: Plan, graphs: Topic, server: Server, fixed_clock: time_machine.Traveller
) -> None:
    """Nor where it died while an edition went out, and some had theirs of it."""
    readers = add_readers(12, graphs)
    plan(0, [*readers, elsewhere(graphs)])
    if had_theirs:
        deliver_batch(size=had_theirs)
    refuse(server, lambda to: to.endswith("@example.org"))
    fixed_clock.shift(MINUTE)
    runs(fixed_clock)
    for day in range(1, 7):
        plan(day, active())
        runs(fixed_clock)
        assert len(active()) == 13
    assert not Suppression.objects.exists()


def test_a_domain_that_takes_nobody_for_ten_weeks_is_dead(go_out: Plan, graphs: Topic, server: Server) -> None:
    readers = [*add_readers(6, graphs), elsewhere(graphs)]
    go_out(0, readers)
    refuse(server, lambda to: to.endswith("@example.org"))
    for week in range(10):
        go_out(1 + 7 * week, readers)
    assert len(active()) == 7
    go_out(71, readers)
    assert active() == readers[-1:]


def test_that_nobody_was_mailed_at_a_domain_does_not_make_it_dead(go_out: Plan, graphs: Topic, server: Server) -> None:
    """It was down for some days, its readers rested over the summer, and it has a bad first day."""
    readers = [*add_readers(6, graphs), elsewhere(graphs)]
    go_out(0, readers)
    refuse(server, lambda to: to.endswith("@example.org"))
    for day in (*range(20, 25), 85):
        go_out(day, readers)
    assert len(active()) == 7


def test_a_domain_that_takes_mail_again_gets_it(go_out: Plan, graphs: Topic, server: Server) -> None:
    readers = [*add_readers(6, graphs), elsewhere(graphs)]
    refuse(server, lambda to: to.endswith("@example.org"))
    for day in range(5):
        go_out(day, readers)
    refuse(server, lambda _: False)
    edition = go_out(5, readers)
    assert set(edition.digests.values_list("status", flat=True)) == {"accepted"}


@pytest.mark.parametrize("told", [Event.Type.COMPLAINED, Event.Type.DELIVERED, Event.Type.BOUNCED])
def test_what_is_told_late_of_an_earlier_mail_speaks_for_no_domain(
    told: Event.Type, go_out: Plan, graphs: Topic, server: Server
) -> None:
    readers = [*add_readers(6, graphs), elsewhere(graphs)]
    go_out(0, readers)
    refuse(server, lambda to: to.endswith("@example.org"))
    for day in range(1, 7):
        go_out(day, readers)
        if day == 2:
            uid = Digest.objects.filter(subscriber=readers[0]).earliest("pk").uid
            assert ledger.learn([uid], told, timezone.now())
    assert len(active()) == 7


def test_a_domain_that_comes_back_in_the_middle_of_a_run_loses_nobody_who_was_refused_before(
    go_out: Plan, graphs: Topic, server: Server
) -> None:
    readers = [*add_readers(12, graphs), elsewhere(graphs)]
    refuse(server, lambda to: to.endswith("@example.org"))
    for day in range(6):
        go_out(day, readers)
    down = {str(reader.email) for reader in readers[:4]}
    refuse(server, lambda to: to in down)
    go_out(6, readers)
    assert len(active()) == 13


def test_one_bad_day_after_a_recovery_drops_nobody(go_out: Plan, graphs: Topic, server: Server) -> None:
    """What was refused before mail was accepted counts no more."""
    readers = [*add_readers(6, graphs), elsewhere(graphs)]
    for day in range(9):
        refuse(server, lambda to, is_bad=day not in range(3, 8): is_bad and to.endswith("@example.org"))
        go_out(day, readers)
    assert len(active()) == 7
    assert not Suppression.objects.exists()


def test_mailboxes_that_are_gone_are_dropped_where_anybody_gets_mail_there(
    go_out: Plan, graphs: Topic, server: Server
) -> None:
    """Though those are mailed each day, and who is there once a week: their mail always goes out."""
    add_readers(5, graphs)
    other = elsewhere(graphs)
    weekly = Subscriber.objects.create(email="weekly@example.org", status="active", next_digest_at=NOW)
    weekly.topics.set([graphs])
    refuse(server, lambda to: to.startswith("reader"))
    for day in range(16):
        go_out(day, [one for one in active() if one != weekly] if day else [other])
        if day % 7 == 0:
            go_out(day, [weekly], "weekly")
    assert set(Digest.objects.filter(subscriber=weekly).values_list("status", flat=True)) == {"accepted"}
    assert not HeldDomain.objects.exists()
    assert set(active()) == {weekly, other}


@pytest.mark.parametrize("apart", [1, 31])
def test_fewer_readers_than_a_whole_domain_are_dropped(apart: int, go_out: Plan, graphs: Topic, server: Server) -> None:
    """Those who are mailed once a month as well."""
    gone, other = add_readers(4, graphs), elsewhere(graphs)
    refuse(server, lambda to: to.startswith("reader"))
    for turn in range(4):
        assert len(active()) == 5
        go_out(turn * apart, [*gone, other])
    assert active() == [other]


def test_the_ledger_is_asked_once_for_all_who_were_refused_together(
    plan: Plan, go_out: Plan, graphs: Topic, server: Server, fixed_clock: time_machine.Traveller
) -> None:
    readers = [*add_readers(6, graphs), elsewhere(graphs)]
    refuse(server, lambda to: to.startswith("reader"))
    for day in range(3):
        go_out(day, readers)
    plan(3, readers)
    with CaptureQueriesContext(connection) as queries:
        runs(fixed_clock, 1)
    asked = [query["sql"] for query in queries if "SUBSTR" in query["sql"] and "example.org" in query["sql"]]
    assert len(asked) == 4  # whom it accepted, whom it refused, of late and for ten weeks
    assert set(active()) == set(readers)
