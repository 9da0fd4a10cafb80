"""The ledger's part of forgetting: settled digests and applied events, once they are old.

Digests go edition by edition, so that what is to go is found along an index of the edition's and not by looking at all.
What outlives them: the editions with their pools, so that no paper of theirs comes again (editions.pool_of); and all by
which a reader leaves, which is the reader's own and no digest's.
"""

from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Exists, OuterRef, Q

from newsletter.delivery import streak
from newsletter.delivery.feedback import bounces
from newsletter.models import (
    Acceptance,
    Alarm,
    Census,
    Digest,
    DigestPaper,
    DomainHealth,
    Edition,
    Event,
    Progress,
    Refusal,
    SoftBounces,
)
from subscribers.models import Subscriber
from subscribers.retention import delete

REFUSED_OF_LATE = timedelta(days=60)  # a provider's later word comes within days of an edition


def forget(at: datetime) -> dict[str, int]:
    """Returns how many rows of which."""
    return {
        "digests": forget_digests(at - settings.KEEP_DIGESTS),
        "papers of the refused": free_papers(at),
        "events": delete(Event.objects.filter(received_at__lt=at - settings.KEEP_EVENTS, applied_at__isnull=False)),
        "censuses": delete(Census.objects.filter(at__lt=at - settings.KEEP_CENSUS)),
        "counts of editions": delete(Progress.objects.filter(at__lt=at - settings.KEEP_PROGRESS)),
        "alarms": delete(Alarm.objects.filter(ended_at__lt=at - settings.KEEP_LETTERS)),
        # After so many half-lives nothing is left of a score; refusals count until the digests are forgotten, too.
        "soft bounces": delete(
            SoftBounces.objects.filter(
                Q(at__lt=at - 10 * settings.SOFT_BOUNCE_HALF_LIFE, refusals=0) | Q(at__lt=at - settings.KEEP_DIGESTS)
            )
        ),
        "domains' health": delete(
            DomainHealth.objects.filter(since__lt=at - max(settings.DOMAIN_HOLD, bounces.TOLD_WITHIN))
        ),
        "acceptances": delete(Acceptance.objects.filter(at__lt=at - streak.KEEP)),
        "refusals": delete(Refusal.objects.filter(at__lt=at - streak.KEEP)),
        # Of a digest that was being submitted at the very moment its reader was erased.
        "papers of the erased": delete(DigestPaper.objects.filter(subscriber__status=Subscriber.Status.ERASED)),
    }


def forget_digests(before: datetime) -> int:
    """Delete the settled digests of old editions, with their papers, a few at a time."""
    settled = Digest.objects.filter(planned_at__lt=before).exclude(status__in=Digest.Status.unsettled())
    editions = Edition.objects.filter(Exists(settled.filter(edition=OuterRef("pk"))), date__lte=before.date())
    return sum(delete(settled.filter(edition=edition), in_order=False) for edition in editions.order_by("date"))


def free_papers(at: datetime) -> int:
    """Let the papers of what a provider refused later come another day: once it has had time to say otherwise."""
    editions = Edition.objects.filter(date__gte=(at - REFUSED_OF_LATE).date())
    refused = Digest.objects.filter(
        edition__in=editions, status=Digest.Status.FAILED, settled_at__lt=at - settings.KEEP_REFUSED
    )
    return delete(DigestPaper.objects.filter(digest__in=refused))
