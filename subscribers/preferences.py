"""Changing what one gets, and asking for the link that allows it."""

from datetime import datetime

from django.db import transaction
from django.db.models import F

from subscribers.letters import owe
from subscribers.models import Consent, Letter, Subscriber
from subscribers.signup import resend_confirmation
from subscribers.undoing import remember
from subscribers.wishes import Tastes, Wishes


@transaction.atomic
def change(
    subscriber: Subscriber, wishes: Wishes, at: datetime, network: str = "", tastes: Tastes | None = None
) -> bool:
    """Take over new wishes, and tastes where they are given.

    False where the person is not subscribed any more, or something else was changed since `subscriber` was read.
    A new rhythm counts from now; the first digest after confirming stays where it was promised.
    """
    changes: dict[str, object] = {**wishes.columns(), "version": F("version") + 1}
    is_active = subscriber.status == Subscriber.Status.ACTIVE
    if is_active and wishes.schedule != subscriber.schedule and not subscriber.awaits_first_digest:
        changes["next_digest_at"] = wishes.schedule.next_after(at)
    if tastes:
        changes["rising"] = tastes.rising
    as_read = Subscriber.objects.filter(pk=subscriber.pk, status=subscriber.status, version=subscriber.version)
    if not as_read.filter(status__in=Subscriber.Status.subscribed()).update(**changes):
        return False
    remember(subscriber, at)
    if tastes:
        tastes.write(subscriber)
    subscriber.topics.set(wishes.topics)
    Consent.objects.create(
        subscriber=subscriber,
        action=Consent.Action.CHANGED,
        words=f"{wishes.schedule}: {', '.join(topic.spoken for topic in wishes.topics)}",
        page="preferences",
        network=network,
        at=at,
    )
    return True


def ask_for_link(email: str, at: datetime) -> Letter | None:
    """Owe the link to whoever is subscribed, the confirmation to whoever still has to confirm.

    Returns the letter, if one is owed by this.
    """
    subscriber = Subscriber.objects.filter(email=email).first()
    if subscriber is None:
        return None
    if subscriber.status in Subscriber.Status.subscribed():
        return owe(subscriber, Letter.Kind.PREFERENCES, at)
    return resend_confirmation(subscriber, at)
