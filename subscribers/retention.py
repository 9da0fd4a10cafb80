"""Forgetting what need not be kept any longer, once a day. How long is said in one place: the KEEP_ settings."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.conf import settings
from django.db.models import QuerySet

from subscribers import signup
from subscribers.models import (
    Consent,
    Former,
    IdempotencyKey,
    Import,
    ImportPart,
    ImportReport,
    Letter,
    Move,
    Subscriber,
    SubscriptionRequest,
    Tally,
    Unanswered,
)
from subscribers.signals import forgetting

CHUNK = 500  # rows per statement: short locks


def forget(at: datetime) -> dict[str, int]:
    """Forget in all tables, other apps' too; returns how many rows of which. Again the same moment, it finds none."""
    counts = {
        "unconfirmed": signup.forget_unconfirmed(at),
        "networks": sum(
            Consent.objects.filter(pk__in=chunk).update(network="")
            for chunk in chunks(Consent.objects.filter(at__lt=at - settings.KEEP_NETWORKS).exclude(network=""))
        ),
        "letters": delete(
            Letter.objects.filter(requested_at__lt=at - settings.KEEP_LETTERS).exclude(
                status__in=Letter.Status.unsettled()
            )
        ),
        "unanswered": delete(Unanswered.objects.outdated(at)),
        "former states": delete(Former.objects.filter(at__lt=at - settings.KEEP_FORMER)),
        "idempotency keys": delete(IdempotencyKey.objects.outdated(at)),
        "requests": delete(SubscriptionRequest.objects.filter(at__lt=at - settings.KEEP_UNCONFIRMED)),
        "tallies": delete(Tally.objects.filter(until__lt=at)),
        **forget_imports(at - settings.KEEP_IMPORTS),
        "moves": delete(Move.objects.filter(asked_at__lt=at - settings.KEEP_MOVE)),
    }
    parts: list[tuple[Any, Any]] = forgetting.send(sender=Subscriber, at=at)
    for _, more in parts:
        counts |= more
    return counts


def forget_imports(before: datetime) -> dict[str, int]:
    """Take away what names people; that there was an import, and how many it brought, stays."""
    old = Import.objects.filter(moved_at__lt=before)
    gone = {"status": Import.Status.CANCELLED, "fault": "nobody confirmed it in time"}
    return {
        "abandoned imports": old.exclude(status__in=Import.Status.ended()).update(**gone),
        "parts of imports": delete(ImportPart.objects.filter(import_of__in=old)),
        "reports of imports": delete(ImportReport.objects.filter(import_of__in=old)),
    }


def delete(rows: QuerySet[Any], *, in_order: bool = True) -> int:
    """Delete rows and what hangs on them, chunk by chunk; returns how many of these rows. Without an order where they
    are a million: to sort them for each chunk would be most of the work.
    """
    deleted = 0
    for chunk in chunks(rows, in_order=in_order):
        rows.model._default_manager.filter(pk__in=chunk).delete()
        deleted += len(chunk)
    return deleted


def chunks(rows: QuerySet[Any], *, in_order: bool = True) -> Iterator[list[int]]:
    """Primary keys, until no row is left that fits; whoever takes them must see to that."""
    rows = rows.order_by(*["pk"] if in_order else [])
    while chunk := list(rows.values_list("pk", flat=True)[:CHUNK]):
        yield chunk
