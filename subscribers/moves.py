"""Getting the mail at another address: both addresses have to agree, each by a letter with a button.

The old one, because a preferences link may have been passed on; the new one, because it is to be mailed.
Whether the new address may be mailed at all is nobody's business: the page says the same for each.
"""

import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.translation import gettext

from subscribers.letters import owe
from subscribers.models import Consent, Letter, Move, Subscriber, Suppression

# A reader names one address a day, and an address is named to by one reader a day.
EVERY = timedelta(days=1)
SIDES = {"old": "old_agreed_at", "new": "new_agreed_at"}


@transaction.atomic
def ask(subscriber: Subscriber, email: str, at: datetime) -> bool:
    """Ask both addresses; False where this reader has named an address within the last day."""
    Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if Move.objects.filter(subscriber=subscriber, asked_at__gt=at - EVERY).exists():
        return False
    may_be_asked = not named_lately(email, at) and why_not_there(subscriber, email) is None
    fresh = {"uid": uuid.uuid4(), "email": email, "asked_at": at, "old_agreed_at": None, "new_agreed_at": None}
    Move.objects.update_or_create(subscriber=subscriber, defaults=fresh)
    owe(subscriber, Letter.Kind.MOVE_FROM, at)
    if may_be_asked:
        owe(subscriber, Letter.Kind.MOVE_TO, at)
    return True


def named_lately(email: str, at: datetime) -> bool:
    """Whether anybody has named this address as theirs within the last day."""
    return Move.objects.filter(email=email, asked_at__gt=at - EVERY).exists()


def why_not_there(subscriber: Subscriber, email: str) -> str | None:
    """Why this reader cannot have the mail at that address, in words; None where they can."""
    if reason := Suppression.objects.of(email).get(email):
        return f"suppressed: {reason}"
    if Subscriber.objects.filter(email=email).exclude(pk=subscriber.pk).exists():
        return "the address has a subscription of its own"
    return None


@transaction.atomic
def agree(move: Move, side: str, at: datetime, network: str = "") -> bool:
    """One address agrees; True where both now have, and the mail goes to the new one."""
    Move.objects.filter(pk=move.pk, **{SIDES[side]: None}).update(**{SIDES[side]: at})
    agreed = Move.objects.select_for_update().filter(pk=move.pk).exclude(old_agreed_at=None).exclude(new_agreed_at=None)
    return agreed.exists() and carry_out(move, at, network)


def carry_out(move: Move, at: datetime, network: str) -> bool:
    """Change the address; False where the reader has left, or the new address cannot be theirs any more."""
    subscriber = move.subscriber
    there = Subscriber.objects.filter(pk=subscriber.pk, status__in=Subscriber.Status.subscribed())
    if why_not_there(subscriber, move.email):
        return False
    try:
        with transaction.atomic():
            # A new uid: links that went to the old address change nothing any more. They still end the mail.
            moved = there.update(email=move.email, uid=uuid.uuid4(), version=F("version") + 1)
    except IntegrityError:
        return False  # somebody signed up with it at this moment
    if not moved:
        return False
    move.delete()
    Consent.objects.create(
        subscriber=subscriber,
        action=Consent.Action.CHANGED,
        words=gettext("Mail me at another address"),
        page="address",
        network=network,
        at=at,
    )
    return True
