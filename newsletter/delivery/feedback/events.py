"""What providers tell us later: stored once, applied later, in any order and any number of times."""

import json
import logging
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from itertools import groupby
from uuid import UUID

from anymail.signals import AnymailTrackingEvent
from django.conf import settings
from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone

from newsletter.delivery import ledger, stopping
from newsletter.delivery.feedback import bounces, bulk
from newsletter.delivery.feedback.addressees import Addressee, addressee_of, recipient_hash
from newsletter.delivery.wire.outcomes import printable
from newsletter.models import Digest, Edition, Event
from subscribers import leaving
from subscribers.addresses import address_hash, domain_of
from subscribers.models import Letter, Subscriber, Suppression

log = logging.getLogger(__name__)

BATCH = 500
LONG_AGO, AHEAD = timedelta(days=3650), timedelta(days=1)  # between these a provider's time can be true
MAX_ATTEMPTS = 8  # to find whose mail it is: with pauses that double, about four hours

TYPES = {
    "queued": Event.Type.SENT,
    "sent": Event.Type.SENT,
    "delivered": Event.Type.DELIVERED,
    "bounced": Event.Type.BOUNCED,
    "deferred": Event.Type.DEFERRED,
    "complained": Event.Type.COMPLAINED,
    "rejected": Event.Type.REJECTED,
    "failed": Event.Type.FAILED,
    "unsubscribed": Event.Type.UNSUBSCRIBED,
}
BOUNCED = (Subscriber.Status.BOUNCED, Suppression.Reason.BOUNCED)
REFUSALS = {Event.Type.REJECTED, Event.Type.FAILED}
COMPLAINED = (Subscriber.Status.COMPLAINED, Suppression.Reason.COMPLAINED)


def store(event: AnymailTrackingEvent, provider: str) -> None:
    """Keep an event as it came. The same event again changes nothing."""
    metadata = event.metadata or {}
    happened = likely(event.timestamp)
    kind = TYPES.get(event.event_type, Event.Type.OTHER)
    hard = kind == Event.Type.BOUNCED and bounces.is_hard(provider, event.esp_event)
    if provider == "Postal" and kind == Event.Type.FAILED:  # the reader's server refused it: a hard bounce
        kind, hard = Event.Type.BOUNCED, True
    Event.objects.bulk_create(
        [
            Event(
                provider=provider[:40],
                key=printable(key_of(event, happened))[:255],
                type=kind,
                digest_uid=uid_in(metadata, "digest"),
                letter_uid=uid_in(metadata, "letter"),
                message_id=printable(own_id(event) or str(event.message_id or ""))[:255],
                hard=hard or (kind == Event.Type.REJECTED and event.reject_reason in {"invalid", "bounced"}),
                recipient_hash=recipient_hash(printable(str(event.recipient or ""))),
                detail=printable(str(event.reject_reason or ""))[:300],
                happened_at=happened,
            )
        ],
        ignore_conflicts=True,
    )


def likely(at: datetime | None) -> datetime:
    """When it happened, as a provider says; now, where it says nothing, or what cannot be: PostgreSQL takes years that
    Python cannot read.
    """
    now = timezone.now()
    if at and timezone.is_naive(at):
        at = timezone.make_aware(at, UTC)
    return at if at and now - LONG_AGO < at < now + AHEAD else now


def key_of(event: AnymailTrackingEvent, happened: datetime) -> str:
    """What an event is known by. Where the provider names none, the message, the type and the time are that."""
    named: object = event.event_id
    if isinstance(event.esp_event, Mapping) and "event-data" in event.esp_event:
        # Mailgun's own is unique within a day; anymail takes the signature's token, new for each delivery.
        named = event.esp_event["event-data"].get("id") and f"{event.esp_event['event-data']['id']}:{happened:%Y-%m-%d}"
    return str(named or f"{event.message_id}:{event.event_type}:{happened.isoformat()}")


