"""Proof of what people agreed to."""

from django.db import models
from django.utils import timezone

from subscribers.models.subscribers import Subscriber


class Consent(models.Model):
    """Proof of what a person agreed to or withdrew: when, what words, which page, which network."""

    class Action(models.TextChoices):
        ASKED = "asked", "asked at the form"
        CONFIRMED = "confirmed", "confirmed by mail"
        CHANGED = "changed", "changed preferences"
        WITHDRAWN = "withdrawn", "left"
        RETURNED = "returned", "undid leaving"
        IMPORTED = "imported", "agreed elsewhere, and was imported"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    action = models.CharField(max_length=10, choices=Action.choices)
    words = models.TextField(blank=True, help_text="The words the person saw.")
    page = models.CharField(max_length=200, blank=True)
    network = models.CharField(max_length=50, blank=True, help_text="Truncated to /24 or /56.")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.at:%Y-%m-%d %H:%M}"
