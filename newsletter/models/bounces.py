"""What bounces tell of addresses and of whole domains."""

from django.db import models


class SoftBounces(models.Model):
    """How often mail to an address came back for now, or was refused at once: a delivery clears both."""

    address_hash = models.CharField(max_length=64, unique=True, editable=False)
    score = models.FloatField()  # of its soft bounces; it halves with time
    at = models.DateTimeField(help_text="When the score was this.")
    refusals = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often in a row it was refused at once."
    )
    refused_at = models.DateTimeField(null=True, help_text="When it last was.")

    class Meta:
        verbose_name_plural = "soft bounces"

    def __str__(self) -> str:
        return f"{self.address_hash[:12]}… {self.score:.1f}"


class DomainHealth(models.Model):
    """What one recipient domain has taken and refused since a moment."""

    domain = models.CharField(max_length=253, unique=True)
    since = models.DateTimeField(help_text="From when on it is counted.")
    bounced = models.PositiveIntegerField(default=0)
    delivered = models.PositiveIntegerField(default=0)

    class Meta:
        verbose_name_plural = "domains' health"

    def __str__(self) -> str:
        return f"{self.domain}: {self.delivered} delivered, {self.bounced} bounced"
