"""Who asked for what."""

import secrets
import uuid
from datetime import datetime, timedelta
from typing import Self

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.dates import WEEKDAYS

from papers.models import Topic
from subscribers.lookups import DomainOf
from subscribers.schedule import EVERY_DAY, Cadence, Schedule, known_zones


def new_leave_key() -> str:
    """128 random bits as text: a link that leaves must outlive every signing key."""
    return secrets.token_urlsafe(16)


def validate_zone(name: str) -> None:
    if name not in known_zones():
        raise ValidationError("“%(name)s” is not an IANA time zone.", code="zone", params={"name": name})


EARLIEST_CLOCK = timedelta(hours=14)  # how far the first zone to reach a day is ahead of UTC (Kiritimati)


class Weekday(models.IntegerChoices):
    """ISO 8601 weekdays, by the names that Django knows in every language."""

    MONDAY = 1, WEEKDAYS[0]
    TUESDAY = 2, WEEKDAYS[1]
    WEDNESDAY = 3, WEEKDAYS[2]
    THURSDAY = 4, WEEKDAYS[3]
    FRIDAY = 5, WEEKDAYS[4]
    SATURDAY = 6, WEEKDAYS[5]
    SUNDAY = 7, WEEKDAYS[6]


class SubscriberQuerySet(models.QuerySet["Subscriber"]):
    def mailable(self) -> Self:
        """The only definition of who may get a digest. Suppression is asked apart: it is by address."""
        return self.filter(status=Subscriber.Status.ACTIVE)

    def of_domain(self, domain: str) -> Self:
        """Whose address ends with @ and this domain."""
        return self.alias(domain=DomainOf("email")).filter(domain=domain)

    def due(self, at: datetime) -> Self:
        """Mailable, and their hour has come."""
        return self.mailable().filter(next_digest_at__lte=at).order_by("next_digest_at", "pk")

    def back_from_pause(self, at: datetime) -> Self:
        """Paused until a date that has come somewhere on earth; whether it has in theirs is asked apart."""
        anywhere = (at + EARLIEST_CLOCK).date()
        return self.filter(status=Subscriber.Status.PAUSED, paused_until__lte=anywhere).order_by("paused_until", "pk")

    def unconfirmed_since(self, before: datetime) -> Self:
        """Waiting for confirmation since before then."""
        return self.filter(status=Subscriber.Status.PENDING, status_changed_at__lt=before)

    def to_remind(self, at: datetime) -> Self:
        """Asked long enough ago, not reminded yet, and with enough time left to confirm."""
        earliest = at - settings.KEEP_UNCONFIRMED + settings.REMIND_AFTER
        waiting = self.filter(status=Subscriber.Status.PENDING, was_reminded=False)
        return waiting.filter(status_changed_at__range=(earliest, at - settings.REMIND_AFTER)).order_by(
            "status_changed_at", "pk"
        )


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
    weekdays = models.PositiveSmallIntegerField(
        default=EVERY_DAY,
        validators=[MinValueValidator(1), MaxValueValidator(EVERY_DAY)],
        help_text="For the daily digest: the sum of 1 for Monday, 2 for Tuesday, 4 for Wednesday … 64 for Sunday.",
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
    language = models.CharField(
        max_length=8, choices=settings.LANGUAGES, default="en", help_text="Of the mails and of the reader's own pages."
    )
    muted_topics = models.ManyToManyField(Topic, blank=True, related_name="+")
    rising = models.BooleanField(
        "still rising", default=True, help_text="May mention a paper once more when it takes off after it was sent."
    )
    paused_until = models.DateField(
        null=True, blank=True, help_text="The first day, by the reader's calendar, that may bring mail again."
    )
    version = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raised by each change; a page that shows an older one saves nothing."
    )
    gave_reason = models.BooleanField(
        default=False, editable=False, help_text="Said why they left; what they said is stored apart, without a name."
    )
    asked = models.JSONField(
        null=True, editable=False, help_text="What somebody who had left asked for anew, until they confirm it."
    )
    was_reminded = models.BooleanField(
        default=False, editable=False, help_text="Got the one reminder to confirm, or needs none."
    )
    next_digest_at = models.DateTimeField(null=True, blank=True, help_text="When the planner takes this reader.")
    leave_key = models.CharField(max_length=32, unique=True, default=new_leave_key, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    status_changed_at = models.DateTimeField(default=timezone.now, editable=False)

    objects = SubscriberQuerySet.as_manager()

    class Meta:
        verbose_name = "reader"
        constraints = [
            models.CheckConstraint(
                condition=(Q(status="erased") & Q(email=None)) | (~Q(status="erased") & Q(email__isnull=False)),
                name="only_the_erased_have_no_address",
            ),
            models.CheckConstraint(condition=Q(local_hour__lte=23), name="local_hour_in_0_23"),
            models.CheckConstraint(condition=Q(weekday__gte=1, weekday__lte=7), name="weekday_in_1_7"),
            models.CheckConstraint(condition=Q(weekdays__gte=1, weekdays__lte=EVERY_DAY), name="some_weekday"),
            models.CheckConstraint(
                condition=Q(status="active") | Q(next_digest_at=None), name="only_the_active_are_scheduled"
            ),
        ]
        indexes = [
            # The planner: SubscriberQuerySet.due
            models.Index(fields=["next_digest_at"], condition=Q(status="active"), name="subscriber_due"),
            # The daily clean-up: SubscriberQuerySet.unconfirmed_since
            models.Index(fields=["status_changed_at"], condition=Q(status="pending"), name="subscriber_pending"),
            # The reminder: SubscriberQuerySet.to_remind
            models.Index(
                fields=["status_changed_at"],
                condition=Q(status="pending", was_reminded=False),
                name="subscriber_unreminded",
            ),
            # The end of pauses: SubscriberQuerySet.back_from_pause
            models.Index(fields=["paused_until"], condition=Q(status="paused"), name="subscriber_paused"),
            # Bounces of a whole domain: SubscriberQuerySet.of_domain
            models.Index(DomainOf("email"), name="subscriber_of_domain"),
        ]

    def __str__(self) -> str:
        return self.email or f"erased {self.uid}"

    @property
    def schedule(self) -> Schedule:
        return Schedule(Cadence(self.cadence), self.local_hour, self.weekday, self.zone, self.weekdays)

    @property
    def awaits_first_digest(self) -> bool:
        """Whether the next digest is the one promised on confirming, ahead of the rhythm."""
        promised = self.confirmed_at and self.confirmed_at + settings.FIRST_DIGEST_AFTER
        return promised is not None and self.next_digest_at == promised
