"""What an operator decides about digests: to try the failed ones again, and what became of those in doubt.

The states are the ledger's to change. Here is which digests a decision is about, chunk by chunk in flat memory, each
chunk with its record in one transaction. The admin keeps its own record; a command hands one in.
"""

from collections.abc import Callable, Iterator
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet, TextChoices

from newsletter.delivery import ledger
from newsletter.models import Digest, Event

CHUNK = 500
RETRIED = "an operator has it tried again"
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


def untold(digests: Digests) -> Digests:
    """Those of which no provider has told that they went out, though it may not have been heard yet; where events come
    without our metadata (MailerSend, Postal), only what was heard.
    """
    sent = [Event.Type.SENT, Event.Type.DELIVERED, Event.Type.BOUNCED, Event.Type.COMPLAINED]
    return digests.filter(~Exists(Event.objects.filter(digest_uid=OuterRef("uid"), type__in=sent)))


def surely_unsent(digests: Digests) -> Digests:
    """The failed ones of which no provider has told anything else."""
    return untold(digests.filter(status=Digest.Status.FAILED))


def in_time(digests: Digests, at: datetime) -> Digests:
    """Those that are still welcome."""
    return digests.filter(expires_at__gt=at)


def in_doubt(digests: Digests) -> Digests:
    return digests.filter(status=Digest.Status.IN_DOUBT)


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
        return ledger.plan_again(surely_unsent(chunk), RETRIED, at, until)

    return _decide(surely_unsent(digests), again, (Digest.Status.FAILED, Digest.Status.PLANNED), record, follow)


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

    That one was not sent is not believed against a provider's own word: it stays until that is heard.
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
