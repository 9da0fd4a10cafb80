"""The canary slice: the first copies of an edition go ahead, and the rest waits for what becomes of them."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Count, Max, Q

from newsletter.delivery import stopping
from newsletter.models import Digest, Edition

Status = Digest.Status
FIRST_COPIES = 20  # where an operator wants some to go ahead and the settings name no number
BAD = [Status.BOUNCED, Status.COMPLAINED]


def first_state(kind: str) -> str:
    """How a new edition begins: with canaries where they are wanted. What one reader asked for waits for nobody."""
    wanted = settings.CANARY_SIZE and kind != Edition.Kind.SAMPLE
    return Edition.Canary.AHEAD if wanted else Edition.Canary.NONE


def size_asked_for() -> int:
    """How many go ahead where an operator asks for that, and names no number."""
    return settings.CANARY_SIZE or FIRST_COPIES


def size_of(edition: Edition) -> int:
    """How many go ahead: as somebody chose for this edition, or as the settings say; at least one."""
    return edition.canary_size or settings.CANARY_SIZE or 1


@dataclass(frozen=True)
class Ahead:
    """The first copies of an edition: how many are to go, and how many the provider has taken. Once these are all, the
    others follow after `minutes`; should more than `most_bad` bounce or be called spam, the edition is paused."""

    size: int
    taken: int
    minutes: int
    most_bad: int


def under_way(edition: Edition) -> Ahead | None:
    """Where the first copies go ahead: how they stand."""
    if edition.canary != Edition.Canary.AHEAD:
        return None
    size, taken = size_of(edition), edition.digests.filter(canary=True, status__in=Status.sent()).count()
    minutes = settings.CANARY_WAIT // timedelta(minutes=1)
    return Ahead(size, taken, minutes, int(size * settings.STOP_BOUNCE_PERCENT // 100))


def advance(at: datetime) -> None:
    """Choose the canaries of each edition, and let the rest follow once these went well."""
    for edition in Edition.objects.filter(canary=Edition.Canary.AHEAD, status=Edition.Status.OPEN):
        _choose(edition, at)
        _judge(edition, at)


def _choose(edition: Edition, at: datetime) -> None:
    """Up to the size of the slice; for one that was skipped, failed or is in doubt another goes."""
    counted = [*Status.unsettled(), *Status.sent()]
    missing = size_of(edition) - edition.digests.filter(canary=True, status__in=counted).count()
    if missing > 0:
        due = edition.digests.filter(status=Status.PLANNED, canary=False, not_before__lte=at, expires_at__gt=at)
        first = list(due.order_by("not_before", "pk").values_list("pk", flat=True)[:missing])
        Digest.objects.filter(pk__in=first, status=Status.PLANNED).update(canary=True)


def _judge(edition: Edition, at: datetime) -> None:
    found = edition.digests.filter(canary=True).aggregate(
        taken=Count("pk", filter=Q(status__in=Status.sent())),
        bad=Count("pk", filter=Q(status__in=BAD)),
        last=Max("submitted_at", filter=Q(status__in=Status.sent())),
    )
    if 100 * found["bad"] > settings.STOP_BOUNCE_PERCENT * size_of(edition):
        words = f"of the first {found['taken']} copies {found['bad']} bounced or were called spam"
        stopping.stop(edition, words)
    elif found["taken"] >= size_of(edition) and at - found["last"] >= settings.CANARY_WAIT:
        Edition.objects.filter(pk=edition.pk).update(canary=Edition.Canary.WELL)
