"""The people of the demo: a few readers whose tastes differ, and its one operator."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction

from newsletter.demo.keeping import kept_secret
from papers.models import Topic
from subscribers.models import Consent, Subscriber
from subscribers.schedule import Cadence

ADMIN = "admin"
FIRST_DIGEST_AFTER = timedelta(seconds=20)


@dataclass(frozen=True)
class Reader:
    """A made-up person at example.org, a domain that no mail can reach (RFC 2606)."""

    email: str
    topics: tuple[str, ...]
    zone: str
    local_hour: int
    cadence: Cadence = Cadence.DAILY


READERS = (
    Reader("mei@example.org", ("graph-neural-networks", "molecules-materials"), "Asia/Shanghai", 8),
    Reader("jonas@example.org", ("reinforcement-learning", "robotics", "ai-safety"), "Europe/Berlin", 7),
    Reader("amara@example.org", ("brain-signals", "medicine", "speech-audio"), "Africa/Lagos", 9),
    Reader("lucia@example.org", ("language-models", "sequence-models"), "America/Lima", 6),
    Reader("sam@example.org", ("scientific-machine-learning", "deep-learning-theory"), "America/New_York", 18),
    Reader("noor@example.org", ("computer-vision", "generative-models"), "Asia/Karachi", 20, Cadence.WEEKLY),
)


def invite(at: datetime) -> int:
    """Create the readers who are not there yet, their first digest due at once; how many were created."""
    return sum(_invite(reader, at) for reader in READERS)


def _invite(reader: Reader, at: datetime) -> bool:
    with transaction.atomic():
        subscriber, is_new = Subscriber.objects.get_or_create(
            email=reader.email,
            defaults={
                "status": Subscriber.Status.ACTIVE,
                "cadence": reader.cadence,
                "zone": reader.zone,
                "local_hour": reader.local_hour,
                "confirmed_at": at,
                "next_digest_at": at + FIRST_DIGEST_AFTER,
            },
        )
        if is_new:
            subscriber.topics.set(Topic.objects.filter(slug__in=reader.topics))
            words = "Made up for the demo; nobody was asked."
            Consent.objects.create(subscriber=subscriber, action=Consent.Action.CONFIRMED, words=words)
    return is_new


def appoint_admin() -> str:
    """Make sure that the operator can sign in; the password, which is kept from start to start."""
    password = kept_secret(settings.VAR_DIR, "admin_password", size=12)
    admin, _ = User.objects.get_or_create(username=ADMIN)
    if not (admin.is_active and admin.is_superuser and admin.is_staff and admin.check_password(password)):
        admin.is_active = admin.is_superuser = admin.is_staff = True
        admin.set_password(password)
        admin.save()
    return password
