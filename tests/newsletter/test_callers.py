"""Calls in threads: so many at once, and none is waited for without end."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import timedelta

import pytest
from pytest_django import Settings

from newsletter.delivery.wire.callers import Callers, Submit
from newsletter.delivery.wire.outcomes import Kind, Outcome, Report

YES = Outcome(Kind.ACCEPTED)


class Told:
    """A client that is told when to answer: a content is how many messages it holds."""

    def __init__(self) -> None:
        self.go = threading.Event()
        self.begun: list[int] = []

    @contextmanager
    def client(self) -> Iterator[Submit]:
        yield self.submit

    def submit(self, messages: int) -> Sequence[Outcome]:
        self.begun.append(messages)
        if messages > 1:
            self.go.wait(10)
        if not messages:
            raise ValueError("nothing to send")
        return [YES] * messages


@pytest.fixture
def told() -> Iterator[Told]:
    told = Told()
    yield told
    told.go.set()


def kinds(reports: list[Report]) -> dict[int, str]:
    return {key: outcome.kind.value for key, outcome in reports if outcome}


def all_of(callers: Callers, count: int) -> dict[int, str]:
    found: list[Report] = []
    while len(found) < count:
        found += callers.answers(0.05)
    return kinds(found)


def test_each_message_of_a_call_has_its_answer(told: Told) -> None:
    told.go.set()
    with closing(Callers(2, 10, told.client)) as callers:
        callers.call([1, 2], 2)
        callers.call([3], 1)
        assert all_of(callers, 3) == {1: "accepted", 2: "accepted", 3: "accepted"}


def test_an_error_is_in_doubt_for_all_that_the_call_held(told: Told) -> None:
    with closing(Callers(1, 10, told.client)) as callers:
        callers.call([1, 2], 0)
        assert all_of(callers, 2) == {1: "doubt", 2: "doubt"}


def test_who_waits_for_a_late_call_is_replaced(told: Told) -> None:
    with closing(Callers(1, 0.1, told.client)) as callers:
        callers.call([1, 2], 2)
        callers.call([3], 1)
        assert all_of(callers, 3) == {1: "doubt", 2: "doubt", 3: "accepted"}
        told.go.set()
        assert callers.answers(0.1) == []  # what the late one says comes too late


def test_a_call_that_could_not_begin_within_the_lease_is_not_made(told: Told, settings: Settings) -> None:
    settings.LEASE = timedelta(seconds=-1)
    with closing(Callers(1, 10, told.client)) as callers:
        callers.call([1], 1)
        assert list(all_of(callers, 1)) == [1]
    assert told.begun == []
