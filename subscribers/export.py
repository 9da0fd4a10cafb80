"""Everything that is stored about a person, for themselves."""

from typing import Any

from subscribers import links
from subscribers.models import Move, Subscriber, SubscriptionRequest, Suppression
from subscribers.signals import exporting
from subscribers.wishes import LISTS, Tastes, Wishes


def everything_about(subscriber: Subscriber) -> dict[str, Any]:
    """What all our tables hold of this person, in words that explain themselves; JSON can hold it."""
    known: dict[str, Any] = {
        "address": subscriber.email,
        "must_not_be_mailed": list(Suppression.objects.of(subscriber.email or "").values()),
        "subscription": subscription(subscriber),
        "wishes": wishes(subscriber),
        "consents": list(subscriber.consents.values("at", "action", "words", "page", "network")),
        "letters": list(subscriber.letters.values("requested_at", "kind", "status", "reason", "sent_at")),
        "before_the_last_changes": list(subscriber.formers.values("at", "state")),
        "new_address": list(
            Move.objects.filter(subscriber=subscriber).values("email", "asked_at", "old_agreed_at", "new_agreed_at")
        ),
        "requests_not_carried_out_yet": list(
            SubscriptionRequest.objects.filter(email=subscriber.email).values("at", "kind", "page", "network", "wishes")
        ),
    }
    parts: list[tuple[Any, Any]] = exporting.send(sender=Subscriber, subscriber=subscriber)
    for _, part in parts:
        known |= part
    return known


def subscription(subscriber: Subscriber) -> dict[str, Any]:
    own = ["status", "status_changed_at", "created_at", "confirmed_at", "next_digest_at", "paused_until", "gave_reason"]
    return {
        **{name: getattr(subscriber, name) for name in own},
        "id": subscriber.uid,
        "changes": subscriber.version,
        "link_to_leave": links.leave_url(subscriber),
    }


def wishes(subscriber: Subscriber) -> dict[str, Any]:
    wanted, tastes = Wishes.of(subscriber), Tastes.of(subscriber)
    return {
        **wanted.columns(),
        "still_rising": tastes.rising,
        "topics": [topic.name for topic in wanted.topics],
        "muted_topics": [topic.name for topic in tastes.muted_topics],
        **{name: list(getattr(tastes, name)) for name in LISTS},
    }
