"""Editions, the ledger of delivery, and what providers and readers told us afterwards."""

from newsletter.models.alarms import Alarm
from newsletter.models.bounces import DomainHealth, SoftBounces
from newsletter.models.brakes import Brake, BrakeQuerySet
from newsletter.models.census import Census, Progress, Pulse
from newsletter.models.digests import Digest, DigestPaper, DigestQuerySet
from newsletter.models.editions import Edition, EditionPaper, EditionQuerySet, Revision
from newsletter.models.events import Event
from newsletter.models.feedback import Feedback
from newsletter.models.installation import Installation
from newsletter.models.profiles import Profile
from newsletter.models.streak import Acceptance, Refusal

__all__ = [
    "Acceptance",
    "Alarm",
    "Brake",
    "BrakeQuerySet",
    "Census",
    "Digest",
    "DigestPaper",
    "DigestQuerySet",
    "DomainHealth",
    "Edition",
    "EditionPaper",
    "EditionQuerySet",
    "Event",
    "Feedback",
    "Installation",
    "Profile",
    "Progress",
    "Pulse",
    "Refusal",
    "Revision",
    "SoftBounces",
]
