"""What runs by the clock."""

import logging

from celery import shared_task
from django.utils import timezone

from subscribers import leaving, reminding, requests, retention

log = logging.getLogger(__name__)


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
def end_pauses() -> None:
    """Bring back whose pause is over."""
    if ended := leaving.end_pauses(timezone.now()):
        log.info("ended %d pauses", ended)
