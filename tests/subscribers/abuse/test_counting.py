"""Limits hold, whatever the order, in Redis and in the database."""

import uuid
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from subscribers.abuse.counting import hashed, note, seen, take
from subscribers.abuse.slots import SLOTS, Limit
from subscribers.models import Tally
from subscribers.tasks import forget
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
quickly = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=25)
moments = st.lists(st.tuples(st.integers(0, 1500), st.integers(1, 3)), min_size=1, max_size=25)


def limit(most: int = 5, name: str = "a") -> Limit:
    return Limit(name, uuid.uuid4().hex, most, HOUR)


@given(moments, st.integers(1, 6))
@quickly
def test_no_window_ever_sees_more_than_the_limit(events: list[tuple[int, int]], most: int) -> None:
    counted: list[tuple[datetime, int]] = []
    one, at = limit(most), NOW
    for seconds, cost in events:
        at += timedelta(seconds=seconds)
        if take([one], at, cost) is None:
            counted.append((at, cost))
    for end, _ in counted:
        assert sum(cost for when, cost in counted if end - HOUR < when <= end) <= most


@given(st.lists(st.sampled_from("ab"), max_size=12))
@quickly
def test_limits_that_are_taken_together_are_all_counted_or_none(order: list[str]) -> None:
    limits = {"a": limit(2), "b": limit(4)}
    both = [limits["a"], limits["b"]]
    for name in order:
        take([limits[name]], NOW)
        before = [seen(one, NOW) for one in both]
        full = take(both, NOW)
        assert [seen(one, NOW) - was for one, was in zip(both, before, strict=True)] == ([0, 0] if full else [1, 1])


def test_the_limit_that_is_full_is_named() -> None:
    one, other = limit(1, "one"), limit(5, "other")
    assert take([other, one], NOW) is None
    assert take([other, one], NOW) == one
    assert take([other], NOW) is None


def test_there_is_room_again_a_slot_after_the_window() -> None:
    one = limit(1)
    assert [take([one], NOW), take([one], NOW + HOUR - timedelta(seconds=1))] == [None, one]
    assert take([one], NOW + HOUR * (SLOTS + 1) / SLOTS) is None


def test_a_clock_that_is_behind_makes_no_room() -> None:
    one = limit(1)
    assert [take([one], NOW), take([one], NOW - HOUR / 2)] == [None, one]


def test_what_is_noted_is_seen_until_the_window_has_passed() -> None:
    one = limit()
    for minutes in (0, 1, 30):
        note(one, NOW + timedelta(minutes=minutes), 10)
    assert seen(one, NOW + timedelta(minutes=30)) == 30
    assert seen(one, NOW + timedelta(minutes=70)) == 10
    assert seen(one, NOW + 3 * HOUR) == 0


def test_no_key_names_anybody(settings: Settings) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    take([Limit("soft", hashed("192.0.2.0/24"), 5, HOUR)], NOW)
    assert "192" not in Tally.objects.get().key.removeprefix(settings.REDIS_PREFIX).replace(hashed("192.0.2.0/24"), "")
    was = hashed("192.0.2.0/24")
    settings.SECRET_KEY = "another"
    assert hashed("192.0.2.0/24") != was


def test_tallies_are_forgotten_once_they_say_nothing(settings: Settings, fixed_clock: object) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    take([limit()], NOW - 2 * HOUR)
    take([limit()], NOW)
    forget()
    assert Tally.objects.get().until > NOW
