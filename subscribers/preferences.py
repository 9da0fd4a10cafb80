"""Changing what one gets, and asking for the link that allows it."""

from datetime import datetime

from django.db import transaction

from subscribers.letters import owe
from subscribers.models import Consent, Letter, Subscriber
from subscribers.wishes import Wishes


@transaction.atomic
def change(subscriber: Subscriber, wishes: Wishes, at: datetime, network: str = "") -> bool:
    """Take over new wishes; False where the person is not subscribed any more.

    A new rhythm counts from now; the first digest after confirming stays where it was promised.
    """
    changes: dict[str, object] = {**wishes.columns()}
    is_active = subscriber.status == Subscriber.Status.ACTIVE
    if is_active and wishes.schedule != subscriber.schedule and not subscriber.awaits_first_digest:
        changes["next_digest_at"] = wishes.schedule.next_after(at)
    as_read = Subscriber.objects.filter(pk=subscriber.pk, status=subscriber.status)
    if not as_read.filter(status__in=Subscriber.Status.subscribed()).update(**changes):
        return False
    subscriber.topics.set(wishes.topics)
    Consent.objects.create(
        subscriber=subscriber,
        action=Consent.Action.CHANGED,
        words=f"{wishes.schedule}: {', '.join(topic.name for topic in wishes.topics)}",
        page="preferences",
        network=network,
        at=at,
    )
    return True


def ask_for_link(email: str, at: datetime) -> None:
    """Owe the link to whoever is subscribed, the confirmation to whoever still has to confirm."""
    subscriber = Subscriber.objects.filter(email=email).first()
    if subscriber is None:
        return
    if subscriber.status in Subscriber.Status.subscribed():
        owe(subscriber, Letter.Kind.PREFERENCES, at)
    elif subscriber.status == Subscriber.Status.PENDING:
        owe(subscriber, Letter.Kind.CONFIRMATION, at)
