"""Who asked for what, with what consent, and everything owed to them one by one."""

from subscribers.models.consent import Consent
from subscribers.models.idempotency import KEEP_KEYS, IdempotencyKey
from subscribers.models.interests import Interest
from subscribers.models.letters import MAX_ATTEMPTS, Letter, LetterQuerySet
from subscribers.models.subscribers import Subscriber, SubscriberQuerySet, Weekday, new_leave_key, validate_zone
from subscribers.models.suppression import Suppression, SuppressionQuerySet

__all__ = [
    "KEEP_KEYS",
    "MAX_ATTEMPTS",
    "Consent",
    "IdempotencyKey",
    "Interest",
    "Letter",
    "LetterQuerySet",
    "Subscriber",
    "SubscriberQuerySet",
    "Suppression",
    "SuppressionQuerySet",
    "Weekday",
    "new_leave_key",
    "validate_zone",
]
