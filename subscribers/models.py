"""Who asked for what, with what consent, and everything owed to them one by one."""

import secrets
import uuid
from datetime import datetime
from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q

from papers.models import Topic
from subscribers.addresses import address_hash
from subscribers.schedule import Cadence, Schedule


def new_leave_key() -> str:
    """128 random bits as text: a link that leaves must outlive every signing key."""
    return secrets.token_urlsafe(16)


class Weekday(models.IntegerChoices):
    """ISO 8601 weekdays."""

    MONDAY = 1
    TUESDAY = 2
    WEDNESDAY = 3
    THURSDAY = 4
    FRIDAY = 5
    SATURDAY = 6
    SUNDAY = 7


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def mailable(self) -> Self:
        """The only definition of who may get a digest. Suppression is asked apart: it is by address."""
        return self.filter(status=Subscriber.Status.ACTIVE)

    def due(self, at: datetime) -> Self:
        """Mailable, and their hour has come."""
        return self.mailable().filter(next_digest_at__lte=at).order_by("next_digest_at", "pk")

    def unconfirmed_since(self, before: datetime) -> Self:
        """Asked before then and never confirmed."""
        return self.filter(status=Subscriber.Status.PENDING, created_at__lt=before)


class Subscriber(models.Model):
    """A person's address with one status. `Subscriber.objects.mailable()` alone says who may be mailed."""

    class Status(models.TextChoices):
        PENDING = "pending", "waiting for confirmation"
        ACTIVE = "active"
        PAUSED = "paused"
        UNSUBSCRIBED = "unsubscribed"
        BOUNCED = "bounced"
        COMPLAINED = "complained"
        ERASED = "erased"

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    email = models.EmailField(max_length=254, unique=True, null=True)  # noqa: DJ001 - null once erased
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.PENDING)
    topics = models.ManyToManyField(Topic, blank=True, related_name="+")
    cadence = models.CharField(max_length=8, choices=Cadence.choices, default=Cadence.DAILY)
    weekday = models.PositiveSmallIntegerField(
        choices=Weekday.choices, default=Weekday.MONDAY, help_text="For the weekly digest."
    )
    local_hour = models.PositiveSmallIntegerField(default=8, validators=[MaxValueValidator(23)])
    zone = models.CharField(
        max_length=64, default="UTC", help_text="An IANA time zone, such as Europe/Berlin."
    )
    digest_size = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(20)], help_text="Papers in a digest."
    )
    next_digest_at = models.DateTimeField(
        null=True, blank=True, help_text="When the planner takes this reader."
    )
    leave_key = models.CharField(max_length=32, unique=True, default=new_leave_key, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    status_changed_at = models.DateTimeField(auto_now_add=True)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(status="erased") & Q(email=None))
                | (~Q(status="erased") & Q(email__isnull=False)),
                name="only_the_erased_have_no_address",
            ),
            models.CheckConstraint(condition=Q(local_hour__lte=23), name="local_hour_in_0_23"),
            models.CheckConstraint(condition=Q(weekday__gte=1, weekday__lte=7), name="weekday_in_1_7"),
            models.CheckConstraint(
                condition=Q(status="active") | Q(next_digest_at=None), name="only_the_active_are_scheduled"
            ),
        ]
        indexes = [
            # The planner: SubscriberQuerySet.due
            models.Index(fields=["next_digest_at"], condition=Q(status="active"), name="subscriber_due"),
            # The daily clean-up: SubscriberQuerySet.unconfirmed_since
            models.Index(fields=["created_at"], condition=Q(status="pending"), name="subscriber_pending"),
        ]

    def __str__(self) -> str:
        return self.email or f"erased {self.uid}"

    @property
    def schedule(self) -> Schedule:
        return Schedule(Cadence(self.cadence), self.local_hour, self.weekday, self.zone)


class Consent(models.Model):
    """Proof of what a person agreed to or withdrew: when, what words, which page, which network."""

    class Action(models.TextChoices):
        ASKED = "asked", "asked at the form"
        CONFIRMED = "confirmed", "confirmed by mail"
        CHANGED = "changed", "changed preferences"
        WITHDRAWN = "withdrawn", "left"
        RETURNED = "returned", "undid leaving"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="consents")
    action = models.CharField(max_length=10, choices=Action.choices)
    words = models.TextField(blank=True, help_text="The words the person saw.")
    page = models.CharField(max_length=200, blank=True)
    network = models.CharField(max_length=50, blank=True, help_text="Truncated to /24 or /56.")
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.get_action_display()} {self.at:%Y-%m-%d %H:%M}"


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def of(self, *emails: str) -> dict[str, str]:
        """Which of these addresses must never be mailed, each with its reason."""
        by_hash = {address_hash(email): email for email in emails}
        rows = self.filter(address_hash__in=by_hash)
        return {by_hash[row.address_hash]: row.get_reason_display() for row in rows}

    def add(self, email: str, reason: str) -> None:
        """Suppress an address; the first reason stands."""
        self.get_or_create(address_hash=address_hash(email), defaults={"reason": reason})


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


class LetterQuerySet(models.QuerySet["Letter"]):
    def due(self, at: datetime) -> Self:
        """Owed now, or taken by a sender that never came back."""
        return self.filter(
            status__in=[Letter.Status.OWED, Letter.Status.SENDING], not_before__lte=at
        ).order_by("not_before", "pk")


class Letter(models.Model):
    """One transactional mail owed to one person. Like a digest, it is a row before it is a message.

    Unlike a digest it is sent again after a crash: a second confirmation is better than none.
    """

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation"
        WELCOME = "welcome"
        PREFERENCES = "preferences", "preferences link"
        GOODBYE = "goodbye"

    class Status(models.TextChoices):
        OWED = "owed"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OWED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it failed or waits.")
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField()
    requested_at = models.DateTimeField(auto_now_add=True)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            # Pressing twice owes one letter.
            models.UniqueConstraint(
                fields=["subscriber", "kind"], condition=Q(status="owed"), name="one_owed_letter_of_a_kind"
            ),
        ]
        indexes = [
            # The sender: LetterQuerySet.due
            models.Index(
                fields=["not_before"], condition=Q(status__in=["owed", "sending"]), name="letter_due"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_status_display()}"
