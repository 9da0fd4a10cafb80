"""What providers have told of digests, whether it has been applied or not.

An event that came with our metadata names its digest. Another one (of MailerSend, Postal, a relay) has nothing but a
name of the message until it is applied: the provider's own, or our Message-ID (events.find_mail).
"""

from itertools import chain
from operator import attrgetter
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet, Value
from django.db.models.functions import Lower, Replace, Substr

from newsletter.models import Digest, Event

WENT_OUT = [Event.Type.SENT, Event.Type.DELIVERED, Event.Type.BOUNCED, Event.Type.COMPLAINED]
UID_LENGTH = 36  # as it stands in a Message-ID


def untold(digests: QuerySet[Digest]) -> QuerySet[Digest]:
    """Those of a chunk of digests of which no provider has reported that they went out.

    By their values, not by a join: no planner knows how few events wait, and it might go through them for each digest.
    """
    rows = list(digests.values_list("pk", "uid", "provider_id"))
    names = {pk: names_of(uid, provider_id) for pk, uid, provider_id in rows}
    events = Event.objects.filter(type__in=WENT_OUT, digest_uid__in=[uid for _, uid, _ in rows])
    told = {uid.hex for uid in events.values_list("digest_uid", flat=True) if uid}
    told |= set(chain(*unapplied(*names.values()).filter(type__in=WENT_OUT).values_list("message_id", "own")))
    return digests.exclude(pk__in=[pk for pk, name in names.items() if name & told])


def events_of(digest: Digest) -> list[Event]:
    """All that was told of a digest, in the order in which it happened."""
    named = Event.objects.filter(digest_uid=digest.uid)
    return sorted([*named, *unapplied(names_of(digest.uid, digest.provider_id))], key=attrgetter("happened_at"))


def names_of(uid: UUID, provider_id: str) -> set[str]:
    """What an event may call its message by."""
    return {uid.hex, provider_id or uid.hex}


def unapplied(*names: set[str]) -> QuerySet[Any]:
    """Events that wait and have only a name of their message, which is one of these: a provider's, or a uid in hex."""
    waiting = Event.objects.filter(applied_at=None, digest_uid=None, letter_uid=None).exclude(message_id="")
    local_part = Substr(Replace("message_id", Value("<")), 1, UID_LENGTH)
    known = set().union(*names)
    return waiting.annotate(own=Lower(Replace(local_part, Value("-")))).filter(
        Q(message_id__in=known) | Q(own__in=known)
    )
