"""Getting the mail at another address: both addresses have to agree, each by a letter with a button.

The old one, because a preferences link may have been passed on; the new one, because it is to be mailed.
Whether the new address may be mailed at all is nobody's business: the page says the same for each, and leaves it
to a task to look (subscribers/requests.py).
"""

import uuid
from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q
from django.utils.translation import gettext

from subscribers.letters import owe
from subscribers.models import Consent, Letter, Move, Subscriber, Suppression
from subscribers.undoing import MOVED, remember

# A reader names one address a day, and an address is named to by one reader a day.
EVERY = timedelta(days=1)
SIDES = {"old": "old_agreed_at", "new": "new_agreed_at"}


@transaction.atomic
def ask(subscriber: Subscriber, email: str, at: datetime) -> Move | None:
    """Ask the old address; None where this reader has named an address within the last day.

    The new one is asked by ask_new, later.
    """
    Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if Move.objects.filter(subscriber=subscriber, asked_at__gt=at - EVERY).exists():
        return None
    fresh = {"uid": uuid.uuid4(), "email": email, "asked_at": at, "old_agreed_at": None, "new_agreed_at": None}
    move, _ = Move.objects.update_or_create(subscriber=subscriber, defaults=fresh)
    owe(subscriber, Letter.Kind.MOVE_FROM, at)
    return move


def ask_new(email: str, uid: str, at: datetime) -> Letter | None:
    """Ask the new address of this move, if it may be asked; returns the letter, if one is owed by this."""
    move = Move.objects.select_related("subscriber").filter(uid=uid, email=email).first()
    if move is None or named_before(move) or why_not_there(move.subscriber, email):
        return None
    return owe(move.subscriber, Letter.Kind.MOVE_TO, at)


def named_before(move: Move) -> bool:
    """Whether another reader has named this address as theirs within the day before."""
    earlier = Q(asked_at__lt=move.asked_at) | Q(asked_at=move.asked_at, pk__lt=move.pk)
    others = Move.objects.filter(earlier, email=move.email, asked_at__gt=move.asked_at - EVERY)
    return others.exclude(pk=move.pk).exists()


def why_not_there(subscriber: Subscriber, email: str) -> str | None:
    """Why this reader cannot have the mail at that address, in words; None where they can."""
    if reason := Suppression.objects.of(email).get(email):
        return f"suppressed: {reason}"
    if Subscriber.objects.filter(email=email).exclude(pk=subscriber.pk).exists():
        return "the address has a subscription of its own"
    return None


def moved_since(subscriber: Subscriber, at: datetime) -> bool:
    """Whether the reader's mail goes to another address than it did then."""
    return Consent.objects.filter(subscriber=subscriber, page=MOVED, at__gte=at).exists()


@transaction.atomic
def agree(move: Move, side: str, at: datetime, network: str = "") -> bool:
    """One address agrees; True where both now have, and the mail goes to the new one."""
    Move.objects.filter(pk=move.pk, **{SIDES[side]: None}).update(**{SIDES[side]: at})
    agreed = Move.objects.select_for_update().filter(pk=move.pk).exclude(old_agreed_at=None).exclude(new_agreed_at=None)
    return agreed.exists() and carry_out(move, at, network)


def carry_out(move: Move, at: datetime, network: str) -> bool:
    """Change the address; False where the reader has left, or the new address cannot be theirs any more."""
    subscriber = Subscriber.objects.select_for_update().get(pk=move.subscriber.pk)
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
    remember(subscriber, at, has_moved=True)
    move.delete()
    Consent.objects.create(
        subscriber=subscriber,
        action=Consent.Action.CHANGED,
        words=gettext("Mail me at another address"),
        page=MOVED,
        network=network,
        at=at,
    )
    return True
