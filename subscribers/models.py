"""Who asked for what, with what consent, and everything owed to them one by one."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from papers.models import Topic
from subscribers.addresses import address_hash
from subscribers.schedule import Cadence, Schedule, known_zones


def new_leave_key() -> str:
    """128 random bits as text: a link that leaves must outlive every signing key."""
    return secrets.token_urlsafe(16)


def validate_zone(name: str) -> None:
    if name not in known_zones():
        raise ValidationError("“%(name)s” is not an IANA time zone.", code="zone", params={"name": name})


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
        """Waiting for confirmation since before then."""
        return self.filter(status=Subscriber.Status.PENDING, status_changed_at__lt=before)


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

        @classmethod
        def subscribed(cls) -> list[str]:
            """Confirmed, and not gone."""
            return [cls.ACTIVE, cls.PAUSED]

        @classmethod
        def askable(cls) -> list[str]:
            """May be asked to confirm: again, or after leaving."""
            return [cls.PENDING, cls.UNSUBSCRIBED]

        @classmethod
        def leavable(cls) -> list[str]:
            """There is still something to leave."""
            return [cls.PENDING, cls.ACTIVE, cls.PAUSED]

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
        max_length=64,
        default="UTC",
        validators=[validate_zone],
        help_text="An IANA time zone, such as Europe/Berlin.",
    )
    digest_size = models.PositiveSmallIntegerField(
        default=5, validators=[MinValueValidator(1), MaxValueValidator(20)], help_text="Papers in a digest."
    )
    next_digest_at = models.DateTimeField(null=True, blank=True, help_text="When the planner takes this reader.")
    leave_key = models.CharField(max_length=32, unique=True, default=new_leave_key, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    status_changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=(Q(status="erased") & Q(email=None)) | (~Q(status="erased") & Q(email__isnull=False)),
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
            models.Index(fields=["status_changed_at"], condition=Q(status="pending"), name="subscriber_pending"),
        ]

    def __str__(self) -> str:
        return self.email or f"erased {self.uid}"

    @property
    def schedule(self) -> Schedule:
        return Schedule(Cadence(self.cadence), self.local_hour, self.weekday, self.zone)

    @property
    def awaits_first_digest(self) -> bool:
        """Whether the next digest is the one promised on confirming, ahead of the rhythm."""
        promised = self.confirmed_at and self.confirmed_at + settings.FIRST_DIGEST_AFTER
        return promised is not None and self.next_digest_at == promised


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
    at = models.DateTimeField(default=timezone.now)

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
    def open(self) -> Self:
        """Still to be sent, or in a sender's hands."""
        return self.filter(status__in=Letter.Status.unsettled())

    def due(self, at: datetime) -> Self:
        """Owed now, or taken by a sender that never came back."""
        return self.open().filter(not_before__lte=at).order_by("not_before", "pk")

    def claim(self, at: datetime, lease: timedelta, limit: int) -> list["Letter"]:
        """Take up to `limit` due letters for as long as `lease`; nobody else gets them until then."""
        worn_out = self.due(at).filter(attempts__gte=MAX_ATTEMPTS)
        worn_out.update(status=Letter.Status.FAILED, reason=f"gave up after {MAX_ATTEMPTS} attempts")
        due = self.due(at).select_related("subscriber")[:limit]
        return [letter for letter in due if letter.take(at, lease)]


# With the growing pauses of Letter.pause, about seven hours: longer than most outages of a relay.
MAX_ATTEMPTS = 12


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

        @classmethod
        def unsettled(cls) -> list[str]:
            """Something is still to happen to it."""
            return [cls.OWED, cls.SENDING]

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OWED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it failed or waits.")
    # Also the fencing token: a sender whose lease ran out no longer holds the present number.
    attempts = models.PositiveSmallIntegerField(default=0)
    not_before = models.DateTimeField(help_text="When it is due, or a sender's lease ends.")
    requested_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            # Pressing twice owes one letter.
            models.UniqueConstraint(
                fields=["subscriber", "kind"],
                condition=Q(status__in=["owed", "sending"]),
                name="one_open_letter_of_a_kind",
            ),
        ]
        indexes = [
            # The sender: LetterQuerySet.due
            models.Index(fields=["not_before"], condition=Q(status__in=["owed", "sending"]), name="letter_due"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_status_display()}"

    def take(self, at: datetime, lease: timedelta) -> bool:
        """Take it to send it; False where another sender was first."""
        as_read = Letter.objects.due(at).filter(pk=self.pk, attempts=self.attempts).order_by()
        changes = {"status": self.Status.SENDING, "not_before": at + lease}
        if not as_read.update(**changes, attempts=F("attempts") + 1):
            return False
        self.status, self.not_before = self.Status.SENDING, at + lease
        self.attempts += 1
        return True

    def sent(self, at: datetime) -> bool:
        """A server took it. False where the sender no longer held it, here and below."""
        return self._settle(status=self.Status.SENT, sent_at=at, reason="")

    def failed(self, reason: str) -> bool:
        """It will not be sent."""
        return self._settle(status=self.Status.FAILED, reason=reason[:200])

    def retry(self, reason: str, at: datetime) -> bool:
        """Send it again at `at`, unless it was tried MAX_ATTEMPTS times."""
        if self.attempts >= MAX_ATTEMPTS:
            return self.failed(reason)
        return self._settle(status=self.Status.OWED, reason=reason[:200], not_before=at)

    @property
    def pause(self) -> timedelta:
        """How long to wait after this attempt: twice as long each time, an hour at most."""
        return min(timedelta(minutes=2**self.attempts), timedelta(hours=1))

    def _settle(self, **changes: object) -> bool:
        held = Letter.objects.filter(pk=self.pk, status=self.Status.SENDING, attempts=self.attempts)
        return bool(held.update(**changes))
