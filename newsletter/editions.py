"""Which editions and digests are due, in whose local time: the planner.

Planning only writes rows. It may be stopped anywhere and started again, in any number of places at once:
a digest is unique per edition and reader, and a reader moves on in the transaction that planned them.
"""

from datetime import date, datetime, timedelta

from django.conf import settings
from django.db import transaction

from newsletter.models import Digest, Edition, EditionPaper
from papers.models import Paper
from subscribers.models import Subscriber

CHUNK = 500  # readers per transaction: short locks, flat memory
POOL_SIZE = 1000  # papers an edition draws from, the hottest of its window


def plan(at: datetime) -> int:
    """Plan a digest for every reader whose hour has come; returns how many were planned."""
    planned = 0
    while readers := plan_chunk(at):
        planned += readers
    return planned


@transaction.atomic
def plan_chunk(at: datetime, size: int = CHUNK) -> int:
    """Plan at most `size` due readers in one transaction; returns how many there were."""
    readers = list(Subscriber.objects.due(at).select_for_update(skip_locked=True)[:size])
    editions: dict[tuple[str, date], Edition] = {}
    digests = []
    for reader in readers:
        due, reader.next_digest_at = reader.next_digest_at, reader.schedule.next_after(at)
        assert due is not None  # noqa: S101 - due() selects by it
        issue = (reader.cadence, reader.schedule.local_date(due))
        editions[issue] = editions.get(issue) or open_edition(*issue)
        digests.append(new_digest(editions[issue], reader, due))
    Digest.objects.bulk_create(digests, ignore_conflicts=True)
    Subscriber.objects.bulk_update(readers, ["next_digest_at"])
    return len(readers)


def plan_sample(reader: Subscriber, at: datetime) -> bool:
    """Plan the digest a reader asked for, at most one a day; says whether it is a new one."""
    with transaction.atomic():
        edition = open_edition(Edition.Kind.SAMPLE, reader.schedule.local_date(at))
        if edition.digests.filter(subscriber=reader).exists():
            return False
        return bool(Digest.objects.bulk_create([new_digest(edition, reader, at)], ignore_conflicts=True))


def new_digest(edition: Edition, reader: Subscriber, due: datetime) -> Digest:
    """A digest of a slot. After an outage it may be planned too late, and then expires, on record."""
    return Digest(edition=edition, subscriber=reader, not_before=due, expires_at=due + settings.DIGEST_EXPIRES_AFTER)


def open_edition(kind: str, day: date) -> Edition:
    """The edition of a kind and date; the first to ask opens it and freezes its pool."""
    edition, opened = Edition.objects.get_or_create(kind=kind, date=day)
    if opened:
        EditionPaper.objects.bulk_create(pool_of(edition, POOL_SIZE))
    return edition


def pool_of(edition: Edition, size: int) -> list[EditionPaper]:
    """The hottest papers that were listed in the window before an edition."""
    window = Paper.objects.listed(edition.date - timedelta(days=settings.POOL_DAYS), edition.date).trending()
    return [
        EditionPaper(edition=edition, paper_id=pk, hot=hot, notice=notice)
        for pk, hot, notice in window.values_list("pk", "hot", "notice")[:size]
    ]
