"""What an operator decides by hand: that an address is never mailed, or may be again.

A subscription under a suppressed address keeps its status: the gate refuses each mail, and the admin shows why.
"""

from dataclasses import dataclass
from datetime import datetime

from django.core.exceptions import ValidationError
from django.db import transaction

from subscribers.addresses import clean_address
from subscribers.models import Subscriber, Suppression

Status = Subscriber.Status
LONGEST_WORDS = 300


@dataclass(frozen=True)
class Standing:
    """What is known of an address: why it is suppressed ("" where it is not), all rows about it, its subscription."""

    email: str
    reason: str
    rows: tuple[Suppression, ...]
    subscriber: Subscriber | None


def standing(address: str) -> Standing:
    """Look an address up, however it is written. Raises ValidationError where it is none."""
    email = clean_address(address)
    return Standing(
        email=email,
        reason=Suppression.objects.of(email).get(email, ""),
        rows=tuple(Suppression.objects.about(email)),
        subscriber=Subscriber.objects.filter(email=email).first(),
    )


def suppress(address: str, words: str, by: str) -> bool:
    """Never mail an address again; False where that is so already.

    Raises ValidationError where it is no address, or no reason is given.
    """
    return Suppression.objects.add(clean_address(address), Suppression.Reason.OPERATOR, reason_of(words), by)


@transaction.atomic
def lift(address: str, words: str, by: str, at: datetime) -> bool:
    """Let an address be mailed again; False where nothing suppresses it.

    It revives nobody: who bounced or complained becomes unsubscribed, and may ask and confirm like everybody else.
    Raises ValidationError where it is no address, or no reason is given.
    """
    email, reason = clean_address(address), reason_of(words)
    if not Suppression.objects.lift(email, reason, by):
        return False
    gone = Subscriber.objects.filter(email=email, status__in=[Status.BOUNCED, Status.COMPLAINED])
    gone.update(status=Status.UNSUBSCRIBED, status_changed_at=at)
    return True


def reason_of(words: str) -> str:
    """Raises ValidationError where there is none, or too many."""
    reason = " ".join(words.split())
    if not reason or not reason.isprintable():
        raise ValidationError("Say why, for whoever asks later.", code="words")
    if len(reason) > LONGEST_WORDS:
        raise ValidationError(f"Say it in {LONGEST_WORDS} characters.", code="words")
    return reason
