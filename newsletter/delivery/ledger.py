"""The states of a digest: the only place that changes them.

Each transition is one conditional UPDATE that names the state, and where a worker holds the row, the
fencing token; its row count says who won. Wall time is a parameter everywhere.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol

from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Case, F, Value, When

from newsletter.delivery.outcomes import Kind, Outcome
from newsletter.digest.choice import Choice
from newsletter.models import Digest, DigestPaper, Edition

Status = Digest.Status

# What an answer to a submission makes of a digest; LATER, UNSENT and HALT put it back.
SETTLED = {Kind.ACCEPTED: Status.ACCEPTED, Kind.REFUSED: Status.FAILED, Kind.DOUBT: Status.IN_DOUBT}


def claim(at: datetime, size: int) -> list[Digest]:
    """Take up to `size` due digests under a lease. Claimed rows have touched no wire."""
    with transaction.atomic():
        due = Digest.objects.claimable(at).select_for_update(skip_locked=True, of=("self",))
        mine = list(due.values_list("pk", flat=True)[:size])
        Digest.objects.filter(pk__in=mine, status=Status.PLANNED).update(
            status=Status.CLAIMED,
            lease_until=at + settings.LEASE,
            fencing_token=F("fencing_token") + 1,
            attempts=F("attempts") + 1,
        )
        return list(
            Digest.objects.filter(pk__in=mine).select_related("edition", "subscriber").order_by("not_before", "pk")
        )


class Submittable(Protocol):
    """A digest that is about to be handed over, with its papers and its message."""

    @property
    def digest(self) -> Digest: ...
    @property
    def choices(self) -> Sequence[Choice]: ...
    @property
    def message(self) -> EmailMultiAlternatives: ...


def begin_submitting(ready: Sequence[Submittable], at: datetime) -> set[int]:
    """Write ahead that these digests are about to be handed over, with their papers and subjects.

    Returns the ids that are still this worker's; no other may be submitted. Raises IntegrityError where
    another digest of the same reader took the same paper in this very moment: then nothing is written.
    """
    with transaction.atomic():
        tokens = {one.digest.pk: one.digest.fencing_token for one in ready}
        held = Digest.objects.filter(pk__in=tokens, status=Status.CLAIMED).select_for_update()
        mine = {pk for pk, token in held.values_list("pk", "fencing_token") if tokens[pk] == token}
        going = [one for one in ready if one.digest.pk in mine]
        Digest.objects.filter(pk__in=mine).update(
            status=Status.SUBMITTING,
            submitted_at=at,
            lease_until=at + settings.LEASE,
            subject=Case(*(When(pk=one.digest.pk, then=Value(one.message.subject)) for one in going)),
        )
        DigestPaper.objects.bulk_create(
            DigestPaper(
                digest=one.digest,
                subscriber_id=one.digest.subscriber_id,
                paper_id=choice.paper,
                place=place,
                reason=choice.reason,
                outside=choice.outside,
                rising=choice.rising,
            )
            for one in going
            for place, choice in enumerate(one.choices, start=1)
        )
        return mine


def settle(digest: Digest, outcome: Outcome, at: datetime) -> bool:
    """Write down what became of a submission; says whether the row was still this worker's to write.

    A worker that overslept its lease finds its row in doubt: what it knows is better, and is written.
    """
    held = Digest.objects.filter(
        pk=digest.pk, fencing_token=digest.fencing_token, status__in=[Status.SUBMITTING, Status.IN_DOUBT]
    )
    status = SETTLED.get(outcome.kind)
    if status is not None:
        reason = outcome.reason or ("" if status == Status.ACCEPTED else outcome.kind.value)
        return bool(_move(held, status, reason, settled_at=at, provider_id=outcome.provider_id))
    with transaction.atomic():
        returned = bool(
            _move(held, Status.PLANNED, outcome.reason, not_before=at + outcome.retry_after, submitted_at=None)
        )
        if returned:
            DigestPaper.objects.filter(digest=digest).delete()
        return returned


def refuse(digest: Digest, status: str, reason: str, at: datetime) -> bool:
    """Let a claimed digest take a side exit before anything was sent: skipped or failed."""
    held = Digest.objects.filter(pk=digest.pk, fencing_token=digest.fencing_token, status=Status.CLAIMED)
    return bool(_move(held, status, reason, settled_at=at))


def release(digests: Iterable[Digest], reason: str) -> int:
    """Put claimed digests back untouched, for whoever claims next."""
    return sum(
        _move(
            Digest.objects.filter(pk=digest.pk, fencing_token=digest.fencing_token, status=Status.CLAIMED),
            Status.PLANNED,
            reason,
        )
        for digest in digests
    )


def sweep(at: datetime) -> dict[str, int]:
    """Repair what crashes, outages and brakes left behind; returns how many took which way."""
    abandoned = Digest.objects.abandoned(at)
    cancelled = Digest.objects.filter(status=Status.PLANNED, edition__status=Edition.Status.CANCELLED)
    return {
        "back to planned": _move(abandoned.filter(status=Status.CLAIMED), Status.PLANNED, "its worker did not finish"),
        "in doubt": _move(
            abandoned.filter(status=Status.SUBMITTING),
            Status.IN_DOUBT,
            "its worker stopped while submitting",
            settled_at=at,
        ),
        "expired": _move(Digest.objects.overdue(at), Status.EXPIRED, "too late to be welcome", settled_at=at),
        "cancelled": _move(cancelled, Status.CANCELLED, "its edition was cancelled", settled_at=at),
    }


def _move(rows: Any, status: str, reason: str, **fields: Any) -> int:
    """One conditional UPDATE; the lease ends with every one of these."""
    return int(rows.update(status=status, reason=reason[:200], lease_until=None, **fields))
