"""Threads that call a provider, each call with a time by which it must be over.

A client's own time-outs count from byte to byte, so an answer that drips may never end. It is not waited for: what was
handed over with it is in doubt, and its thread ends when the provider lets it.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any

from django.conf import settings

from newsletter.delivery.wire.outcomes import LATE, Kind, Outcome, Report, in_words

OVERSLEPT = Outcome(Kind.UNSENT, "its worker slept past its lease")

# Hands over what one call holds; one outcome for each message of it.
Submit = Callable[[Any], Sequence[Outcome]]
Client = Callable[[], AbstractContextManager[Submit]]


@dataclass(eq=False)
class Call:
    """Messages by their sender's keys, and what the client is handed for them."""

    keys: Sequence[int]
    content: Any
    until: float  # monotonic: when it must have begun, and once it has, when it must be over


class Callers:
    """At most `width` calls at a time, each in a thread with a client of its own, and for at most `seconds`."""

    def __init__(self, width: int, seconds: float, client: Client) -> None:
        self._width, self._seconds, self._client = width, seconds, client
        self._todo: SimpleQueue[Call | None] = SimpleQueue()
        self._done: SimpleQueue[tuple[Call, Sequence[Outcome]]] = SimpleQueue()
        self._threads: list[Thread] = []
        self._busy: set[Call] = set()  # waiting, or begun
        self._stuck: set[Call] = set()  # given up, and not over

    def call(self, keys: Sequence[int], content: Any) -> None:
        call = Call(keys, content, time.monotonic() + settings.LEASE.total_seconds())
        self._busy.add(call)
        self._todo.put(call)
        self._man()

    def answers(self, seconds: float) -> list[Report]:
        """What has been answered, or was waited for long enough; waits for at most so long for the first."""
        done = []
        with suppress(Empty):
            done.append(self._done.get(timeout=seconds))
            while True:
                done.append(self._done.get_nowait())
        reports = list[Report]()
        for call, outcomes in done:
            if call in self._busy:
                self._busy.discard(call)
                reports += zip(call.keys, outcomes, strict=True)
            self._stuck.discard(call)  # its thread is free again; what it says comes too late
        return reports + self._give_up()

    def close(self) -> None:
        for _ in self._threads:
            self._todo.put(None)
        if not self._stuck:
            for thread in self._threads:
                thread.join()

    def _give_up(self) -> list[Report]:
        now = time.monotonic()
        late = [call for call in self._busy if call.until < now]
        self._busy.difference_update(late)
        self._stuck.update(late)
        self._man()
        return [(key, LATE) for call in late for key in call.keys]

    def _man(self) -> None:
        """Start a thread for each waiting call, up to `width`; replace those that are stuck."""
        while len(self._busy) > len(self._threads) - len(self._stuck) < self._width:
            self._threads.append(Thread(target=self._work, daemon=True))
            self._threads[-1].start()

    def _work(self) -> None:
        with self._client() as submit:
            while call := self._todo.get():
                self._done.put((call, self._carry_out(call, submit)))

    def _carry_out(self, call: Call, submit: Submit) -> Sequence[Outcome]:
        now = time.monotonic()
        # Its lease has expired: another worker may hold its digests, and have called under the same keys, which the
        # provider remembers only for a time.
        if now > call.until:
            return [OVERSLEPT] * len(call.keys)
        call.until = now + self._seconds
        try:
            return submit(call.content)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is
            return [Outcome(Kind.DOUBT, in_words(error))] * len(call.keys)


@contextmanager
def one_at_a_time(seconds: float, client: Client) -> Iterator[Submit]:
    """The client; each of its calls is over within so many seconds."""
    callers = Callers(1, seconds, client)

    def submit(content: Any) -> Sequence[Outcome]:
        callers.call([0], content)
        while not (reports := callers.answers(seconds)):
            pass
        return [outcome for _, outcome in reports if outcome]

    try:
        yield submit
    finally:
        callers.close()