def apply_stored(at: datetime, size: int = BATCH) -> int:
    """Apply stored events that are due, up to `size`; returns how many that were. Events about no mail of ours are
    marked as applied in the end.

    The mail of an event that is not known yet is looked for again later: the event may have come before our own commit.
    """
    due = Q(not_before=None) | Q(not_before__lte=at)
    waiting = list(Event.objects.filter(due, applied_at=None).order_by("received_at")[:size])
    harmed = set()
    for event in one_by_one(waiting, at):
        try:
            harmed |= apply(event, at)
        except Exception:
            log.exception("event %s cannot be applied", event.pk)
            postpone(event, at)
    stopping.judge(harmed)
    return len(waiting)


def one_by_one(waiting: Iterable[Event], at: datetime) -> Iterator[Event]:
    """Those that cannot be applied together; the others are applied when their turn comes."""
    for is_plain, in_a_row in groupby(waiting, bulk.is_plain):
        some = list(in_a_row)
        yield from bulk.apply(some, at) if is_plain else some


@transaction.atomic
def apply(event: Event, at: datetime) -> set[int]:
    """Let one event change its digest and what we mail to its address; twice is the same as once.

    Returns the edition that it speaks against, if any.
    """
    find_mail(event)
    if is_too_early(event) and event.attempts < MAX_ATTEMPTS:
        postpone(event, at)
        return set()
    if not Event.objects.filter(pk=event.pk, applied_at=None).update(
        applied_at=at, recipient_hash="", digest_uid=event.digest_uid, letter_uid=event.letter_uid
    ):
        return set()
    harmed = learn(event, event.digest_uid, at) if event.digest_uid else set()
    if addressee := addressee_of(event):
        act(event, addressee, at)
    return harmed


def find_mail(event: Event) -> None:
    """Find the mail it speaks of by its Message-ID, where no metadata came."""
    if event.type in bulk.IDLE or event.digest_uid or event.letter_uid or not event.message_id:
        return
    uid = uid_in({"own": event.message_id.strip("<>").partition("@")[0]}, "own")
    if uid and Letter.objects.filter(uid=uid).exists():
        event.letter_uid = uid
    else:
        found = Q(uid=uid) if uid else Q(provider_id=event.message_id) & Digest.provider_ids()
        event.digest_uid = Digest.objects.filter(found).values_list("uid", flat=True).first()


def is_too_early(event: Event) -> bool:
    """Whether the mail it speaks of is still to be written down."""
    if event.type in bulk.IDLE or event.letter_uid or not (event.digest_uid or event.message_id):
        return False
    if event.digest_uid is None:
        return True
    status = Digest.objects.filter(uid=event.digest_uid).values_list("status", flat=True).first()
    # After a lost commit the row still says unsent: its worker will tell more, or the provider.
    return status is None or (status in ledger.PUT_BACK and told_by(event) not in ledger.PROOF)


def postpone(event: Event, at: datetime) -> None:
    """Try it again, after a pause that doubles each time; one that fails by our own fault is tried for as long."""
    later = at + timedelta(minutes=2 ** min(event.attempts, MAX_ATTEMPTS))
    changes = {"attempts": F("attempts") + 1, "not_before": later}
    if event.attempts > MAX_ATTEMPTS:
        changes = {"applied_at": at}
    Event.objects.filter(pk=event.pk, applied_at=None, attempts=event.attempts).update(**changes)


def learn(event: Event, uid: UUID, at: datetime) -> set[int]:
    """Note what it tells of the digest; returns the edition, where that speaks against it."""
    kind = told_by(event)
    if kind in REFUSALS and is_of_an_attempt_before(event, uid):
        return set()
    if not ledger.learn([uid], kind, at, event.detail, event.happened_at):
        return set()
    column = {Event.Type.BOUNCED: "bounced", Event.Type.COMPLAINED: "complained"}.get(kind)
    if column is None:
        return set()
    editions = Edition.objects.filter(digests__uid=uid)
    editions.update(**{column: F(column) + 1})
    return set(editions.values_list("pk", flat=True))


