"""What stops all mail."""

from typing import Self

from django.db import models


class BrakeQuerySet(models.QuerySet["Brake"]):
    def engaged(self) -> Self:
        return self.filter(released_at=None)

    def pull(self, reason: str) -> None:
        """Stop all mail; once is enough."""
        if not self.engaged().exists():
            self.create(reason=reason)


class Brake(models.Model):
    """Stops all mail until somebody releases it: pulled by the provider's refusal, or by hand."""

    reason = models.CharField(max_length=300)
    pulled_at = models.DateTimeField(auto_now_add=True)
    released_at = models.DateTimeField(null=True, blank=True)

    objects = BrakeQuerySet.as_manager()

    class Meta:
        ordering = ["-pulled_at"]

    def __str__(self) -> str:
        return self.reason
