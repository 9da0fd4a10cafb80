"""The states of a digest: the only place that changes them, with its two hot UPDATEs in statements.py.

Each transition is one conditional UPDATE that names the state and, where a worker holds the row, the fencing token; its
row count says who won. Wall time is a parameter everywhere.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.functions import Coalesce, Greatest
from psycopg.errors import DeadlockDetected

from newsletter.delivery import statements
from newsletter.delivery.wire.outcomes import Kind, Outcome, printable
from newsletter.digest.choice import Choice
from newsletter.models import Brake, Digest, DigestPaper, Edition, Event
from newsletter.rows import instant
from subscribers.addresses import address_hash
from subscribers.models import Subscriber

Status = Digest.Status

# What an answer to a submission makes of a digest; any other puts it back.
SETTLED = {Kind.ACCEPTED: Status.ACCEPTED, Kind.REFUSED: Status.FAILED, Kind.DOUBT: Status.IN_DOUBT}

RETRIED = "an operator has it tried again"
NO_PAPERS = "its edition has no papers yet"
NOTHING_NEW = "nothing new that fits"
# Why what may have been sent has no papers: a reader may get them once more.
SET_FREE = "the provider had refused it first, and its papers were set free"
TAKEN_FOR_UNSENT = "it had been taken for unsent, and has no papers"
PAPERLESS = [SET_FREE, TAKEN_FOR_UNSENT]

# What a provider's later word makes of a digest, and of which states. Later knowledge only ever adds: a complaint
# stands over a bounce, a bounce over a delivery, a delivery over a refusal, whatever order they come in.
OPEN = [Status.SUBMITTING, Status.IN_DOUBT]
TOLD = {
    Event.Type.SENT: (Status.ACCEPTED, OPEN),
    Event.Type.REJECTED: (Status.FAILED, [*OPEN, Status.ACCEPTED]),
    Event.Type.FAILED: (Status.FAILED, [*OPEN, Status.ACCEPTED]),
    Event.Type.DELIVERED: (Status.DELIVERED, [*OPEN, Status.ACCEPTED, Status.FAILED]),
    Event.Type.BOUNCED: (Status.BOUNCED, [*OPEN, Status.ACCEPTED, Status.FAILED, Status.DELIVERED]),
    Event.Type.COMPLAINED: (
        Status.COMPLAINED,
        [*OPEN, Status.ACCEPTED, Status.FAILED, Status.DELIVERED, Status.BOUNCED],
    ),
}


# These events prove that it was mailed, even where the row says that nothing was sent: a person's word put it back, or
# a commit was lost.
PROOF = {Event.Type.DELIVERED, Event.Type.COMPLAINED}
PUT_BACK = [Status.PLANNED, Status.CLAIMED]
CLOCKS = timedelta(minutes=5)  # by which a provider's may differ from ours


def claim(at: datetime, size: int) -> list[Digest]:
    """Take up to `size` due digests under a lease. Claimed rows have touched no wire."""
    with transaction.atomic():
        sort_nothing()
        due = Digest.objects.claimable(at).select_for_update(skip_locked=True, of=("self",))
        mine = list(due.values_list("pk", flat=True)[:size])
        # These are locked, and so still planned: repeating the condition would let the planner scan every planned row.
        Digest.objects.filter(pk__among=mine).update(
            status=Status.CLAIMED,
            lease_until=at + settings.LEASE,
            fencing_token=F("fencing_token") + 1,
            attempts=F("attempts") + 1,
            merged_away=False,  # what went away were papers of an earlier attempt
        )
        claimed = Digest.objects.filter(pk__among=mine).prefetch_related("edition")
        needed = ("uid", "edition", "revision", "subscriber", "fencing_token", "attempts", "reason")
        held = {digest.pk: digest for digest in claimed.only(*needed)}
        return [held[pk] for pk in mine]


def sort_nothing() -> None:
    """Have PostgreSQL take what is due from the index that has it in order, for the rest of the transaction.

    Its planner goes by the latest statistics, in which there was nothing before an edition was planned: it would sort
    all that is due for each claim.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_sort = off")


def take_back(digests: QuerySet[Digest]) -> None:
    """Let no worker begin what it has claimed of these. A worker's running statement sees the readers as they were when
    it began, but it waits for these rows and then finds another token.
    """
    digests.filter(status=Status.CLAIMED).update(fencing_token=F("fencing_token") + 1)


@dataclass(frozen=True)
class Ready:
    """A digest with all that its submission needs; `prepared` is its message as the carrier wants it."""

    digest: Digest
    choices: Sequence[Choice]
    subject: str
    address: str
    prepared: Any
    idempotency_key: str = ""


