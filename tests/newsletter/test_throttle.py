"""How fast mail goes, with a real Redis and without one."""

import uuid
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.wire import throttle
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.throttle import Lane
from subscribers.models import Letter, Subscriber
from tests.conftest import NOW
from tests.stubs import Api

GO = timedelta(0)
SECOND = timedelta(seconds=1)
BUSY = Outcome(Kind.LATER, "too many requests", retry_after=timedelta(seconds=30))
quickly = hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=20)


@pytest.fixture(params=["Redis", "without Redis"], autouse=True)
def _buckets(request: pytest.FixtureRequest, settings: Settings) -> None:
    """Ten a second to the provider, all of them this process's, both with Redis and with Redis gone."""
    if request.param == "without Redis":
        settings.REDIS_URL = "redis://127.0.0.1:1"
    settings.SEND_PER_SECOND, settings.WORKER_PROCESSES = 10, 1


def take(domain: str, lane: Lane, at: datetime, count: int = 1) -> timedelta:
    """The right to send so many mails to a domain, and to call the provider; how long to wait for it, if at all."""
    to_domain = throttle.mails({domain: count}, lane, at)[domain]
    if to_domain.given < count:
        return to_domain.wait
    calls = throttle.calls(count, lane, at)
    return GO if calls.given == count else calls.wait


def taken(lane: Lane, tries: int, domain: str = "a.example", after: timedelta = GO) -> int:
    """How many of so many may go at one moment."""
    return sum(take(domain, lane, NOW + after) == GO for _ in range(tries))


def test_a_second_has_so_many_and_the_next_has_them_again() -> None:
    assert taken(Lane.LETTERS, 20) == 10
    assert taken(Lane.LETTERS, 20, after=SECOND) == 10


def test_who_must_wait_is_told_how_long() -> None:
    taken(Lane.LETTERS, 10)
    wait = take("a.example", Lane.LETTERS, NOW)
    assert wait == pytest.approx(SECOND / 10, abs=timedelta(milliseconds=1))
    assert take("a.example", Lane.LETTERS, NOW + wait) == GO


def test_digests_leave_a_part_to_letters() -> None:
    assert taken(Lane.DIGESTS, 20) == 8
    assert taken(Lane.LETTERS, 20) == 2


@given(st.lists(st.tuples(st.integers(0, 3000), st.sampled_from(Lane), st.integers(1, 3)), max_size=40))
@quickly
def test_no_window_has_more_than_its_rate_and_one_bucket(
    settings: Settings, asked: list[tuple[int, Lane, int]]
) -> None:
    settings.REDIS_PREFIX = uuid.uuid4().hex
    at, went = NOW, []
    for milliseconds, lane, count in asked:
        at += timedelta(milliseconds=milliseconds)
        if given := throttle.calls(count, lane, at).given:
            went.append((at, given))
    for begin, _ in went:
        for end, _ in went:
            within = sum(count for when, count in went if begin <= when <= end)
            assert begin > end or within <= 10 + 10 * (end - begin).total_seconds() + 1e-3


def test_a_domain_has_a_rate_of_its_own(settings: Settings) -> None:
    settings.DOMAINS_PER_SECOND = {"slow.example": "2", "*": "4"}
    assert taken(Lane.LETTERS, 9, "slow.example") == 2
    assert taken(Lane.LETTERS, 9, "other.example") == 4
    assert taken(Lane.LETTERS, 9, "third.example") == 4


def test_letters_wait_in_no_queue_of_digests(settings: Settings) -> None:
    settings.DOMAINS_PER_SECOND = {"slow.example": "2"}
    throttle.mails({"slow.example": 5000}, Lane.DIGESTS, NOW)
    assert throttle.mails({"slow.example": 1}, Lane.LETTERS, NOW + SECOND)["slow.example"].given == 1
    waits = [throttle.mails({"slow.example": 9}, Lane.LETTERS, NOW + SECOND)["slow.example"].wait for _ in range(2)]
    assert waits[0] < SECOND
    assert 4 * SECOND < waits[1] < 6 * SECOND  # after those of the first


