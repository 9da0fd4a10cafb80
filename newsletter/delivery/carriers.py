"""Whoever carries many messages at once, behind one face: the SMTP sessions, or a provider's calls in threads."""

import time
from collections.abc import Iterable
from contextlib import suppress
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery.batch_apis import batch_api
from newsletter.delivery.batch_calls import BatchCalls
from newsletter.delivery.outcomes import Kind, Outcome, Report
from newsletter.delivery.pace import Paced
from newsletter.delivery.provider import Provider
from newsletter.delivery.smtp import SmtpSessions

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Carrier(Protocol):
    """Takes messages in two steps. After `offer` it may say everything but the content; when it has reported a message
    as ready, and the caller has committed that it is submitting, `hand_over` lets the content go.

    Only the caller's thread calls it, and nothing here raises for what a provider does.
    """

    per_call: int  # messages that one call to the provider takes

    def prepare(self, message: EmailMultiAlternatives) -> Any:
        """The message as `offer` wants it. Raises what is wrong with the message itself."""

    def room(self) -> int:
        """How many more messages may be offered now."""

    def at_once(self) -> int:
        """How many messages can be ready or in flight at a time."""

    def offer(self, key: int, prepared: Any) -> None: ...

    def hand_over(self, key: int) -> None:
        """Send a message that was reported as ready."""

    def drop(self, key: int) -> None:
        """Forget a message that was offered and not handed over; nothing of it goes."""

    def step(self, seconds: float) -> Iterable[Report]:
        """What happened meanwhile; waits at most so long for something to happen."""

    def close(self) -> None: ...


def carrier(patience: float = 0) -> Paced:
    """The one that the settings ask for, at the pace of the throttle; `patience` is how long it may wait idly."""
    if settings.EMAIL_BACKEND == SMTP:
        return Paced(SmtpSessions(), patience)
    api = batch_api()
    return Paced(BatchCalls(api) if api else Calls(), patience)


class Calls:
    """A provider's own client, one message a call, in as many threads as there may be messages in flight."""

    per_call = 1

    def __init__(self) -> None:
        self._width = min(settings.SUBMIT_CONNECTIONS, settings.SUBMIT_SLICE)
        self._offered: dict[int, EmailMultiAlternatives] = {}
        self._new: list[Report] = []
        self._todo: SimpleQueue[tuple[int, EmailMultiAlternatives] | None] = SimpleQueue()
        self._done: SimpleQueue[Report] = SimpleQueue()
        self._threads: list[Thread] = []
        self._busy: dict[int, float] = {}  # messages in a call, and when it is given up
        self._stuck: set[int] = set()  # those that were given up

    def prepare(self, message: EmailMultiAlternatives) -> EmailMultiAlternatives:
        return message

    def room(self) -> int:
        return self._width - len(self._offered)

    def at_once(self) -> int:
        return self._width

    def offer(self, key: int, prepared: EmailMultiAlternatives) -> None:
        self._offered[key] = prepared
        self._new.append((key, None))

    def hand_over(self, key: int) -> None:
        # Twice: to connect, and to answer. A client's own time-outs count from byte to byte, and so may never end.
        self._busy[key] = time.monotonic() + 2 * settings.EMAIL_TIMEOUT
        if len(self._busy) > len(self._threads) - len(self._stuck) < self._width:
            self._threads.append(Thread(target=self._work, daemon=True))
            self._threads[-1].start()
        self._todo.put((key, self._offered.pop(key)))

    def drop(self, key: int) -> None:
        self._offered.pop(key, None)

    def step(self, seconds: float) -> list[Report]:
        reports, self._new = self._new, []
        done = list[Report]()
        with suppress(Empty):
            done.append(self._done.get(timeout=0 if reports else seconds))
            while True:
                done.append(self._done.get_nowait())
        for key, outcome in done:
            if self._busy.pop(key, None) is not None:
                reports.append((key, outcome))
            self._stuck.discard(key)  # its thread is free again; what it says comes too late
        return reports + self._give_up()

    def _give_up(self) -> list[Report]:
        """Wait no longer for calls that take too long; their threads end when the provider lets them."""
        now = time.monotonic()
        late = [key for key, until in self._busy.items() if until < now]
        for key in late:
            del self._busy[key]
            self._stuck.add(key)
        return [(key, Outcome(Kind.DOUBT, "no whole answer in time")) for key in late]

    def close(self) -> None:
        for _ in self._threads:
            self._todo.put(None)
        if not self._stuck:
            for thread in self._threads:
                thread.join()

    def _work(self) -> None:
        with Provider() as provider:
            while job := self._todo.get():
                self._done.put((job[0], provider.submit(job[1])))
