"""Batches of digests from claim to settled: claim, gate, choose, build; the rest is the flow's."""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from newsletter.delivery import ledger
from newsletter.delivery.flow import Flow
from newsletter.delivery.ledger import Ending, Ready
from newsletter.delivery.pace import WAITS, Paced, carrier, in_turn
from newsletter.delivery.wire import keys
from newsletter.delivery.wire.outcomes import in_words
from newsletter.delivery.wire.rerouting import reroute
from newsletter.digest import candidates, readers
from newsletter.digest.choice import Choice, Chooser
from newsletter.digest.rendering import Renderer
from newsletter.models import Brake, Digest
from subscribers.gate import at_the_gate

log = logging.getLogger(__name__)

OVERTIME = 5.0  # seconds that a run may build what it has claimed, before it puts that back: ticks wait for a worker
FOR_PAPERS = timedelta(minutes=10)  # until an edition whose sources have brought nothing is looked at again
Status = Digest.Status


@dataclass(frozen=True)
class Chosen:
    """A digest with its papers, and the renderer of its edition."""

    digest: Digest
    choices: Sequence[Choice]
    renderer: Renderer


def deliver_batch(size: int | None = None, seconds: float = 0, more: Callable[[], None] = lambda: None) -> int:
    """Claim a batch and bring each digest of it to an end, then further batches for so many seconds; returns how many
    digests that were.

    They are fewer than were claimed where the provider cannot be reached, refuses everything or is to be called slowly:
    the rest is put back. `more` is called once when a full batch meets a provider that accepts mail, so that others can
    help, and when something is left that must wait.
    """
    if Brake.objects.engaged().exists():
        return 0
    with closing(carrier(seconds)) as by:
        batches = Batches(by, size or settings.CLAIM_SIZE, time.monotonic() + seconds)
        flow = Flow(by, settings.SUBMIT_SLICE, lambda: more() if batches.was_full else None)
        flow.run(batches.copies())
        left = batches.put_back(flow.stopped or WAITS) + flow.waiting
        if flow.stopped:
            log.warning("a run ended early: %s", flow.stopped)
        delivered = batches.claimed - batches.put_off - left - flow.undone
        # A full batch has called already, unless all of it must wait.
        if not flow.stopped and ((left and not batches.was_full) or (batches.put_off and not delivered)):
            more()
        return delivered


class Batches:
    """What is due, claimed and chosen batch by batch, and built one by one as the wire takes it."""

    def __init__(self, by: Paced, size: int, until: float) -> None:
        self._by, self._size, self._until, self._build_until = by, size, until, until
        self._editions: dict[tuple[int, int], tuple[Chooser, Renderer]] = {}
        self._chosen: deque[Chosen] = deque()
        self.claimed = 0
        self.put_off = 0  # of these, because their domains take no more now, or their papers must be chosen again
        self.was_full = False  # some batch was full: there may be more than one worker can send

    def copies(self) -> Iterator[Ready]:
        while self._claim():
            while self._chosen and not self._by.is_over and time.monotonic() < self._build_until:
                if ready := build(self._by, self._chosen.popleft()):
                    yield ready

    def put_back(self, reason: str) -> int:
        """Let others have what was claimed and not built; returns how many."""
        ledger.record(ledger.release([one.digest for one in self._chosen], reason), [], timezone.now())
        return len(self._chosen)

    def _claim(self) -> bool:
        if self._by.is_over or (self.claimed and time.monotonic() >= self._until):
            return False
        digests = ledger.claim(timezone.now(), self._size)
        self.was_full |= len(digests) == self._size
        self.claimed += len(digests)
        guests = self._without_empty(welcome(digests))
        now = in_turn(guests)
        self.put_off += len(guests) - len(now)
        self._chosen.extend(self._choose(now))
        self._build_until = max(time.monotonic(), self._until) + OVERTIME
        return bool(digests)

    def _without_empty(self, digests: Sequence[Digest]) -> list[Digest]:
        """Those of editions that have papers; the others wait for some, and use up no domain's turn."""
        empty = [digest for digest in digests if digest.edition.drawn_at is None]
        self._put_off(empty, ledger.NO_PAPERS, timezone.now() + FOR_PAPERS)
        return [digest for digest in digests if digest.edition.drawn_at is not None]

    def _choose(self, digests: Iterable[Digest]) -> list[Chosen]:
        """Choose each reader's papers, edition by edition; a quiet day is skipped and recorded, never padded."""
        by_edition = defaultdict(list)
        for digest in digests:
            by_edition[digest.edition_id, digest.revision].append(digest)
        chosen, quiet = [], []
        for copies in by_edition.values():
            chooser, renderer = self._of(copies[0])
            people = readers.load([copy.subscriber for copy in copies], chooser.candidates, timezone.now())
            all_choices = list(chooser.choose_all(people))
            if not renderer.read({choice.paper for choices in all_choices for choice in choices}):
                self._choose_anew(copies)
                continue
            for digest, choices in zip(copies, all_choices, strict=True):
                if choices:
                    chosen.append(Chosen(digest, choices, renderer))
                else:
                    quiet.append(Ending(digest, Status.SKIPPED, ledger.NOTHING_NEW))
        ledger.record(quiet, [], timezone.now())
        return chosen

    def _choose_anew(self, copies: Sequence[Digest]) -> None:
        """A paper was merged into another since their pool was read: it is read again for whoever claims them next."""
        del self._editions[copies[0].edition_id, copies[0].revision]
        self._put_off(copies, "a paper was merged into another")

    def _put_off(self, copies: Sequence[Digest], reason: str, due: datetime | None = None) -> None:
        ledger.record(ledger.release(copies, reason, due), [], timezone.now())
        self.put_off += len(copies)

    def _of(self, digest: Digest) -> tuple[Chooser, Renderer]:
        """What is the same for all readers of an edition, as it was when they were planned; made again in each run,
        so that a ban takes effect."""
        key = digest.edition_id, digest.revision
        if key not in self._editions:
            edition = digest.edition.as_of(digest.revision)
            chooser = Chooser(candidates.load(edition))
            self._editions[key] = chooser, Renderer(edition, edition.drawn_from().count())
        return self._editions[key]


def welcome(digests: Sequence[Digest]) -> list[Digest]:
    """The gate: those that may be mailed now, with their readers. The others are skipped with the gate's reason."""
    readers, no = at_the_gate([digest.subscriber_id for digest in digests])
    ledger.record(ledger.skip(digests, no), [], timezone.now())
    mailable = [digest for digest in digests if digest.subscriber_id not in no]
    for digest in mailable:
        digest.subscriber = readers[digest.subscriber_id]
    return mailable


def build(by: Paced, one: Chosen) -> Ready | None:
    """Build a message; one that cannot be built fails alone."""
    try:
        message = one.renderer.message(one.digest, one.choices)
        [address] = message.to  # the reader's, which the gate checks once more; the mail itself may be rerouted
        reroute(message)
        key = keys.key_of_digest(one.digest.uid, one.digest.attempts)
        keys.mark(message, key)
        return Ready(one.digest, one.choices, str(message.subject), address, by.prepare(message), key)
    except Exception as error:
        log.exception("digest %s cannot be built", one.digest.uid)
        ledger.record([Ending(one.digest, Status.FAILED, in_words(error))], [], timezone.now())
        return None
