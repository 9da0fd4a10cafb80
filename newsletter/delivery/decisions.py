"""What an operator decides about digests: to try the failed ones again, and what became of those in doubt.

The states are the ledger's to change. This finds the digests that a decision is about, chunk by chunk in flat memory,
each chunk with its record in one transaction. The admin keeps its own record; a command hands one in.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet, TextChoices

from newsletter.delivery import ledger
from newsletter.delivery.feedback.reported import untold
from newsletter.models import Digest

CHUNK = 500
Digests = QuerySet[Digest]
Record = Callable[[list[Digest], str, str], None]  # the digests, and their status before and after
Follow = Callable[[int], object]  # how many more were looked at


class Verdict(TextChoices):
    """What an operator has found out, from the provider's own log."""

    ACCEPTED = "accepted", "the provider has it"
    NOT_SENT = "not-sent", "it was not sent"


def no_record(digests: list[Digest], before: str, after: str) -> None:
    """Where somebody else keeps it."""


def nobody_watches(_: int) -> None:
    """Where nobody asks how far it is."""


def failed(digests: Digests) -> Digests:
    return digests.filter(status=Digest.Status.FAILED)


def in_doubt(digests: Digests) -> Digests:
    return digests.filter(status=Digest.Status.IN_DOUBT)


@dataclass(frozen=True)
class Left:
    """How many digests a decision to plan them again leaves as they are."""

    told: int  # a provider has reported that they went out
    late: int  # have expired

    def words(self, hint: str = "") -> str:
        """For an operator, as sentences to follow another; `hint` says what gives time to those that have expired."""
        told = f" Left alone: {self.told:,} (the provider has told that it mailed them)." if self.told else ""
        return told + (f" Left alone: {self.late:,} (expired{hint})." if self.late else "")


def left_alone(digests: Digests, at: datetime, until: datetime | None = None) -> Left:
    """Counted as the decision goes through them; `until` would be their new expiry."""
    told = late = 0
    for chunk in _chunks(digests):
        others = untold(Digest.objects.filter(pk__in=chunk))
        told += len(chunk) - others.count()
        late += 0 if until else others.filter(expires_at__lte=at).count()
    return Left(told, late)


def left_in_doubt(digests: Digests, verdict: Verdict, at: datetime, until: datetime | None = None) -> Left:
    """What `resolve` leaves alone, counted before it or after."""
    return Left(0, 0) if verdict is Verdict.ACCEPTED else left_alone(in_doubt(digests), at, until)


def retry_failed(
    digests: Digests,
    at: datetime,
    until: datetime | None = None,
    *,
    record: Record = no_record,
    follow: Follow = nobody_watches,
) -> int:
    """Plan the failed ones again; those past their expiry only where `until` is a new one. Returns how many."""

    def again(chunk: Digests) -> list[int]:
        return ledger.plan_again(untold(failed(chunk)), ledger.RETRIED, at, until)

    return _decide(failed(digests), again, (Digest.Status.FAILED, Digest.Status.PLANNED), record, follow)


def resolve(  # noqa: PLR0913 - what an operator can say at the command line
    digests: Digests,
    verdict: Verdict,
    at: datetime,
    until: datetime | None = None,
    *,
    record: Record = no_record,
    follow: Follow = nobody_watches,
) -> int:
    """Settle doubts by an operator's word: accepted, or not sent and planned again. Returns how many.

    That a digest was not sent is not believed against a provider's own word: it stays in doubt until that is applied.
    """
    reason = f"an operator decided: {verdict.label}"

    def settle(chunk: Digests) -> list[int]:
        if verdict is Verdict.ACCEPTED:
            return ledger.take_for_accepted(chunk, reason, at)
        return ledger.plan_again(untold(in_doubt(chunk)), reason, at, until)

    status = Digest.Status.ACCEPTED if verdict is Verdict.ACCEPTED else Digest.Status.PLANNED
    return _decide(in_doubt(digests), settle, (Digest.Status.IN_DOUBT, status), record, follow)


def _decide(
    digests: Digests, act: Callable[[Digests], list[int]], way: tuple[str, str], record: Record, follow: Follow
) -> int:
    changed = 0
    for chunk in _chunks(digests):
        with transaction.atomic():
            ids = act(Digest.objects.filter(pk__in=chunk))
            record(list(Digest.objects.filter(pk__in=ids).select_related("edition")), *way)
        changed += len(ids)
        follow(len(chunk))
    return changed


def _chunks(digests: Digests) -> Iterator[list[int]]:
    """Primary keys, in order: what a chunk leaves as it was is not met again."""
    last = 0
    ids = digests.order_by("pk").values_list("pk", flat=True)
    while chunk := list(ids.filter(pk__gt=last)[:CHUNK]):
        yield chunk
        last = chunk[-1]
