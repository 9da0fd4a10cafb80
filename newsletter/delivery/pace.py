"""Digests at the pace of the throttle: no more calls than the provider takes, no more mails than a domain takes.

What must wait stays planned. Of the provider's rate a run takes what it needs for its next messages, or what a quick
provider takes in a tenth of a second, and waits for more a few seconds at most; a digest whose domain is busy goes back
to the ledger until its turn.
"""

import time
from collections import defaultdict
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from newsletter.delivery import ledger
from newsletter.delivery.ledger import Ending
from newsletter.delivery.wire import throttle
from newsletter.delivery.wire.batch_apis import batch_api
from newsletter.delivery.wire.batch_calls import BatchCalls
from newsletter.delivery.wire.carriers import SMTP, Calls, Carrier
from newsletter.delivery.wire.outcomes import NOT_NOW, Report
from newsletter.delivery.wire.smtp import SmtpSessions
from newsletter.delivery.wire.throttle import Lane
from newsletter.models import Digest
from subscribers.addresses import domain_of

WAITS = NOT_NOW.reason
PAUSE = 0.05  # seconds, at most, between two checks whether it is our turn
AHEAD, QUICKLY = 100, timedelta(seconds=0.1)  # as many messages are allowed at once where they take no longer


class Paced:
    """A carrier that has room only for what the throttle allows, and that tells the throttle of every answer.

    `patience`: seconds that may be spent with nothing to do but waiting; after that `is_over`, and what is left is for
    another run.
    """

    def __init__(self, carrier: Carrier, patience: float) -> None:
        self._carrier, self._patience, self.per_call = carrier, patience, carrier.per_call
        self._allowed = 0  # messages that may be offered
        self._is_fast = False
        self._shut_until = 0.0  # monotonic
        self._domains: dict[int, str] = {}  # of the messages under way
        self.is_over = False

    def prepare(self, message: EmailMultiAlternatives) -> tuple[str, Any]:
        return domain_of(message.to[0]), self._carrier.prepare(message)

    def room(self) -> int:
        """At least 1 once `is_over`, so that the caller asks for another message and finds none."""
        room = max(self._carrier.room(), 0)  # a server that takes fewer sessions than it did makes this negative
        if room and not self._allowed and not self.is_over and time.monotonic() >= self._shut_until:
            self._ask(room)
        return min(room, self._allowed) or int(self.is_over)

    def at_once(self) -> int:
        return self._carrier.at_once()

    def offer(self, key: int, prepared: tuple[str, Any]) -> None:
        self._domains[key], inner = prepared
        self._allowed -= 1
        self._carrier.offer(key, inner)

    def hand_over(self, key: int) -> None:
        self._carrier.hand_over(key)

    def drop(self, key: int) -> None:
        self._domains.pop(key, None)
        self._carrier.drop(key)

    def step(self, seconds: float) -> list[Report]:
        left = self._shut_until - time.monotonic()
        if not self._domains and left > 0:
            self.is_over |= left > self._patience
            seconds = 0 if self.is_over else min(left, PAUSE)
            self._patience -= seconds
        reports = list(self._carrier.step(seconds))
        answers = [(self._domains.pop(key, ""), outcome) for key, outcome in reports if outcome is not None]
        if throttle.heed(answers, timezone.now()):
            self._allowed = 0
        return reports

    def close(self) -> None:
        self._carrier.close()

    def _ask(self, room: int) -> None:
        most = max(room, AHEAD) if self._is_fast else room
        share = throttle.calls(-(-most // self.per_call), Lane.DIGESTS, timezone.now())
        self._is_fast = AHEAD // self.per_call * share.apart <= QUICKLY
        self._allowed = share.given * self.per_call
        if not share.given:
            self._shut_until = time.monotonic() + share.wait.total_seconds()


def carrier(patience: float = 0) -> Paced:
    """The one that the settings ask for, at the pace of the throttle; `patience`: seconds that it may wait idly."""
    if settings.EMAIL_BACKEND == SMTP:
        return Paced(SmtpSessions(), patience)
    api = batch_api()
    return Paced(BatchCalls(api, patience) if api else Calls(), patience)


def in_turn(digests: Sequence[Digest]) -> list[Digest]:
    """Those of these claimed digests that their recipients' domains take now; the others are put back until then."""
    by_domain = defaultdict(list)
    for digest in digests:
        by_domain[domain_of(digest.subscriber.email or "")].append(digest)
    now = timezone.now()
    shares = throttle.mails({domain: len(mine) for domain, mine in by_domain.items()}, Lane.DIGESTS, now)
    waiting: dict[int, Ending] = {}
    for domain, mine in by_domain.items():
        share = shares[domain]
        for place, digest in enumerate(mine[share.given :]):
            due = now + share.wait + place * share.apart
            [waiting[digest.pk]] = ledger.release([digest], WAITS, due)
    ledger.record(list(waiting.values()), [], now)
    return [digest for digest in digests if digest.pk not in waiting]
