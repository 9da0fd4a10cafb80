"""Which editions and digests are due, in whose local time: the planner.

Planning only writes rows. It may be stopped anywhere and started again, in any number of places at once:
a digest is unique per edition and reader, and a reader moves on in the transaction that planned them.
"""

import logging
import uuid
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import DatabaseError, transaction
from django.db.models import Exists, OuterRef, QuerySet

from newsletter.delivery import canaries
from newsletter.models import Digest, Edition, EditionPaper
from newsletter.rows import Row, as_json, instant, run, table
from papers.models import Paper, PaperQuerySet
from subscribers.models import Subscriber
from subscribers.models.subscribers import EARLIEST_CLOCK
from subscribers.schedule import Cadence, Schedule

log = logging.getLogger(__name__)

CHUNK = 5000  # readers per transaction: short locks, flat memory
FURTHEST_AHEAD = timedelta(days=31)  # to open an edition before its day
POOL_SIZE = 1000  # papers an edition draws from, the hottest of its window
# Since the last paper, and the first: a source is stored some hundreds at a time.
COMING_IN, LONGEST_COMING_IN = timedelta(minutes=3), timedelta(minutes=30)
STILL_CHOSEN_FROM = timedelta(days=7)  # a monthly edition's digests may be chosen so long after its date

# What a chunk writes: the digests, and when their readers' next ones are due.
DIGESTS = {
    "uid": "uuid",
    "edition": "bigint",
    "revision": "smallint",
    "subscriber": "bigint",
    "not_before": "timestamptz",
    "expires_at": "timestamptz",
    "next": "timestamptz",
}
PLAN = """
INSERT INTO newsletter_digest (uid, edition_id, revision, subscriber_id, status, reason, not_before, expires_at,
    fencing_token, attempts, subject, provider_id, planned_at)
SELECT uid, edition, revision, subscriber, 'planned', '', not_before, expires_at, 0, 0, '', '', %s
FROM {digests} AS a WHERE true ON CONFLICT DO NOTHING"""
MOVE_ON = """
UPDATE subscribers_subscriber SET next_digest_at = a.next FROM {digests} AS a WHERE id = a.subscriber"""


def plan(at: datetime, more: Callable[[], None] = lambda: None, size: int = CHUNK) -> int:
    """Plan a digest for every reader whose hour has come; returns how many were planned.

    `more` is called once where they are more than a chunk, so that another process can help.
    """
    planned = 0
    while readers := plan_chunk(at, size):
        if not planned and readers == size:
            more()
        planned += readers
    return planned


@transaction.atomic
def plan_chunk(at: datetime, size: int = CHUNK) -> int:
    """Plan at most `size` due readers in one transaction; returns how many there were."""
    due = Subscriber.objects.due(at).select_for_update(skip_locked=True)
    readers = due.values_list("pk", "next_digest_at", "cadence", "local_hour", "weekday", "zone", "weekdays")[:size]
    found = [(pk, tuple(slot)) for pk, *slot in readers]
    shared = _slots(at, {slot for _, slot in found})
    digests = [{"uid": uuid.uuid4().hex, "subscriber": pk, **shared[slot]} for pk, slot in found]
    if digests:
        written = as_json(digests)
        run(PLAN.format(digests=table(DIGESTS)), [instant(at), written])
        run(MOVE_ON.format(digests=table(DIGESTS)), [written])
    return len(digests)


def _slots(at: datetime, slots: Iterable[tuple[Any, ...]]) -> dict[tuple[Any, ...], Row]:
    """What the readers of one schedule and slot share: all but their names.

    After an outage it is the last slot that was missed; they may be planned too late, and then expire, on record.
    """
    known = []
    for slot in slots:
        due, cadence, *when = slot
        schedule = Schedule(Cadence(cadence), *when)
        due = schedule.catch_up(due, at)
        known.append((cadence, schedule.local_date(due), due, schedule, slot))
    # In one order wherever it is planned: two who open the same editions would wait for each other.
    known.sort(key=lambda one: one[:2])
    return {slot: _slot(at, due, schedule, open_edition(*edition)) for *edition, due, schedule, slot in known}


def _slot(at: datetime, due: datetime, schedule: Schedule, edition: Edition) -> Row:
    return {
        "edition": edition.pk,
        "revision": edition.revision,
        "not_before": instant(due),
        "expires_at": instant(due + edition.welcome_for),
        "next": instant(schedule.next_after(at)),
    }


def plan_sample(reader: Subscriber, at: datetime) -> bool:
    """Plan the digest a reader asked for, at most one a day; says whether it is a new one."""
    with transaction.atomic():
        edition = open_edition(Edition.Kind.SAMPLE, reader.schedule.local_date(at))
        if edition.digests.filter(subscriber=reader).exists():
            return False
        digest = Digest(edition=edition, revision=edition.revision, subscriber=reader, not_before=at)
        digest.expires_at = at + edition.welcome_for
        return bool(Digest.objects.bulk_create([digest], ignore_conflicts=True))