@dataclass(frozen=True)
class Ending:
    """What becomes of a digest that this worker holds, and the state it was held in."""

    digest: Digest
    status: str
    reason: str = ""
    provider_id: str = ""
    not_before: datetime | None = None  # where it is put back: when it is due again, if not as before
    held: str = Status.CLAIMED


def answered(digest: Digest, outcome: Outcome, at: datetime, held: str = Status.SUBMITTING) -> Ending:
    """What an answer makes of a digest."""
    status = SETTLED.get(outcome.kind)
    if status is None:
        due = at + outcome.wait
        return Ending(digest, Status.PLANNED, _while_planned(digest, outcome.reason), not_before=due, held=held)
    reason = outcome.reason or ("" if status == Status.ACCEPTED else outcome.kind.value)
    return Ending(digest, status, reason, outcome.provider_id, held=held)


def skip(digests: Iterable[Digest], reasons: Mapping[int, str]) -> list[Ending]:
    """End those of claimed digests whose readers the gate refuses, with its reasons."""
    return [Ending(one, Status.SKIPPED, reasons[one.subscriber_id]) for one in digests if one.subscriber_id in reasons]


def release(digests: Iterable[Digest], reason: str, due: datetime | None = None) -> list[Ending]:
    """Put claimed digests back untouched, for whoever claims next; `due`: not before then."""
    return [Ending(digest, Status.PLANNED, _while_planned(digest, reason), not_before=due) for digest in digests]


def _while_planned(digest: Digest, reason: str) -> str:
    """Keep the mark of an operator's retry until the digest is settled."""
    return RETRIED if digest.reason == RETRIED else reason


def record(
    endings: Sequence[Ending], ready: Sequence[Ready], at: datetime, tries: int = 3
) -> tuple[set[int], set[int]]:
    """Write down what became of digests, and ahead of time that others are about to be handed over, with their papers
    and subjects.

    Returns the ids that were ended and those that were begun: the rows that were still this worker's, and among the
    ready ones those that may still be mailed. Nothing else may be submitted.
    """
    if not endings and not ready:
        return set(), set()
    try:
        with _at_once():
            return _transitions(endings, ready, at).run()
    except IntegrityError:
        if not ready:
            raise
        if len(ready) == 1 and not endings:
            # Another digest of this reader took the same paper at this moment: choose again later.
            record(release([ready[0].digest], "chosen at the same moment as another digest"), [], at)
            return set(), set()
    except OperationalError as error:
        # Of two statements that waited for each other PostgreSQL has ended this one, and written nothing of it.
        if connection.in_atomic_block or tries == 1 or not isinstance(error.__cause__, DeadlockDetected):
            raise
        return record(endings, ready, at, tries - 1)
    ended, _ = record(endings, [], at)
    return ended, {pk for one in ready for pk in record([], [one], at)[1]}


def _at_once() -> AbstractContextManager[object]:
    """PostgreSQL's one statement is a transaction of its own."""
    alone = connection.vendor == "postgresql" and not connection.in_atomic_block
    return nullcontext() if alone else transaction.atomic()


def _transitions(endings: Sequence[Ending], ready: Sequence[Ready], at: datetime) -> statements.Transitions:
    return statements.Transitions(
        endings=[
            {
                "digest": one.digest.pk,
                "token": one.digest.fencing_token,
                "held": one.held,
                "becomes": one.status,
                "reason": printable(one.reason)[:200],
                "provider_id": printable(one.provider_id)[:200],
                "not_before": one.not_before and instant(one.not_before),
            }
            for one in endings
        ],
        ready=[
            {
                "digest": one.digest.pk,
                "token": one.digest.fencing_token,
                "held": Status.CLAIMED.value,
                "subject": one.subject,
                "email": one.address,
                "address_hash": address_hash(one.address),
                "idempotency_key": one.idempotency_key,
                "papers": [choice.paper for choice in one.choices],
                "reasons": [choice.reason for choice in one.choices],
                "outside": [choice.outside for choice in one.choices],
                "rising": [choice.rising for choice in one.choices],
            }
            for one in ready
        ],
        at=at,
        lease_until=at + settings.LEASE,
    )


