"""Many arrivals at once: what providers tell of nearly every mail, in a few statements for hundreds of events.

One by one they would cost seven statements and a commit each, and providers would report faster than reports are
applied.
"""

import logging
from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from newsletter.delivery import ledger
from newsletter.delivery.feedback import bounces
from newsletter.delivery.feedback.addressees import Addressee
from newsletter.models import Digest, Event

log = logging.getLogger(__name__)

IDLE = {Event.Type.OTHER, Event.Type.DEFERRED}  # nothing comes of them
GOOD = [Event.Type.SENT, Event.Type.DELIVERED]


def is_plain(event: Event) -> bool:
    """Whether it can be applied with others: it speaks against nobody, and says itself which mail went to whom."""
    return event.type in IDLE or (event.type in GOOD and bool(event.digest_uid and event.recipient_hash))


def apply(told: Sequence[Event], at: datetime) -> Sequence[Event]:
    """Apply these plain events together; returns those that must be applied one by one."""
    try:
        return _apply(told, at)
    except Exception:
        log.exception("%d events cannot be applied together", len(told))
        return told


@transaction.atomic
def _apply(told: Sequence[Event], at: datetime) -> Sequence[Event]:
    """Nothing that somebody else has locked is waited for. Another process is applying locked events; a worker is
    writing down its answers about locked digests, in an order of its own, and the two might wait for each other.
    """
    free = Event.objects.filter(pk__among=[event.pk for event in told], applied_at=None)
    mine = set(free.select_for_update(skip_locked=True).order_by().values_list("pk", flat=True))
    told = [event for event in told if event.pk in mine]
    theirs = Digest.objects.filter(uid__among={event.digest_uid for event in told if event.type in GOOD})
    theirs = theirs.exclude(status__in=ledger.PUT_BACK).select_related("subscriber").order_by()
    mails = {mail.uid: mail for mail in theirs.select_for_update(skip_locked=True, of=("self",))}
    clear = [event for event in told if event.type in IDLE or event.digest_uid in mails]
    for kind in GOOD:
        ledger.learn([event.digest_uid for event in clear if event.type == kind if event.digest_uid], kind, at)
    arrived = [
        Addressee(mails[event.digest_uid].subscriber, event.recipient_hash)
        for event in clear
        if event.type == Event.Type.DELIVERED and event.digest_uid
    ]
    bounces.clear(arrived, at)
    applied = {event.pk for event in clear}
    Event.objects.filter(pk__among=applied).update(applied_at=at, recipient_hash="")
    return [event for event in told if event.pk not in applied]
