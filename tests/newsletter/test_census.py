"""What is counted once in a while, so that no page counts."""

from datetime import timedelta

import pytest
from celery.signals import beat_init
from django.conf import settings

from newsletter import census, pulses, tasks
from newsletter.models import Census, Digest, Edition, Progress, Pulse
from papers.models import Topic
from subscribers import retention
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned

MINUTE = timedelta(minutes=1)


def settle(edition: Edition, number: int) -> None:
    for digest in edition.digests.filter(status="planned")[:number]:
        Digest.objects.filter(pk=digest.pk).update(status="accepted", submitted_at=NOW)


@pytest.fixture
def going_out(edition: Edition) -> Edition:
    for reader in add_readers(10):
        planned(edition, reader)
    return edition


def test_readers_are_counted_by_what_they_chose(graphs: Topic, robots: Topic) -> None:
    add_readers(3, graphs, robots, zone="Europe/Berlin", confirmed_at=NOW - timedelta(hours=1))
    counts = census.take(NOW).counts
    assert (counts["active"], counts["new_day"], counts["new_month"]) == (3, 3, 3)
    assert counts["topics"] == {graphs.name: 3, robots.name: 3}
    assert counts["cadences"] == {"daily": 3}


def test_the_lost_had_confirmed_and_are_gone(alice: Subscriber, bob: Subscriber) -> None:
    old, lately = NOW - timedelta(days=90), NOW - timedelta(days=3)
    gone = {"status": "unsubscribed", "next_digest_at": None, "status_changed_at": lately}
    Subscriber.objects.filter(pk=alice.pk).update(confirmed_at=old, **gone)
    Subscriber.objects.filter(pk=bob.pk).update(**gone)
    counts = census.take(NOW).counts
    assert (counts["active"], counts["lost_day"], counts["lost_month"]) == (0, 0, 1)


def test_a_country_is_that_of_all_its_zones() -> None:
    found = census.by_country({"Europe/Berlin": 2, "Europe/Busingen": 1, "UTC": 4})
    if not census.country_of():
        pytest.skip("this system has no tables of zones")
    assert found == {"Germany": 3, "UTC": 4}


def test_each_count_of_an_edition_adds_up(going_out: Edition) -> None:
    settle(going_out, 4)
    census.follow(NOW)
    row = Progress.objects.get()
    assert (row.planned, row.open, row.settled) == (10, 6, 4)
    assert row.counts == {"planned": 6, "accepted": 4}


def test_the_rate_is_that_between_two_counts(going_out: Edition) -> None:
    census.follow(NOW)
    settle(going_out, 6)
    census.follow(NOW + 2 * MINUTE)
    assert Progress.objects.latest_of(going_out).rate == 3


def test_a_rate_ends_where_nothing_moves(going_out: Edition) -> None:
    census.follow(NOW)
    settle(going_out, 6)
    census.follow(NOW + MINUTE)
    census.follow(NOW + 2 * MINUTE)
    row = Progress.objects.latest_of(going_out)
    assert (row.rate, row.at, row.seen_at) == (0, NOW + MINUTE, NOW + 2 * MINUTE)


def test_counts_far_apart_tell_no_rate(going_out: Edition) -> None:
    census.follow(NOW)
    settle(going_out, 6)
    census.follow(NOW + timedelta(hours=2))
    assert Progress.objects.latest_of(going_out).rate == 0


def test_an_edition_that_is_over_is_counted_once_an_hour(going_out: Edition) -> None:
    settle(going_out, 10)
    over = NOW + timedelta(days=3)
    assert census.follow(over) == 1
    assert census.follow(over + MINUTE) == 0
    assert census.follow(over + timedelta(hours=1)) == 1


def test_an_edition_without_digests_to_go_may_get_more_while_its_day_lasts(going_out: Edition) -> None:
    settle(going_out, 10)
    census.follow(NOW)
    assert census.follow(NOW + MINUTE) == 1


def test_old_editions_are_left_alone(going_out: Edition) -> None:
    assert census.follow(NOW + timedelta(days=9)) == 0


def test_a_task_that_did_its_work_leaves_a_trace(db: None) -> None:
    tasks.take_census.apply()
    assert Pulse.objects.get().part == "Counting"
    assert Census.objects.count() == 1


def test_every_part_works_as_soon_as_beat_starts(at_once: None) -> None:
    beat_init.send(sender=None)
    assert {"Counting", "Fetching", "Planning"} <= set(Pulse.objects.values_list("part", flat=True))
    assert Census.objects.count() == 1


def test_a_trace_is_written_once_in_a_rhythm(db: None) -> None:
    for seconds in (0, 1, 40):
        pulses.beat("newsletter.tasks.tick", NOW + timedelta(seconds=seconds))
    assert Pulse.objects.get().at == NOW + timedelta(seconds=40)


def test_a_part_is_silent_after_a_few_rhythms() -> None:
    late = NOW + timedelta(seconds=pulses.PATIENCE * settings.TICK_SECONDS + 121)
    often, rarely = (pulses.parts()[f"newsletter.tasks.{name}"] for name in ("deliver", "take_census"))
    assert often.is_silent(NOW, late)
    assert often.is_silent(None, NOW)
    assert not often.is_silent(NOW, NOW + MINUTE)
    assert not rarely.is_silent(NOW, late)


def test_every_part_is_a_task_that_beat_wakes(db: None) -> None:
    woken = {entry["task"] for entry in tasks.tick.app.conf.beat_schedule.values()} | {"newsletter.tasks.deliver"}
    assert set(pulses.parts()) <= woken


def test_counts_are_forgotten_once_they_are_old(going_out: Edition) -> None:
    census.take(NOW)
    census.follow(NOW)
    retention.forget(NOW + settings.KEEP_PROGRESS + MINUTE)
    assert not Progress.objects.exists()
    assert Census.objects.exists()
    retention.forget(NOW + settings.KEEP_CENSUS + MINUTE)
    assert not Census.objects.exists()
