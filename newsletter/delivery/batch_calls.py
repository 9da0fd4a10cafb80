"""Many messages a call: the carrier for providers that take batches of complete messages."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue

import requests
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery.batch_apis import BatchApi, Item, messages_a_call
from newsletter.delivery.outcomes import Kind, Outcome, Report, in_words


class BatchCalls:
    """A `Carrier` whose calls hold as many messages as the provider takes, but no more than half of those that may be
    in flight: so the next call is put together while one is on its way.
    """

    def __init__(self, api: BatchApi) -> None:
        self._api, self._width = api, settings.SUBMIT_SLICE
        self.per_call = max(1, messages_a_call(type(api)))
        self._offered: dict[int, Item] = {}
        self._fresh: list[int] = []  # of these, those that were not reported as ready
        self._going: list[tuple[int, Item]] = []
        self._callers = ThreadPoolExecutor(settings.SUBMIT_CONNECTIONS, thread_name_prefix="batch")
        self._sessions: SimpleQueue[requests.Session] = SimpleQueue()
        self._done: SimpleQueue[list[Report]] = SimpleQueue()

    def prepare(self, message: EmailMultiAlternatives) -> Item:
        return self._api.prepare(message)

    def room(self) -> int:
        return self._width - len(self._offered)

    def at_once(self) -> int:
        return self._width

    def offer(self, key: int, prepared: Item) -> None:
        self._offered[key] = prepared
        self._fresh.append(key)

    def hand_over(self, key: int) -> None:
        self._going.append((key, self._offered.pop(key)))

    def drop(self, key: int) -> None:
        self._offered.pop(key, None)

    def step(self, seconds: float) -> list[Report]:
        """Messages are ready a whole call at a time, unless there is nothing to do but wait: then no more will come."""
        for call in self._calls():
            self._callers.submit(self._submit, call)
        reports: list[Report] = []
        if self._fresh and (seconds or len(self._fresh) >= self.per_call):
            reports = [(key, None) for key in self._fresh if key in self._offered]
            self._fresh = []
        try:
            reports += self._done.get(timeout=0 if reports else seconds)
            while True:
                reports += self._done.get_nowait()
        except Empty:
            return reports

    def close(self) -> None:
        self._callers.shutdown()
        try:
            while True:
                self._sessions.get_nowait().close()
        except Empty:
            return

    def _calls(self) -> Iterator[list[tuple[int, Item]]]:
        """What was handed over, in calls that hold no more than the provider takes."""
        going, self._going = self._going, []
        call: list[tuple[int, Item]] = []
        size = 0
        for key, item in going:
            if call and (len(call) == self.per_call or size + len(item.body) + 2 > self._api.most_bytes):
                yield call
                call, size = [], 0
            call.append((key, item))
            size += len(item.body) + 2
        if call:
            yield call

    def _submit(self, call: Sequence[tuple[int, Item]]) -> None:
        """In a thread of its own."""
        try:
            try:
                session = self._sessions.get_nowait()
            except Empty:
                session = self._api.session()
            outcomes = self._api.submit(session, [item for _, item in call])
            self._sessions.put(session)
        except Exception as error:  # noqa: BLE001 - the caller waits for an answer to each
            outcomes = [Outcome(Kind.DOUBT, in_words(error))] * len(call)
        self._done.put([(key, outcome) for (key, _), outcome in zip(call, outcomes, strict=True)])