def open_edition(kind: str, day: date) -> Edition:
    """The edition of a kind and date; the first to ask opens it and freezes its pool."""
    edition, _ = open_or_find(kind, day)
    return edition


def open_or_find(kind: str, day: date) -> tuple[Edition, bool]:
    """The same, and whether it was opened now."""
    edition, opened = Edition.objects.get_or_create(kind=kind, date=day, defaults=first_state(kind))
    if opened and not EditionPaper.objects.bulk_create(pool_of(edition, POOL_SIZE)):
        Edition.objects.filter(pk=edition.pk).update(drawn_at=None)
    return edition, opened


def draw_late(at: datetime) -> int:
    """Draw the pools of editions that were opened when there was no paper yet; returns how many got one. Not before
    their day, and not while papers come in, since a pool is drawn once.
    """
    days = (at - STILL_CHOSEN_FROM).date(), (at + EARLIEST_CLOCK).date()
    undrawn = Edition.objects.undrawn().filter(date__range=days).exclude(status=Edition.Status.CANCELLED)
    drawn = 0
    for pk in undrawn.values_list("pk", flat=True):
        try:
            drawn += _draw_one(undrawn.filter(pk=pk), at)
        except DatabaseError:  # such as a paper that was merged into another at this moment
            log.exception("the pool of edition %s is not drawn yet", pk)
    return drawn


@transaction.atomic
def _draw_one(undrawn: QuerySet[Edition], at: datetime) -> bool:
    """Whoever decides on its papers holds the edition too."""
    edition = undrawn.select_for_update(skip_locked=True).first()
    if edition is None or are_coming_in(window_of(edition).filter(created_at__gt=edition.opened_at), at):
        return False
    pool = pool_of(edition, POOL_SIZE)
    if is_drawn := any(row.choice == EditionPaper.Choice.POOL for row in pool):
        there = set(edition.pool.values_list("paper", flat=True))
        EditionPaper.objects.bulk_create(row for row in pool if row.paper_id not in there)
        undrawn.filter(pk=edition.pk).update(drawn_at=at)
    return is_drawn


def are_coming_in(papers: PaperQuerySet, at: datetime) -> bool:
    """Whether the last of these has only come, and the first a short while before."""
    is_last_new = papers.filter(created_at__range=(at - COMING_IN, at)).exists()
    return is_last_new and not papers.filter(created_at__lt=at - LONGEST_COMING_IN).exists()


@transaction.atomic
def open_ahead(kind: str, day: date, at: datetime) -> tuple[Edition, bool]:
    """Open an edition before its first reader is due, so that it can be prepared, or find it; and say which it was.

    Its pool is frozen now: what is listed later is not in it. Raises ValidationError, in an operator's words, where no
    reader can be due for such an edition soon.
    """
    if kind not in Cadence.values:
        raise ValidationError(f"Only these editions are planned: {', '.join(Cadence.values)}.")
    if not at.date() <= day <= at.date() + FURTHEST_AHEAD:
        raise ValidationError(f"Choose a day from {at.date()} on, {FURTHEST_AHEAD.days} days ahead at most.")
    if kind == Cadence.MONTHLY and day.day != 1:
        raise ValidationError("The monthly edition is that of the first of a month.")
    return open_or_find(kind, day)


def first_state(kind: str) -> dict[str, str]:
    """How a new edition begins: it goes by itself, or waits where the settings want its cadence approved."""
    canary = {"canary": canaries.first_state(kind)}
    if kind not in settings.NEEDS_APPROVAL:
        return canary
    return canary | {"status": Edition.Status.HELD, "reason": f"{Edition.Kind(kind).label} editions need approval"}


def window_of(edition: Edition) -> PaperQuerySet:
    """The papers of its days."""
    return Paper.objects.listed(edition.date - timedelta(days=settings.POOL_DAYS), edition.date)


def pool_of(edition: Edition, size: int) -> list[EditionPaper]:
    """The hottest papers that were listed in the window before an edition. Those that are banned stay so.

    Papers can be listed again after years. Who had one is known as long as digests are kept, so one that was in a pool
    before that stays out: nobody gets it twice.
    """
    window = window_of(edition).trending()
    before = edition.date - settings.KEEP_DIGESTS + STILL_CHOSEN_FROM
    forgotten = EditionPaper.objects.filter(paper=OuterRef("pk"), edition__date__lt=before)
    papers = list(window.filter(~Exists(forgotten)).values_list("pk", "hot", "notice")[:size])
    banned = EditionPaper.objects.banned_of(pk for pk, _, _ in papers)
    pool, ban = EditionPaper.Choice.POOL, EditionPaper.Choice.BANNED
    return [
        EditionPaper(edition=edition, paper_id=pk, hot=hot, notice=notice, choice=ban if pk in banned else pool)
        for pk, hot, notice in papers
    ]