def is_of_an_attempt_before(event: Event, uid: UUID) -> bool:
    """Whether the event is about an earlier attempt: the digest was tried again, and has another message at the
    provider now (whose id is the same in answers and events, https://anymail.dev/en/stable/sending/tracking/).
    """
    if not event.message_id or event.message_id.startswith("<"):  # our own, which all attempts have
        return False
    before = Digest.objects.filter(Digest.provider_ids(), uid=uid, attempts__gt=1)
    row = before.values_list("status", "provider_id").first()
    # Of one that is open the row has the message of the attempt before.
    return row is not None and (row[0] in ledger.OPEN) == (row[1] == event.message_id)


def told_by(event: Event) -> Event.Type:
    """What it says of the digest: a soft bounce means that it had been sent."""
    is_soft = event.type == Event.Type.BOUNCED and not event.hard
    return Event.Type.SENT if is_soft else Event.Type(event.type)


def act(event: Event, addressee: Addressee, at: datetime) -> None:
    """Do what it means for our mail to the address."""
    if event.type == Event.Type.DELIVERED:
        bounces.clear([addressee], at)
    elif event.type == Event.Type.COMPLAINED:
        drop(addressee, *COMPLAINED, at)
    elif event.type == Event.Type.UNSUBSCRIBED and addressee.is_there_now:
        leaving.leave(addressee.subscriber, at, "provider", goodbye=False)
    elif is_hard(event) or (event.type == Event.Type.BOUNCED and bounces.count_soft(addressee.address_hash, at)):
        is_domains = event.digest_uid is not None and bounces.count_hard(addressee.domain_now, at)
        if not is_domains:
            drop(addressee, *BOUNCED, at)


def is_hard(event: Event) -> bool:
    """Whether the address takes no mail. A provider's refusal can say so too."""
    return event.hard and event.type in {Event.Type.BOUNCED, Event.Type.REJECTED}


def no_such_mailboxes(digests: Iterable[Digest], at: datetime) -> None:
    """The provider has said of these at once that there is no such mailbox. So many times in a row drop a reader.

    Nobody is dropped where it takes nobody's mail to the domain, which has a fault of its own then, and weeks to mend
    it. Nor is that held: the next answer tells, and mail to a reader who is rarely mailed may be the one that is
    accepted.
    """
    # Once for readers who were refused together.
    takes_nobody, is_dead = cache(bounces.takes_nobody), cache(bounces.is_dead)
    for digest in digests:
        addressee = Addressee(digest.subscriber, address_hash(str(digest.subscriber.email)))
        had = Digest.objects.filter(subscriber=digest.subscriber_id, status__in=bounces.TAKEN)
        last = had.order_by("-planned_at").first()
        with transaction.atomic():
            is_gone = bounces.count_refused(addressee.address_hash, at, last.submitted_at if last else None)
        domain = addressee.domain_now
        if is_gone and (not takes_nobody(domain, first_refusal(digest, last, at), at) or is_dead(domain, at)):
            with transaction.atomic():
                drop(addressee, *BOUNCED, at)


def first_refusal(digest: Digest, last: Digest | None, at: datetime) -> datetime:
    """Since when its reader's mailbox has been refused, after the last mail that was accepted; a day at least, and in
    whole `MOMENTS`.
    """
    failed = Digest.objects.filter(subscriber=digest.subscriber_id, status=Digest.Status.FAILED, settled_at__lte=at)
    failed = failed.filter(planned_at__gt=last.planned_at) if last else failed
    counted = failed.order_by("-planned_at").values_list("settled_at", flat=True)[: math.ceil(settings.SOFT_BOUNCES)]
    first = min([at - settings.DOMAIN_HOLD, *filter(None, counted)])
    seconds = bounces.MOMENTS.total_seconds()
    return datetime.fromtimestamp(first.timestamp() // seconds * seconds, UTC)


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


def own_id(event: AnymailTrackingEvent) -> str:
    """Our own Message-ID, wherever the provider repeats it; empty where it does not."""
    told = f"{event.message_id} {json.dumps(event.esp_event, default=str)}"
    ours = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}@" + re.escape(domain_of(settings.MAIL_FROM)), told)
    return f"<{ours[0]}>" if ours else ""


def uid_in(metadata: Mapping[str, object], name: str) -> UUID | None:
    try:
        return UUID(str(metadata[name]))
    except (KeyError, ValueError):
        return None