def test_who_is_asked_to_wait_waits_and_then_goes_at_half_the_rate() -> None:
    throttle.heed([("a.example", BUSY)], NOW)
    assert take("a.example", Lane.LETTERS, NOW + 29 * SECOND) >= SECOND
    again = NOW + 40 * SECOND
    assert sum(take("a.example", Lane.LETTERS, again) == GO for _ in range(20)) == 10  # what has gathered
    assert sum(take("a.example", Lane.LETTERS, again + SECOND) == GO for _ in range(20)) in {5, 6}


def test_a_minute_that_the_provider_named_is_a_minute() -> None:
    throttle.heed([("a.example", replace(BUSY, retry_after=60 * SECOND))], NOW)
    assert take("a.example", Lane.LETTERS, NOW + 55 * SECOND) >= 5 * SECOND


def test_many_who_are_told_the_same_slow_down_once() -> None:
    for _ in range(50):
        throttle.slow_down(throttle._of_provider(), NOW)
    taken(Lane.LETTERS, 20, after=2 * SECOND)
    assert taken(Lane.LETTERS, 20, after=3 * SECOND) == 5


def test_the_rate_grows_back() -> None:
    throttle.slow_down(throttle._of_provider(), NOW)
    later = timedelta(seconds=throttle.RECOVERY)
    taken(Lane.LETTERS, 20, after=later)
    assert taken(Lane.LETTERS, 20, after=later + SECOND) == 10


@pytest.mark.parametrize(("reason", "others"), [("451 try again later", 8), ("421 too many", 0), ("HTTP: 429", 0)])
def test_a_domain_that_is_busy_slows_nobody_else(reason: str, others: int) -> None:
    throttle.heed([("busy.example", Outcome(Kind.LATER, reason))], NOW)
    assert taken(Lane.DIGESTS, 20, "busy.example") == 0
    assert taken(Lane.DIGESTS, 20, "b.example") == others


@pytest.mark.parametrize("kind", [Kind.ACCEPTED, Kind.REFUSED, Kind.UNSENT])
def test_other_answers_change_nothing(kind: Kind) -> None:
    throttle.heed([("a.example", Outcome(kind))], NOW)
    assert taken(Lane.LETTERS, 20) == 10


def test_a_clock_that_goes_back_makes_no_more() -> None:
    taken(Lane.LETTERS, 20)
    assert taken(Lane.LETTERS, 20, after=-SECOND) == 0


@pytest.mark.parametrize(("backend", "rate"), [("resend", 2), ("amazon_ses", 14), ("postmark", throttle.UNLIMITED)])
def test_each_provider_has_its_own_default(settings: Settings, backend: str, rate: float) -> None:
    settings.SEND_PER_SECOND, settings.EMAIL_BACKEND = None, f"anymail.backends.{backend}.EmailBackend"
    assert throttle._of_provider().rate == rate


def test_slow_providers_too_carry_digests(settings: Settings) -> None:
    settings.SEND_PER_SECOND = 0.5
    assert taken(Lane.DIGESTS, 3) == 1


def test_a_letter_waits_its_turn_and_is_not_lost(bob: Subscriber, postmark: Api, db: None) -> None:
    Letter.objects.create(subscriber=bob, kind="confirmation", not_before=NOW)
    throttle.slow_down(throttle._of_provider(), NOW, 600)
    send_owed_letters(NOW)
    letter = Letter.objects.get()
    assert (letter.status, postmark.requests) == ("owed", [])
    assert letter.not_before == NOW + timedelta(minutes=10)


def test_without_redis_each_process_keeps_to_its_share(settings: Settings) -> None:
    settings.REDIS_URL, settings.WORKER_PROCESSES = "redis://127.0.0.1:1", 5
    assert taken(Lane.LETTERS, 20) == 2
