"""Who asked for what, with what consent, and everything owed to them one by one."""

from subscribers.models.attacks import Attack
from subscribers.models.consent import Consent
from subscribers.models.domains import HeldDomain
from subscribers.models.former import Former
from subscribers.models.idempotency import IdempotencyKey
from subscribers.models.imports import PART_BYTES, Import, ImportPart, ImportQuerySet, ImportReport
from subscribers.models.interests import Interest
from subscribers.models.letters import MAX_ATTEMPTS, Letter, LetterQuerySet
from subscribers.models.moves import Move
from subscribers.models.partings import Parting
from subscribers.models.requests import SubscriptionRequest
from subscribers.models.subscribers import Subscriber, SubscriberQuerySet, Weekday, new_leave_key, validate_zone
from subscribers.models.suppression import AppendOnlyError, Suppression, SuppressionQuerySet
from subscribers.models.tallies import Tally
from subscribers.models.unanswered import Unanswered, UnansweredQuerySet

__all__ = [
    "MAX_ATTEMPTS",
    "PART_BYTES",
    "AppendOnlyError",
    "Attack",
    "Consent",
    "Former",
    "HeldDomain",
    "IdempotencyKey",
    "Import",
    "ImportPart",
    "ImportQuerySet",
    "ImportReport",
    "Interest",
    "Letter",
    "LetterQuerySet",
    "Move",
    "Parting",
    "Subscriber",
    "SubscriberQuerySet",
    "SubscriptionRequest",
    "Suppression",
    "SuppressionQuerySet",
    "Tally",
    "Unanswered",
    "UnansweredQuerySet",
    "Weekday",
    "new_leave_key",
    "validate_zone",
]
