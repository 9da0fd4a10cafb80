"""What stops all mail."""

import logging
from datetime import datetime
from typing import Self

from django.db import models, transaction

log = logging.getLogger(__name__)


class BrakeQuerySet(models.QuerySet["Brake"]):
    def engaged(self) -> Self:
        return self.filter(released_at=None)

    def release(self, at: datetime) -> int:
        """Let mail go again; a database that may be a copy needs installation.adopt instead. Returns how many."""
        return self.engaged().exclude(cause=Brake.Cause.RESTORED).update(released_at=at)

    def pull(self, reason: str, cause: str = "", *, by_hand: bool = False) -> None:
        """Stop all mail until a person has acted; once is enough for each cause."""
        if not self.engaged().filter(cause=cause).exists():
            if not by_hand:  # and a dry run never commits
                transaction.on_commit(lambda: log.error("all mail is stopped: %s", reason))
            self.bulk_create([Brake(reason=reason[:300], cause=cause, by_hand=by_hand)], ignore_conflicts=True)


class Brake(models.Model):
    """Stops all mail until somebody releases it: pulled by the provider's refusal, or by hand."""

    class Cause(models.TextChoices):
        OTHER = "", "the provider, or by hand"
        RESTORED = "restored", "the database may be a copy"

    reason = models.CharField(
        max_length=300,
        help_text="Why. Digests and letters wait until somebody releases the brake; what is too late by then expires.",
    )
    cause = models.CharField(max_length=10, choices=Cause.choices, default=Cause.OTHER, blank=True, editable=False)
    by_hand = models.BooleanField(default=False, db_default=False, editable=False, help_text="Pulled by a person.")
    pulled_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True)

    objects = BrakeQuerySet.as_manager()

    class Meta:
        ordering = ["-pulled_at"]
        constraints = [
            models.UniqueConstraint(
                fields=["cause"], condition=models.Q(released_at=None), name="one_brake_of_a_cause"
            ),
        ]

    def __str__(self) -> str:
        return self.reason if self.cause == self.Cause.OTHER else self.get_cause_display()
