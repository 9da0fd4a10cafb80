"""A batch of digests from claim to settled: claim, gate, choose, write ahead, submit, settle."""

import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import IntegrityError
from django.utils import timezone

from newsletter.delivery import ledger
from newsletter.delivery.outcomes import Kind, Outcome, in_words
from newsletter.delivery.provider import Provider
from newsletter.digest import candidates, readers
from newsletter.digest.choice import Choice, Chooser
from newsletter.digest.rendering import Renderer
from newsletter.models import Brake, Digest, Edition
from subscribers.gate import refusals

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Chosen:
    """A digest with its papers, and the renderer of its edition."""

    digest: Digest
    choices: Sequence[Choice]
    renderer: Renderer


@dataclass(frozen=True)
class Ready:
    """A digest with all that its submission needs."""

    digest: Digest
    choices: Sequence[Choice]
    message: EmailMultiAlternatives


def deliver_batch(size: int | None = None) -> int:
    """Claim a batch and bring each digest of it to an end; returns how many.

    Fewer than were claimed where the provider cannot be reached or refuses everything: the rest is put back.
    """
    if Brake.objects.engaged().exists():
        return 0
    digests = ledger.claim(timezone.now(), size or settings.CLAIM_SIZE)
    chosen = choose(welcome(digests))
    width = settings.SUBMIT_SLICE
    with Provider() as provider:
        for start in range(0, len(chosen), width):
            if stop := submit_slice(provider, chosen[start : start + width]):
                return len(digests) - ledger.release([one.digest for one in chosen[start + width :]], stop)
    return len(digests)


def welcome(digests: Iterable[Digest]) -> list[Digest]:
    """The gate: those that may be mailed now. The others are skipped with the gate's reason."""
    digests = list(digests)
    no = refusals([digest.subscriber for digest in digests])
    for digest in digests:
        if digest.subscriber_id in no:
            ledger.refuse(digest, Digest.Status.SKIPPED, no[digest.subscriber_id], timezone.now())
    return [digest for digest in digests if digest.subscriber_id not in no]


def choose(digests: Iterable[Digest]) -> list[Chosen]:
    """Choose each reader's papers, edition by edition; a quiet day is skipped and recorded, never padded."""
    by_edition = defaultdict(list)
    for digest in digests:
        by_edition[digest.edition].append(digest)
    chosen = []
    for edition, copies in by_edition.items():
        pool = candidates.load(edition)
        chooser, renderer = Chooser(pool), Renderer(edition, len(pool.papers))
        people = readers.load([copy.subscriber for copy in copies], pool, timezone.now())
        for digest, choices in zip(copies, chooser.choose_all(people), strict=True):
            if choices:
                chosen.append(Chosen(digest, choices, renderer))
            else:
                ledger.refuse(digest, Digest.Status.SKIPPED, "nothing new that fits", timezone.now())
    return chosen


def submit_slice(provider: Provider, chosen: Sequence[Chosen]) -> str:
    """Write ahead and hand over one slice; returns why not to go on with the next, or nothing.

    The slice bounds how many digests a killed worker leaves in doubt.
    """
    ready = render(still_welcome(chosen))
    try:
        mine = ledger.begin_submitting(ready, timezone.now())
    except IntegrityError:
        # Another digest of one of these readers took the same paper at this moment: choose anew later.
        ledger.release([one.digest for one in ready], "chosen at the same moment as another digest")
        return ""
    waiting = [one for one in ready if one.digest.pk in mine]
    while waiting:
        one = waiting.pop(0)
        outcome = provider.submit(one.message)
        ledger.settle(one.digest, outcome, timezone.now())
        if outcome.kind is Kind.HALT:
            halt(outcome)
        if outcome.kind in {Kind.HALT, Kind.UNSENT}:  # nor will the others be taken
            for other in waiting:
                ledger.settle(other.digest, Outcome(Kind.UNSENT, outcome.reason), timezone.now())
            return outcome.reason
    return ""


def still_welcome(chosen: Sequence[Chosen]) -> list[Chosen]:
    """The gate once more, right before submission: people leave and editions are stopped meanwhile."""
    fresh = Digest.objects.filter(pk__in=[one.digest.pk for one in chosen]).select_related("edition", "subscriber")
    digests = {digest.pk: digest for digest in fresh}
    stopped = [copy for copy in digests.values() if copy.edition.status != Edition.Status.OPEN]
    ledger.release(stopped, "its edition was stopped")
    welcomed = {copy.pk for copy in welcome(copy for copy in digests.values() if copy not in stopped)}
    return [one for one in chosen if one.digest.pk in welcomed]


def render(chosen: Iterable[Chosen]) -> list[Ready]:
    """Build the messages; one that cannot be built fails alone."""
    ready = []
    for one in chosen:
        try:
            message = one.renderer.message(one.digest, one.choices)
        except Exception as error:
            log.exception("digest %s cannot be built", one.digest.uid)
            ledger.refuse(one.digest, Digest.Status.FAILED, in_words(error), timezone.now())
        else:
            ready.append(Ready(one.digest, one.choices, message))
    return ready


def halt(outcome: Outcome) -> None:
    """The provider takes nothing of ours any more: stop all mail until a person has acted."""
    log.error("all mail is stopped: %s", outcome.reason)
    Brake.objects.pull(outcome.reason)
