"""Messages on their way: built ahead, ready at the provider, in flight, answered.

The next ones are built while the wire is busy. A digest is committed as submitting before its content goes, and no more
than `width` are ever submitting without their answers written down: a killed process leaves no more than these in
doubt. The first one goes alone: where the provider gives no clear answer, each run puts one message at risk.
"""

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice

from django.db import DatabaseError
from django.utils import timezone

from newsletter.delivery import ledger
from newsletter.delivery.feedback import events
from newsletter.delivery.ledger import Ending, Ready
from newsletter.delivery.streak import Streak, is_believed
from newsletter.delivery.wire.carriers import Carrier
from newsletter.delivery.wire.outcomes import RETRY_AFTER, Kind, Outcome, Report
from newsletter.delivery.wire.rerouting import destination
from newsletter.models import Brake, Digest, Edition
from subscribers.addresses import domain_of
from subscribers.gate import refusals

log = logging.getLogger(__name__)

DOUBTS = 5  # in a row, after which no other message is put at risk for now
PATIENCE = 0.01  # seconds that an answer, or a message that is ready, waits for others to be written down with it
Status = Digest.Status


class Flow:
    """Brings built digests through one carrier to their ends."""

    def __init__(self, carrier: Carrier, width: int, when_it_works: Callable[[], None] = lambda: None) -> None:
        """`when_it_works` is called once, with the first message that the provider accepts."""
        self._carrier, self._width, self._when_it_works = carrier, width, when_it_works
        self.streak = Streak()
        self._is_clear = False  # the provider has said yes or no to a message
        self._doubts = 0  # since it last did
        self._offered: dict[int, Ready] = {}  # claimed; of these nothing but the envelope has gone
        self._ready: dict[int, Ready] = {}  # the same, and the provider waits for the content
        self._flying: dict[int, Ready] = {}  # submitting
        self._endings: list[Ending] = []  # known, and not written yet
        self._since = 0.0  # when the first of what is to be written came
        self._more = True  # to be built
        self._nobody: list[Digest] = []  # whose mailboxes do not exist, says the provider
        self.undone = 0  # how many were put back
        self.waiting = 0  # how many were put back until their turn
        self.stopped = ""  # why there is no use in going on

    def run(self, copies: Iterator[Ready]) -> None:
        """Send all of these, or as many as go out before there is no use in going on."""
        while self._more or self._offered or self._ready or self._flying or self._endings:
            building = self._more and not self.stopped and self._carrier.room() > 0
            if building:
                self._offer(copies)
            waiting = not building and bool(self._offered or self._flying)
            self._hear(self._carrier.step(PATIENCE if waiting else 0))
            if self._is_time(building):
                self._record()
            self._more = self._more and not self.stopped
        with suppress_and_log():
            self._conclude()

    def _offer(self, copies: Iterator[Ready]) -> None:
        copy = next(copies, None)
        if copy is None:
            self._more = False
        else:
            self._offered[copy.digest.pk] = copy
            self._carrier.offer(copy.digest.pk, copy.prepared)

    def _hear(self, reports: Iterable[Report]) -> None:
        stop = None
        for key, outcome in reports:
            self._since = self._since or time.monotonic()
            if outcome is None:
                if key in self._offered:  # else it was dropped
                    self._ready[key] = self._offered.pop(key)
                continue
            self._end(key, outcome)
            # The rest would not be accepted either; after a streak, what is in flight shows whether anything is.
            if outcome.kind in {Kind.HALT, Kind.UNSENT} or self._is_unclear or self.streak.is_long:
                stop = outcome
        if stop and not self.stopped:
            self._stop(stop)

    @property
    def _is_unclear(self) -> bool:
        """Whether the provider's answers are too unclear to go on."""
        return self._doubts >= (DOUBTS if self._is_clear else 1)

    def _room(self) -> int:
        """How many more may be handed over now."""
        return (self._width if self._is_clear else 1) - len(self._flying)

    def _end(self, key: int, outcome: Outcome) -> None:
        if one := self._flying.pop(key, None):
            held = Status.SUBMITTING
        elif one := self._ready.pop(key, None) or self._offered.pop(key, None):
            held = Status.CLAIMED
        else:
            return
        if outcome.kind is Kind.ACCEPTED and not self.streak.works:
            self._when_it_works()
        self._endings.append(ledger.answered(one.digest, outcome, timezone.now(), held))
        self._is_clear |= outcome.kind in {Kind.ACCEPTED, Kind.REFUSED}
        self._doubts = self._doubts + 1 if outcome.kind is Kind.DOUBT else 0
        self.undone += outcome.kind in {Kind.HALT, Kind.UNSENT}
        self.waiting += outcome.kind is Kind.WAITS
        with suppress_and_log():
            self._judge(one, outcome)

    def _judge(self, one: Ready, outcome: Outcome) -> None:
        """Note what the answer says about the provider, and about the address."""
        domain = domain_of(one.address)
        if outcome.kind is not Kind.REFUSED:
            self.streak.hear(outcome, domain)
        elif one.digest.reason != ledger.RETRIED:  # that it was refused before is no news
            self.streak.hear(outcome, domain, is_newcomer=not outcome.no_mailbox and is_newcomer(one.digest))
            if outcome.no_mailbox and destination(one.address) == one.address:
                self._nobody.append(one.digest)

    def _conclude(self) -> None:
        """Let what was heard count for later runs. Of mailboxes only a provider that accepts others is believed: one
        that is not set up well may say of everybody that there is no such user.
        """
        now = timezone.now()
        self.streak.tell(now)
        if self._nobody and (self.streak.works or is_believed(now)):
            events.no_such_mailboxes(self._nobody, now)

    def _stop(self, outcome: Outcome) -> None:
        """Put back what is not in flight, and wait for what is."""
        if outcome.kind is Kind.HALT:
            Brake.objects.pull(outcome.reason)
        self.stopped = outcome.reason
        waiting = {**self._offered, **self._ready}
        for key in waiting:
            self._carrier.drop(key)
        self._offered, self._ready = {}, {}
        self._endings += ledger.release([one.digest for one in waiting.values()], outcome.reason)
        self.undone += len(waiting)

    def _is_time(self, building: bool) -> bool:
        """Whether to turn to the ledger: enough has come together, it has waited, or nothing else will come."""
        going = min(len(self._ready), self._room())
        if not going and not self._endings:
            return False
        together, most = max(going, len(self._endings)), min(self._width, self._carrier.at_once())
        if building:  # the machine is slower than the wire: as few statements as possible
            return together >= most
        # The wire is slower: half of what can be under way is worth a statement, while the other half is in flight.
        if 2 * together >= most:
            return True
        alone = not (self._offered or self._flying)
        return alone or time.monotonic() - self._since > PATIENCE

    def _record(self) -> None:
        """Write down the answers, write ahead the next ones, and let these go."""
        asked = list(islice(self._ready.items(), self._room()))
        endings, self._endings, self._since = self._endings, [], 0.0
        _, begun = ledger.record(endings, [one for _, one in asked], timezone.now())
        refused = []
        for key, one in asked:
            del self._ready[key]
            if key in begun:
                self._flying[key] = one
                self._carrier.hand_over(key)
            else:
                self._carrier.drop(key)
                refused.append(one)
        if refused:
            self._endings += turned_away(refused)


