"""An import's way: stored, checked, confirmed by a person, run.

It only ever adds people. Whoever is known here, in whatever state, or is suppressed, stays as they are: no row of a
file can revive anybody. Nobody gets a welcome: the first mail is the digest of their own next hour.
"""

import hashlib
import logging
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import islice

from django.db import DatabaseError, transaction

from papers.models import Topic
from subscribers.imports import report
from subscribers.imports.admission import Seen, brought, judge, let_in
from subscribers.imports.rows import Asked, Newcomer, Refusal
from subscribers.imports.table import FileFault, Row, Table
from subscribers.models import PART_BYTES, Import, ImportPart, ImportReport

log = logging.getLogger(__name__)

CHUNK = 1_000  # rows of one transaction
MOST_BYTES = 1_000_000_000
Status = Import.Status
Clock = Callable[[], datetime]


def store(pieces: Iterable[bytes], file_name: str, by: str, at: datetime) -> Import:
    """Keep a file for checking; `pieces` of any size. Raises FileFault where it is too large.

    Each part is committed by itself: a large file holds no lock that others wait for.
    """
    job = Import.objects.create(file_name=file_name[-200:], uploaded_by=by, uploaded_at=at, moved_at=at)
    sha256, size = hashlib.sha256(), 0
    for number, part in enumerate(parts(pieces)):
        sha256.update(part)
        size += len(part)
        if size > MOST_BYTES:
            job.delete()
            raise FileFault(f"The file is larger than {MOST_BYTES // 1_000_000:,} MB: cut it in pieces.")
        ImportPart.objects.create(import_of=job, number=number, content=zlib.compress(part, 1))
    job.sha256, job.size, job.status = sha256.hexdigest(), size, Status.CHECKING
    job.save(update_fields=["sha256", "size", "status"])
    return job


def parts(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in parts of PART_BYTES each, but for the last."""
    rest = b""
    for piece in pieces:
        rest += piece
        while len(rest) >= PART_BYTES:
            yield rest[:PART_BYTES]
            rest = rest[PART_BYTES:]
    if rest:
        yield rest


def work(job: Import, clock: Clock) -> Iterator[None]:
    """Do what is to be done next, and yield after each chunk. Whoever stops, or is killed, in between harms nothing.

    It ends early where somebody else has moved the import on, or where the database has failed; a sweep finds it.
    """
    steps = {Status.CHECKING: check, Status.RUNNING: run}
    step = steps.get(Status(job.status))
    try:
        yield from step(job, clock) if step else ()
    except FileFault as fault:
        refuse(job, str(fault))
    except DatabaseError as error:
        # Not its words: a database may quote a row, and that has an address.
        log.error("import %d stopped after line %d: %s", job.pk, job.line, type(error).__name__)
    if Import.objects.filter(pk=job.pk).exists():  # a dry run may have been taken away meanwhile
        job.refresh_from_db()


def check(job: Import, clock: Clock) -> Iterator[None]:
    """The dry run: count what would come of each row, and report the refused ones. Always from the beginning."""
    with transaction.atomic():
        fresh = {"position": 0, "line": 0, "checked": {}, "moved_at": clock()}
        if not Import.objects.filter(pk=job.pk, status=Status.CHECKING).update(**fresh):
            return
        job.reports.all().delete()
    job.position = job.line = 0
    counts: Counter[str] = Counter()
    with closing(Seen()) as seen:
        table, asked = Table(job.read), Asked(Topic.objects.all())
        for rows in chunks(table):
            at = clock()
            welcome, refused = judge(rows, asked, at, seen.among)
            seen.add(one.email for one in welcome)
            counts += tally(welcome, refused)
            with transaction.atomic():
                if not advance(job, table, at):
                    return
                note(job, refused)
                Import.objects.filter(pk=job.pk).update(checked=counts)
            job.position, job.line = table.position, table.line
            yield
    unread = f"Columns that are not read: {', '.join(filter(None, table.head.unread))}" if table.head.unread else ""
    done = {"status": Status.CHECKED, "note": unread[:300], "checked": counts, "moved_at": clock()}
    Import.objects.filter(pk=job.pk, status=Status.CHECKING, position=job.position).update(**done)


@transaction.atomic
def confirm(job: Import, by: str, at: datetime) -> bool:
    """A person has seen what the check found, and lets it happen; False where there is nothing to confirm."""
    fresh = {"position": 0, "line": 0, "decided_by": by, "decided_at": at, "moved_at": at}
    if not Import.objects.filter(pk=job.pk, status=Status.CHECKED).update(status=Status.RUNNING, **fresh):
        return False
    job.reports.all().delete()
    job.refresh_from_db()
    return True


@transaction.atomic
def cancel(job: Import, by: str, at: datetime) -> bool:
    """Stop within a chunk; who is in already stays. False where it has ended."""
    going = Import.objects.filter(pk=job.pk).exclude(status__in=Status.ended())
    if not going.update(status=Status.CANCELLED, decided_by=by, decided_at=at, moved_at=at):
        return False
    job.parts.all().delete()
    return True


def set_aside(job: Import, by: str, at: datetime) -> bool:
    """A person has seen that it was refused, and why; False where that is not so, or was seen before."""
    return bool(Import.objects.unseen().filter(pk=job.pk).update(decided_by=by, decided_at=at))


def run(job: Import, clock: Clock) -> Iterator[None]:
    """Let people in, chunk by chunk, from where it stopped. Two at once do no row twice: the position says who won."""
    table, asked = Table(job.read, job.position, job.line), Asked(Topic.objects.all())
    for rows in chunks(table):
        at = clock()
        with transaction.atomic():
            if not advance(job, table, at):
                return
            welcome, refused = judge(rows, asked, at, partial(brought, page_of(job)))
            taken, late = let_in(welcome, page_of(job), at)
            refused += late
            counts = Counter(job.counts) + tally(taken, refused)
            note(job, refused)
            Import.objects.filter(pk=job.pk).update(counts=counts)
        job.position, job.line, job.counts = table.position, table.line, counts
        yield
    ended = Import.objects.filter(pk=job.pk, status=Status.RUNNING, position=job.position)
    if ended.update(status=Status.DONE, moved_at=clock()):
        job.parts.all().delete()


def refuse(job: Import, fault: str) -> None:
    """The file itself cannot be read. Whoever confirmed it did not know that: it is to be looked at again."""
    working = Import.objects.filter(pk=job.pk, status__in=Status.working())
    if working.update(status=Status.REFUSED, fault=fault[:300], decided_by="", decided_at=None):
        job.parts.all().delete()


def chunks(table: Table) -> Iterator[list[Row]]:
    while rows := list(islice(table, CHUNK)):
        yield rows


def advance(job: Import, table: Table, at: datetime) -> bool:
    """Claim the rows between `job` as it was read and where the table is now. In the transaction that stores them."""
    mine = Import.objects.filter(pk=job.pk, status=job.status, position=job.position)
    return bool(mine.update(position=table.position, line=table.line, moved_at=at))


def note(job: Import, refused: list[Refusal]) -> None:
    """Keep the report of a chunk, which begins where `job` was read."""
    if refused:
        content = report.text_of(sorted(refused, key=lambda one: one.line))
        ImportReport.objects.create(import_of=job, position=job.position, content=content)


def tally(welcome: Iterable[Newcomer], refused: Iterable[Refusal]) -> Counter[str]:
    return Counter(one.outcome.value for rows in (welcome, refused) for one in rows)


def page_of(job: Import) -> str:
    """What the consents name as the page: which import brought them."""
    return f"import {job.pk}"
