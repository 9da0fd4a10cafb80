"""What providers tell us later: stored once, applied later, in any order and any number of times."""

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from anymail.signals import AnymailTrackingEvent
from django.db import transaction
from django.utils import timezone

from newsletter.delivery.addressees import Addressee, addressee_of, recipient_hash
from newsletter.models import Digest, Event
from subscribers.models import Subscriber, Suppression

BATCH = 500
Status = Digest.Status

TYPES = {
    "delivered": Event.Type.DELIVERED,
    "bounced": Event.Type.BOUNCED,
    "deferred": Event.Type.DEFERRED,
    "complained": Event.Type.COMPLAINED,
    "rejected": Event.Type.REJECTED,
    "unsubscribed": Event.Type.UNSUBSCRIBED,
}
# What an event makes of a digest, and of which states. Later knowledge only ever adds: a complaint
# stands over a bounce, a bounce over a delivery, whatever order they come in.
MAKES = {
    Event.Type.DELIVERED: (Status.DELIVERED, [Status.SUBMITTING, Status.ACCEPTED, Status.IN_DOUBT]),
    Event.Type.BOUNCED: (
        Status.BOUNCED,
        [Status.SUBMITTING, Status.ACCEPTED, Status.IN_DOUBT, Status.DELIVERED],
    ),
    Event.Type.COMPLAINED: (
        Status.COMPLAINED,
        [Status.SUBMITTING, Status.ACCEPTED, Status.IN_DOUBT, Status.DELIVERED, Status.BOUNCED],
    ),
}
LEAVES = {
    Event.Type.BOUNCED: (Subscriber.Status.BOUNCED, Suppression.Reason.BOUNCED),
    Event.Type.COMPLAINED: (Subscriber.Status.COMPLAINED, Suppression.Reason.COMPLAINED),
}


def store(event: AnymailTrackingEvent, provider: str) -> None:
    """Keep an event as it came. The same event again changes nothing."""
    metadata = event.metadata or {}
    happened = event.timestamp or timezone.now()
    # Some providers name no event: then the message, the type and the time are its identity.
    key = event.event_id or f"{event.message_id}:{event.event_type}:{happened.isoformat()}"
    Event.objects.bulk_create(
        [
            Event(
                provider=provider[:40],
                key=key[:255],
                type=TYPES.get(event.event_type, Event.Type.OTHER),
                digest_uid=uid_in(metadata, "digest"),
                letter_uid=uid_in(metadata, "letter"),
                recipient_hash=recipient_hash(event.recipient or ""),
                detail=(event.reject_reason or "")[:300],
                happened_at=happened,
            )
        ],
        ignore_conflicts=True,
    )


def apply_stored(at: datetime, size: int = BATCH) -> int:
    """Apply stored events that speak of a mail of ours; returns how many. Others are kept as read."""
    waiting = list(Event.objects.filter(applied_at=None).order_by("received_at")[:size])
    for event in waiting:
        apply(event, at)
    return len(waiting)


@transaction.atomic
def apply(event: Event, at: datetime) -> None:
    """Let one event change its digest and what we mail to its address; twice is the same as once."""
    if event.digest_uid and event.type in MAKES:
        status, sources = MAKES[Event.Type(event.type)]
        digests = Digest.objects.filter(uid=event.digest_uid, status__in=sources)
        digests.update(status=status, lease_until=None, settled_at=at, reason="")
    if event.type in LEAVES and (addressee := addressee_of(event)):
        drop(addressee, *LEAVES[Event.Type(event.type)], at)
    Event.objects.filter(pk=event.pk, applied_at=None).update(applied_at=at, recipient_hash="")


def drop(addressee: Addressee, status: str, reason: str, at: datetime) -> None:
    """Never mail this address again: not the reader whose it is, nor one who wishes to move to it."""
    Suppression.objects.add_hash(addressee.address_hash, reason)
    if addressee.is_there_now:
        reader = addressee.subscriber
        theirs = Subscriber.objects.filter(pk=reader.pk, email=reader.email)
        theirs.exclude(status__in=[status, Subscriber.Status.COMPLAINED]).update(
            status=status, next_digest_at=None, status_changed_at=at
        )
    elif wish := addressee.wish():
        wish.delete()


def uid_in(metadata: Mapping[str, object], name: str) -> UUID | None:
    try:
        return UUID(str(metadata[name]))
    except (KeyError, ValueError):
        return None