def sweep(at: datetime) -> dict[str, int]:
    """Repair what crashes, outages and brakes left behind; returns how many went which way."""
    abandoned, overdue = Digest.objects.abandoned(at), Digest.objects.overdue(at)
    claimed = abandoned.filter(status=Status.CLAIMED)
    unapproved = overdue.filter(edition__status=Edition.Status.HELD)
    late = _move(unapproved, Status.EXPIRED, "nobody approved its edition in time", settled_at=at)
    cancelled = Digest.objects.filter(status=Status.PLANNED, edition__status=Edition.Status.CANCELLED)
    return {
        "back to planned": _move(claimed.filter(reason=RETRIED), Status.PLANNED, RETRIED)
        + _move(claimed, Status.PLANNED, "its worker did not finish"),
        "in doubt": _move(
            abandoned.filter(status=Status.SUBMITTING),
            Status.IN_DOUBT,
            "its worker stopped while submitting",
            settled_at=at,
        ),
        "expired": late + _move(overdue, Status.EXPIRED, "too late to be welcome", settled_at=at),
        "cancelled": _move(cancelled, Status.CANCELLED, "its edition was cancelled", settled_at=at),
    }


def _move(rows: Any, status: str, reason: str, **fields: Any) -> int:
    """One conditional UPDATE; the lease ends with every one of these."""
    return int(rows.update(status=status, reason=reason[:200], lease_until=None, **fields))


def ask_again(digest: Digest, at: datetime) -> bool:
    """Take a digest in doubt in hand once more, to repeat its call; False where it must not be mailed, all mail is
    stopped, or somebody else has taken it. When it was submitted, and under which key, stays as it was.
    """
    mine = Digest.objects.filter(
        pk=digest.pk,
        status=Status.IN_DOUBT,
        fencing_token=digest.fencing_token,
        edition__status=Edition.Status.OPEN,
        subscriber__in=Subscriber.objects.mailable(),
    ).exclude(Exists(Brake.objects.engaged()))
    token = digest.fencing_token + 1
    if not mine.update(status=Status.SUBMITTING, lease_until=at + settings.LEASE, fencing_token=token):
        return False
    digest.fencing_token = token
    return True


def ask_no_more(digest: Digest) -> None:
    """Let only an event or a person end this doubt."""
    Digest.objects.filter(pk=digest.pk, status=Status.IN_DOUBT).update(idempotency_key="")


def plan_again(digests: QuerySet[Digest], reason: str, at: datetime, until: datetime | None = None) -> list[int]:
    """Put digests that surely were not sent back to planned, with their papers free again; returns their ids.

    Only failed ones and those in doubt move. Those that have expired stay, unless `until` is their new expiry.
    """
    with transaction.atomic():
        rows = digests.filter(status__in=[Status.FAILED, Status.IN_DOUBT]).select_for_update(of=("self",))
        mine = list((rows if until else rows.filter(expires_at__gt=at)).values_list("pk", flat=True))
        DigestPaper.objects.filter(digest__in=mine).delete()
        expiry = {"expires_at": Greatest(F("expires_at"), Value(until))} if until else {}
        _move(Digest.objects.filter(pk__in=mine), Status.PLANNED, reason, submitted_at=None, settled_at=None, **expiry)
        return mine


def take_for_accepted(digests: QuerySet[Digest], reason: str, at: datetime) -> list[int]:
    """Let an operator's word settle a doubt: the provider has them. Returns their ids."""
    with transaction.atomic():
        mine = list(digests.filter(status=Status.IN_DOUBT).select_for_update(of=("self",)).values_list("pk", flat=True))
        _move(Digest.objects.filter(pk__in=mine), Status.ACCEPTED, reason, settled_at=at)
        return mine


def learn(
    uids: Collection[UUID], told: Event.Type, at: datetime, detail: str = "", happened_at: datetime | None = None
) -> int:
    """Let a provider's later word settle digests that it had; returns for how many that changed anything.

    A refusal that happened before the digest was submitted is of an earlier attempt, and says nothing of this one.
    """
    if told not in TOLD or not uids:
        return 0
    status, sources = TOLD[told]
    unsent = Q(status__in=Status.unsent() if told in PROOF else [])
    had = Digest.objects.filter(Q(status__in=sources, submitted_at__isnull=False) | unsent, uid__among=uids)
    if status == Status.FAILED:
        of_this = had.filter(submitted_at__lte=(happened_at or at) + CLOCKS)
        return _move(of_this, status, f"the provider refused it later: {detail}", settled_at=at)
    lost = Q(status=Status.FAILED) & ~Exists(DigestPaper.objects.filter(digest=OuterRef("pk")))
    without = [When(unsent, then=Value(TAKEN_FOR_UNSENT)), When(lost, then=Value(SET_FREE))]
    reason = Case(*without, When(reason__in=PAPERLESS, then="reason"), default=Value(""))
    since = Coalesce("submitted_at", "planned_at")  # the earliest that it can have been
    return had.update(status=status, reason=reason, lease_until=None, submitted_at=since, settled_at=at)
