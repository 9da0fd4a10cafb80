"""What runs by the clock."""

import logging

from celery import shared_task
from django.utils import timezone

from subscribers import signup
from subscribers.models import IdempotencyKey

log = logging.getLogger(__name__)


@shared_task
def forget_unconfirmed() -> None:
    """Delete who asked and never confirmed, and the keys of old requests."""
    deleted = signup.forget_unconfirmed(timezone.now())
    IdempotencyKey.objects.outdated(timezone.now()).delete()
    log.info("forgot %d addresses that were never confirmed", deleted)
