"""The planner."""

from datetime import UTC, date, datetime, timedelta

import pytest
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from newsletter import editions
from newsletter.delivery import ledger
from newsletter.models import Digest, Edition
from papers.models import Paper
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers


def test_a_due_reader_gets_one_digest_and_moves_on(alice: Subscriber) -> None:
    assert editions.plan(NOW) == 1
    alice.refresh_from_db()
    digest = Digest.objects.get(subscriber=alice)
    assert digest.edition.kind == "daily"
    assert digest.edition.date == date(2026, 3, 20)
    assert alice.next_digest_at == datetime(2026, 3, 21, 7, tzinfo=UTC)  # 8:00 in Berlin


def test_planning_twice_plans_once(alice: Subscriber) -> None:
    editions.plan(NOW)
    Subscriber.objects.update(next_digest_at=NOW)  # a reader who changed the hour on the same day
    editions.plan(NOW)
    assert Digest.objects.count() == 1


def test_nobody_is_planned_before_their_hour(alice: Subscriber) -> None:
    assert editions.plan(NOW - timedelta(seconds=1)) == 0


def test_only_the_active_are_planned(bob: Subscriber) -> None:
    assert editions.plan(NOW) == 0


def test_the_edition_has_the_readers_own_date(alice: Subscriber) -> None:
    Subscriber.objects.update(zone="Pacific/Auckland", next_digest_at=datetime(2026, 3, 20, 19, tzinfo=UTC))
    editions.plan(datetime(2026, 3, 20, 19, 0, 1, tzinfo=UTC))
    assert Edition.objects.get().date == date(2026, 3, 21)


def test_more_readers_than_a_chunk_are_all_planned_in_few_transactions(
    db: None, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_readers(25)
    with django_assert_max_num_queries(30):
        while editions.plan_chunk(NOW, size=10):
            pass
    assert Digest.objects.count() == 25


def test_more_readers_than_a_chunk_call_one_helper(db: None) -> None:
    calls: list[str] = []
    add_readers(5)
    assert editions.plan(NOW, more=lambda: calls.append("help"), size=2) == 5
    assert calls == ["help"]


def test_the_pool_is_frozen_when_the_edition_opens(alice: Subscriber, papers: list[Paper]) -> None:
    editions.plan(NOW)
    Paper.objects.create(title="Late", title_key="late", listed_on=NOW.date(), hot=1000)
    assert Edition.objects.get().pool.count() == len(papers)
    Paper.objects.update(hot=0)
    assert Edition.objects.get().pool.first().hot == 99


def test_papers_of_long_ago_are_in_no_pool(alice: Subscriber, papers: list[Paper], settings: Settings) -> None:
    Paper.objects.update(listed_on=NOW.date() - timedelta(days=14))
    editions.plan(NOW)
    assert Edition.objects.get().pool.count() == 0


def test_after_an_outage_of_three_days_there_is_one_digest_the_latest(alice: Subscriber) -> None:
    monday = NOW + timedelta(days=3)
    editions.plan(monday)
    alice.refresh_from_db()
    digest = Digest.objects.get()
    assert digest.edition.date == monday.date()
    assert digest.expires_at > monday
    assert alice.next_digest_at == datetime(2026, 3, 24, 7, tzinfo=UTC)


def test_what_comes_too_late_to_be_welcome_expires_on_record(alice: Subscriber) -> None:
    late = NOW + timedelta(hours=14)
    editions.plan(late)
    ledger.sweep(late)
    assert Digest.objects.get().status == "expired"


@pytest.mark.parametrize(("cadence", "hours"), [("daily", 12), ("weekly", 48), ("monthly", 120)])
def test_the_rarer_an_edition_the_longer_it_is_welcome(alice: Subscriber, cadence: str, hours: int) -> None:
    Subscriber.objects.update(cadence=cadence, weekday=5)
    editions.plan(NOW)
    digest = Digest.objects.get()
    assert digest.expires_at - digest.not_before == timedelta(hours=hours)


def test_new_clocks_make_no_second_digest_of_a_date(alice: Subscriber) -> None:
    editions.plan(NOW)
    Subscriber.objects.update(next_digest_at=NOW + timedelta(hours=2))  # the zone's clocks went back since
    editions.plan(NOW + timedelta(hours=2))
    assert Digest.objects.count() == 1


def test_a_sample_is_planned_once_a_day(alice: Subscriber) -> None:
    assert editions.plan_sample(alice, NOW)
    assert not editions.plan_sample(alice, NOW + timedelta(hours=1))
    assert editions.plan_sample(alice, NOW + timedelta(days=1))


def test_the_daily_edition_goes_out_on_chosen_weekdays(alice: Subscriber) -> None:
    Subscriber.objects.update(weekdays=0b0010001)  # Monday and Friday
    editions.plan(NOW)
    alice.refresh_from_db()
    assert Edition.objects.get().kind == "daily"
    assert alice.next_digest_at == datetime(2026, 3, 23, 7, tzinfo=UTC)  # Monday, 8:00 in Berlin