def is_newcomer(digest: Digest) -> bool:
    """Whether its reader has never had a mail, while others have."""
    had = Digest.objects.filter(status__in=[Status.ACCEPTED, Status.DELIVERED])
    return not had.filter(subscriber=digest.subscriber_id).exists() and had.exists()


@contextmanager
def suppress_and_log() -> Iterator[None]:
    """A database error in side work must not keep answers from being recorded."""
    try:
        yield
    except DatabaseError:
        log.exception("what an answer says of the provider is not known")


def turned_away(copies: Sequence[Ready]) -> list[Ending]:
    """Why these could not be begun: people leave and move, editions are stopped, brakes are pulled meanwhile.

    Their tokens are read again, since a brake may have raised them (`ledger.take_back`); those that another worker has
    claimed since are left out.
    """
    asked = {one.digest.pk: one for one in copies}
    rows = Digest.objects.filter(pk__in=asked, status=Status.CLAIMED).select_related("edition", "subscriber")
    fresh = [one for one in rows if one.attempts == asked[one.pk].digest.attempts]
    stopped = [one for one in fresh if one.edition.status != Edition.Status.OPEN]
    others = [one for one in fresh if one not in stopped]
    endings = ledger.skip(others, refusals([one.subscriber for one in others]))
    skipped = {ending.digest.pk for ending in endings}
    left = [one for one in others if one.pk not in skipped]
    moved = [one for one in left if one.subscriber.email != asked[one.pk].address]
    why = "all mail was stopped" if Brake.objects.engaged().exists() else "what stood against it is over"
    endings += ledger.release(stopped, "its edition was stopped")
    endings += ledger.release(moved, "its reader has another address now")
    later = timezone.now() + RETRY_AFTER  # not at once: whatever it is, a run would meet it again and again
    return endings + ledger.release([one for one in left if one not in moved], why, later)
