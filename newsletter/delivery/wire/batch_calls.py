"""Many messages a call: the carrier for providers that take batches of complete messages."""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from requests.adapters import BaseAdapter

from newsletter.delivery.wire import throttle
from newsletter.delivery.wire.batch_apis import BatchApi, messages_a_call
from newsletter.delivery.wire.callers import Submit
from newsletter.delivery.wire.outcomes import Outcome, Report
from newsletter.delivery.wire.payloads import Item
from newsletter.delivery.wire.switchboard import Switchboard, mount, pause
from newsletter.delivery.wire.throttle import Lane


class BatchCalls:
    """A `Carrier` whose calls hold as many messages as the provider takes, but no more than half of those that may be
    in flight: so the next call is put together while one is on its way. `patience`: seconds from now in which a half
    of a call may wait for its turn.
    """

    def __init__(self, api: BatchApi, patience: float) -> None:
        self._api, self._width, self._until = api, settings.SUBMIT_SLICE, time.monotonic() + patience
        self.per_call = max(1, messages_a_call(type(api)))
        self._offered: dict[int, Item] = {}
        self._fresh: list[int] = []  # of these, those that were not reported as ready
        self._going: list[tuple[int, Item]] = []
        self._switchboard = Switchboard(self._client)

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
            self._switchboard.call([key for key, _ in call], [item for _, item in call])
        reports: list[Report] = []
        if self._fresh and (seconds or len(self._fresh) >= self.per_call):
            reports = [(key, None) for key in self._fresh if key in self._offered]
            self._fresh = []
        return reports + self._switchboard.answers(0 if reports else seconds)

    def close(self) -> None:
        self._switchboard.close()

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

    @contextmanager
    def _client(self, adapter: BaseAdapter) -> Iterator[Submit]:
        with self._api.session() as session:
            mount(session, adapter)

            def submit(items: Sequence[Item]) -> Sequence[Outcome]:
                return self._api.submit(session, items, self._may_call)

            yield submit

    def _may_call(self) -> bool:
        """Whether there is time to wait for the right to one more call."""
        return not throttle.wait_for_call(Lane.DIGESTS, self._until, pause)
