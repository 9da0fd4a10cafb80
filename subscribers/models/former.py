"""What a reader had before a change, so that the change can be taken back."""

from django.db import models
from django.utils import timezone

from subscribers.models.subscribers import Subscriber


class Former(models.Model):
    """A reader's wishes as one change found them. Kept as long as that change can be undone, no longer."""

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="formers")
    version = models.PositiveIntegerField(help_text="The version that the change made.")
    state = models.JSONField()
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at"]
        constraints = [
            models.UniqueConstraint(fields=["subscriber", "version"], name="one_former_state_per_version"),
        ]
        indexes = [models.Index(fields=["at"], name="former_at")]  # retention

    def __str__(self) -> str:
        return f"before version {self.version}"
