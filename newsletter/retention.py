"""The ledger's part of forgetting: settled digests and applied events, once they are old."""

from datetime import datetime

from django.conf import settings

from newsletter.models import Census, Digest, DigestPaper, DomainHealth, Event, Progress, SoftBounces
from subscribers.models import Subscriber
from subscribers.retention import delete


def forget(at: datetime) -> dict[str, int]:
    """Returns how many rows of which."""
    old = Digest.objects.filter(planned_at__lt=at - settings.KEEP_DIGESTS)
    return {
        "digests": delete(old.exclude(status__in=Digest.Status.unsettled())),
        "events": delete(Event.objects.filter(received_at__lt=at - settings.KEEP_EVENTS, applied_at__isnull=False)),
        "censuses": delete(Census.objects.filter(at__lt=at - settings.KEEP_CENSUS)),
        "counts of editions": delete(Progress.objects.filter(at__lt=at - settings.KEEP_PROGRESS)),
        # After so many half-lives nothing is left of a score.
        "soft bounces": delete(SoftBounces.objects.filter(at__lt=at - 10 * settings.SOFT_BOUNCE_HALF_LIFE)),
        "domains' health": delete(DomainHealth.objects.filter(since__lt=at - 7 * settings.DOMAIN_HOLD)),
        # Of a digest that was being submitted at the very moment its reader was erased.
        "papers of the erased": delete(DigestPaper.objects.filter(subscriber__status=Subscriber.Status.ERASED)),
    }
