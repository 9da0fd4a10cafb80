"""Fetching days of the past, a few answers at a time, in a row that anybody can watch, stop and go on with.

The source's own place and rhythm are left as they are; only its lease is taken, so that nobody else asks meanwhile.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from papers import harvest
from papers.models import BackFill, Source
from papers.sources.fetching import UnavailableError
from papers.sources.pace import NoTurnError
from papers.sources.shapes import SourceError, plain

log = logging.getLogger(__name__)

FIRST_RETRY = timedelta(minutes=1)
GIVES_UP_AFTER = 8  # failures in a row, each waited for twice as long: some two hours

Status = BackFill.Status
Watch = Callable[[BackFill], None]


def go_on(job: BackFill, limit: int = harvest.ASKS_A_TASK, watch: Watch = lambda _: None) -> bool:
    """Ask `limit` times at most, and store what comes; says whether there is more to do now.

    `watch` is called after each answer. Raises BusyError where the source is being fetched.
    """
    at = timezone.now()
    if not Source.objects.filter(pk=job.source_id).claim(at, asked=True):
        raise harvest.BusyError(f"{job.source} is being fetched at the moment.")
    job.source.refresh_from_db()
    try:
        return _ask(job, at, limit, watch)
    except (SourceError, harvest.LostError) as error:
        _failed(job, error)
    except Exception:
        log.exception("back-fill %s failed", job.pk)
        job.move(status=Status.FAILED, fault="A fault of this program stopped it: see the log.")
    finally:
        job.source.release()
    return False


def _ask(job: BackFill, at: datetime, limit: int, watch: Watch) -> bool:
    if job.waiting is None:
        job.waiting = harvest.asks_of(job.source, at, job.since, job.until)
    fetching = harvest.Fetching(job.source, harvest.Run(waiting=harvest.asks_from(job.waiting)), at)
    for _ in range(limit):
        if not fetching.run.waiting:
            break
        run = fetching.run = harvest.Run(waiting=fetching.run.waiting)
        fetching.ask(run.waiting.pop(0))
        goes_on = job.move(**_after(job, run))
        watch(job)
        if not goes_on:
            return False
        if not job.source.renew(timezone.now()):
            raise harvest.LostError("It took too long: another worker fetches this source now.")
    if not job.waiting:
        job.move(status=Status.DONE)
    elif job.asked >= harvest.ASKS_AT_MOST:
        job.move(status=Status.FAILED, fault=f"{job.asked:,} answers, and no end: this cannot be right.")
    return job.status == Status.ON


def _after(job: BackFill, run: harvest.Run) -> dict[str, Any]:
    """The row once this answer is stored."""
    return {
        "waiting": harvest.asks_to(run.waiting),
        "asked": job.asked + 1,
        "found": job.found + run.result.found,
        "new": job.new + run.result.new,
        "updated": job.updated + run.result.updated,
        "skipped": job.skipped + len(run.skipped),
        "failures": 0,
        "fault": run.errors[-1] if run.errors else job.fault if not job.failures else "",
        "moved_at": timezone.now(),
    }


def _failed(job: BackFill, error: Exception) -> None:
    """Later again, later each time; for good where the source says that there is nothing to be asked."""
    failures = job.failures + 1
    waits = isinstance(error, UnavailableError | NoTurnError | harvest.LostError) and failures < GIVES_UP_AFTER
    pause = FIRST_RETRY * 2 ** (failures - 1)
    if isinstance(error, UnavailableError) and error.retry_after:
        pause = max(pause, timedelta(seconds=error.retry_after))
    job.move(
        status=Status.ON if waits else Status.FAILED,
        failures=failures,
        fault=plain(error),
        not_before=timezone.now() + pause,
    )
