"""Addresses that must never be mailed."""

from django.db import models

from subscribers.addresses import address_hash


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of(self, *emails: str) -> dict[str, str]:
        """Which of these addresses must never be mailed, each with its reason."""
        by_hash = {address_hash(email): email for email in emails}
        rows = self.filter(address_hash__in=by_hash)
        return {by_hash[row.address_hash]: row.get_reason_display() for row in rows}

    def add(self, email: str, reason: str) -> None:
        """Suppress an address; the first reason stands, but for a complaint after a bounce."""
        self.add_hash(address_hash(email), reason)

    def add_hash(self, hashed: str, reason: str) -> None:
        """The same for an address of which we have the hash only."""
        row, new = self.get_or_create(address_hash=hashed, defaults={"reason": reason})
        # Providers tell of the two in any order: it must come to the same.
        if not new and (row.reason, reason) == (Suppression.Reason.BOUNCED, Suppression.Reason.COMPLAINED):
            self.filter(pk=row.pk).update(reason=reason)


class Suppression(models.Model):
    """A keyed hash of an address that must never be mailed; outlives erasure and import."""

    class Reason(models.TextChoices):
        BOUNCED = "bounced", "the address does not exist"
        COMPLAINED = "complained", "marked as spam"
        ERASED = "erased", "asked to be erased"
        OPERATOR = "operator", "an operator's decision"

    address_hash = models.CharField(max_length=64, unique=True, editable=False)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    at = models.DateTimeField(auto_now_add=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.address_hash[:12]}… {self.get_reason_display()}"
