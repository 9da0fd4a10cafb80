"""Recipient domains that take nothing at present."""

from django.db import models


class HeldDomain(models.Model):
    """A domain that bounced as a whole: its readers are kept, and not mailed until the hold ends."""

    domain = models.CharField(max_length=253, unique=True)
    reason = models.CharField(max_length=200)
    until = models.DateTimeField(db_index=True, help_text="Then it is tried again.")
    held_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["domain"]

    def __str__(self) -> str:
        return self.domain
