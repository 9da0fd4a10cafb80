"""What runs by the clock."""

import logging
from time import monotonic

from celery import shared_task
from django.utils import timezone

from subscribers import leaving, reminding, requests, rescheduling, retention
from subscribers.imports import importing
from subscribers.models import Import

log = logging.getLogger(__name__)

# Seconds that an import may keep a worker from other work; the next task goes on where it stopped.
IMPORT_SLICE = 20


@shared_task
def forget() -> None:
    """Forget what need not be kept any longer."""
    counts = {name: count for name, count in retention.forget(timezone.now()).items() if count}
    log.info("forgot %s", counts or "nothing")


@shared_task
def remind() -> None:
    """Remind who asked and has not confirmed."""
    if owed := reminding.remind(timezone.now()):
        log.info("owed %d reminders", owed)


@shared_task
def carry_out_requests() -> None:
    """Carry out what strangers asked for; where a batch was full there may be more."""
    taken = requests.carry_out(timezone.now())
    if taken:
        log.info("looked at %d requests", taken)
    if taken == requests.BATCH:
        carry_out_requests.delay()


@shared_task
def keep_the_hours() -> None:
    """A government moved its clocks, and the zone database tells of it: everybody's hour stays what they chose."""
    if moved := rescheduling.keep_the_hours(timezone.now()):
        log.info("%d digests moved with their readers' clocks", moved)


@shared_task
def end_pauses() -> None:
    """Bring back whose pause is over."""
    if ended := leaving.end_pauses(timezone.now()):
        log.info("ended %d pauses", ended)


@shared_task
def continue_import(pk: int) -> None:
    """Check an import, or let some of its readers in."""
    job = Import.objects.filter(pk=pk).first()
    if job is None:  # a dry run at the command line, which has ended
        return
    began, was = monotonic(), job.status
    for _ in importing.work(job, timezone.now):
        # A check cannot be taken up in the middle: what it has seen is not kept.
        if was == Import.Status.RUNNING and monotonic() - began > IMPORT_SLICE:
            continue_import.delay(pk)
            return
    log.info("import %d: %s, %d lines", pk, job.get_status_display(), job.line)


@shared_task
def continue_imports() -> None:
    """Take up the imports that somebody left behind."""
    for job in Import.objects.stalled(timezone.now()):
        continue_import.apply_async((job.pk,), expires=60)
