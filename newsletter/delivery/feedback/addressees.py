"""Whom an event of a provider is about: the reader that the mail was for, and the address that it went to.

The two part ways where a reader has another address since, or wishes for one. What happened to an address must affect
that address only, so its keyed hash tells which it was; where the provider names none and the reader's has changed,
nothing tells.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError

from newsletter.models import Digest, Event
from subscribers.addresses import address_hash, clean_address, domain_of
from subscribers.models import Letter, Move, Subscriber
from subscribers.moves import moved_since


@dataclass(frozen=True)
class Addressee:
    """A reader, and the keyed hash of the address that a mail for them went to."""

    subscriber: Subscriber
    address_hash: str

    @property
    def is_there_now(self) -> bool:
        """Whether the reader's mail goes to this address now."""
        return bool(self.subscriber.email) and address_hash(self.subscriber.email or "") == self.address_hash

    @property
    def domain_now(self) -> str:
        """The domain of the address, where the reader's mail goes there now; else empty."""
        return domain_of(str(self.subscriber.email)) if self.is_there_now else ""

    def wish(self) -> Move | None:
        """The reader's wish to get the mail there, if there is one."""
        move = Move.objects.filter(subscriber=self.subscriber).first()
        return move if move and address_hash(move.email) == self.address_hash else None


def recipient_hash(recipient: str) -> str:
    """The hash of an address as a provider writes it; empty where it names none."""
    if not recipient:
        return ""
    try:
        return address_hash(clean_address(recipient))
    except ValidationError:
        return address_hash(recipient.strip())


def addressee_of(event: Event) -> Addressee | None:
    """None where the event is about no mail of ours, or it cannot be known which address it speaks of."""
    mail = mail_of(event)
    if mail is None:
        return None
    known = event.recipient_hash or presumed_hash(mail)
    return Addressee(mail.subscriber, known) if known else None


def mail_of(event: Event) -> Digest | Letter | None:
    """The mail of ours that it speaks of, where we still have it."""
    if event.digest_uid:
        return Digest.objects.select_related("subscriber").filter(uid=event.digest_uid).first()
    if event.letter_uid:
        return Letter.objects.select_related("subscriber").filter(uid=event.letter_uid).first()
    return None


def presumed_hash(mail: Digest | Letter) -> str:
    """Where a mail must have gone; empty where the reader has another address since, or other wishes."""
    if isinstance(mail, Letter) and mail.kind == Letter.Kind.MOVE_TO:
        wish = Move.objects.filter(subscriber=mail.subscriber, asked_at__lte=mail.requested_at).first()
        return address_hash(wish.email) if wish else ""
    if mail.subscriber.email is None or moved_since(mail.subscriber, went_out(mail)):
        return ""
    return address_hash(mail.subscriber.email)


def went_out(mail: Digest | Letter) -> datetime:
    """When a mail was handed over; when it was planned, where that is not known."""
    if isinstance(mail, Digest):
        return mail.submitted_at or mail.planned_at
    return mail.sent_at or mail.requested_at
