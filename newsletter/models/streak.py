"""What the provider has refused and accepted of late: newsletter/delivery/streak.py."""

from django.db import models


class Refusal(models.Model):
    """One of the provider's refusals since it last accepted a digest."""

    account = models.CharField(max_length=16, help_text="At which provider, hashed.")
    domain = models.CharField(max_length=253)
    reason = models.CharField(max_length=200)
    is_weak = models.BooleanField(help_text="It may well be the address's fault.")
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.domain}, {self.at:%Y-%m-%d %H:%M}"


class Acceptance(models.Model):
    """When mail to a domain was last accepted by the provider; a run notes two domains a second at most."""

    account = models.CharField(max_length=16, help_text="At which provider, hashed.")
    domain = models.CharField(max_length=253)
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at"]
        constraints = [models.UniqueConstraint(fields=["account", "domain"], name="one_acceptance_of_a_domain")]

    def __str__(self) -> str:
        return f"{self.domain}, {self.at:%Y-%m-%d %H:%M}"
