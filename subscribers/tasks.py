"""What runs by the clock."""

import logging

from celery import shared_task
from django.utils import timezone

from subscribers import leaving, signup

log = logging.getLogger(__name__)


@shared_task
def forget_unconfirmed() -> None:
    """Delete who asked and never confirmed."""
    deleted = signup.forget_unconfirmed(timezone.now())
    log.info("forgot %d addresses that were never confirmed", deleted)


@shared_task
def end_pauses() -> None:
    """Bring back whose pause is over."""
    if ended := leaving.end_pauses(timezone.now()):
        log.info("ended %d pauses", ended)
