"""Readers on their way to another address."""

import uuid

from django.db import models
from django.db.models import Q
from django.utils import timezone

from subscribers.models.subscribers import Subscriber


class Move(models.Model):
    """A reader's wish to get the mail at another address: granted once both addresses have agreed.

    The row goes when the wish is granted, is replaced by another, or is too old.
    """

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subscriber = models.OneToOneField(Subscriber, on_delete=models.CASCADE, related_name="move")
    email = models.EmailField(max_length=254, help_text="The new address.")
    asked_at = models.DateTimeField(default=timezone.now)
    old_agreed_at = models.DateTimeField(null=True, blank=True)
    new_agreed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=~Q(email=""), name="a_move_has_a_goal"),
        ]
        indexes = [
            models.Index(fields=["email", "asked_at"], name="move_to"),  # how often strangers named an address
            models.Index(fields=["asked_at"], name="move_asked_at"),  # retention
        ]

    def __str__(self) -> str:
        return f"to another address, asked {self.asked_at:%Y-%m-%d %H:%M}"
