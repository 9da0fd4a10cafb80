"""The automatic stop of an edition, after too many complaints or too many addresses that do not exist.

Complaints and hard bounces are counted on the edition as they are reported. Accepted digests are counted only then, and
only until the answer is certain: nobody counts a whole ledger. Gmail and Yahoo ask senders to stay below 0.3 % of
complaints and better below 0.1 % (https://support.google.com/a/answer/81126); providers suspend above 5 to 10 % of
bounces.
"""

import logging
from collections.abc import Iterable

from django.conf import settings

from newsletter import audit
from newsletter.models import Digest, Edition

log = logging.getLogger(__name__)


def judge(editions: Iterable[int]) -> None:
    """Stop those of these editions that do more harm than is tolerable."""
    for edition in Edition.objects.filter(pk__in=editions, status=Edition.Status.OPEN):
        if too_many(edition, edition.complained, settings.STOP_AFTER_COMPLAINTS, settings.STOP_COMPLAINT_PERCENT):
            stop(edition, f"{edition.complained} readers called it spam")
        elif too_many(edition, edition.bounced, settings.STOP_AFTER_BOUNCES, settings.STOP_BOUNCE_PERCENT):
            stop(edition, f"{edition.bounced} addresses do not exist")


def too_many(edition: Edition, count: int, at_least: int, percent: float) -> bool:
    """Whether `count` is at least `at_least`, and at least `percent` % of what was sent. Reads no more than some
    `count * 100 / percent` index entries.
    """
    if count < at_least:
        return False
    enough = int(count * 100 / percent) + 1
    return edition.digests.filter(status__in=Digest.Status.sent()).order_by().values("pk")[:enough].count() < enough


def stop(edition: Edition, words: str) -> None:
    """Pause it until a person has looked; the words say why."""
    if Edition.objects.filter(pk=edition.pk).pause(words):
        log.error("%s is stopped: %s", edition, words)
        values = {"status": [Edition.Status.OPEN.value, Edition.Status.PAUSED.value], "reason": ["", words]}
        audit.note("the service", [edition], "stop", values)
