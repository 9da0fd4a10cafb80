"""What providers told us afterwards."""

from django.db import models
from django.db.models import Q


class Event(models.Model):
    """What a provider told us later. Stored once, applied later, in any order."""

    class Type(models.TextChoices):
        DELIVERED = "delivered"
        BOUNCED = "bounced"
        DEFERRED = "deferred"
        COMPLAINED = "complained"
        REJECTED = "rejected"
        UNSUBSCRIBED = "unsubscribed"
        SENT = "sent", "taken by the provider"
        FAILED = "failed"
        OTHER = "other"

    provider = models.CharField(max_length=40)
    key = models.CharField(max_length=255, help_text="The provider's id of the event.")
    type = models.CharField(max_length=12, choices=Type.choices)
    digest_uid = models.UUIDField(null=True, blank=True, help_text="From the message's metadata.")
    letter_uid = models.UUIDField(null=True, blank=True, help_text="From the metadata of a letter.")
    recipient_hash = models.CharField(
        max_length=64, blank=True, editable=False, help_text="Of the address it speaks of; gone once it is applied."
    )
    message_id = models.CharField(max_length=255, blank=True, help_text="The provider's id of the message, or ours.")
    hard = models.BooleanField(default=False, db_default=False, help_text="A hard bounce: the address takes no mail.")
    detail = models.CharField(max_length=300, blank=True)
    happened_at = models.DateTimeField()
    received_at = models.DateTimeField(auto_now_add=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0, help_text="How often its mail was looked for.")
    not_before = models.DateTimeField(null=True, blank=True, help_text="When it is looked for again.")
    applied_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "provider event"
        ordering = ["-received_at"]
        constraints = [
            models.UniqueConstraint(fields=["provider", "key"], name="an_event_is_stored_once"),
        ]
        indexes = [
            # tasks.apply_events: events.apply_stored
            models.Index(fields=["received_at"], condition=Q(applied_at=None), name="event_unapplied"),
            # The admin's list, by what is rare
            models.Index(fields=["type", "-id"], condition=~Q(type__in=["delivered", "sent"]), name="event_by_type"),
            # What happened to one mail: a reader's page, personal.export and erase
            models.Index(fields=["digest_uid"], condition=Q(digest_uid__isnull=False), name="event_of_digest"),
            models.Index(fields=["letter_uid"], condition=Q(letter_uid__isnull=False), name="event_of_letter"),
        ]

    def __str__(self) -> str:
        return f"{self.provider}: {self.get_type_display()}"
