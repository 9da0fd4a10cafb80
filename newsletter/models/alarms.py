"""What the operators are told of by mail."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from subscribers.models.letters import DOUBT_PAUSES

RETRY_AFTER, LONGEST_RETRY = timedelta(minutes=1), timedelta(hours=1)


class AlarmQuerySet(models.QuerySet["Alarm"]):
    def on(self) -> Self:
        """Of what goes on now."""
        return self.filter(ended_at=None)

    def due(self, at: datetime) -> Self:
        """Nobody could be told yet, it is time to try, and it was not unclear too often whether it arrived."""
        return self.on().filter(told_at=None, doubts__lte=len(DOUBT_PAUSES), next_at__lte=at)


class Alarm(models.Model):
    """Something that cannot wait until an operator looks at Today: newsletter/delivery/alarms.py."""

    class Kind(models.TextChoices):
        ATTACK = "attack", "sign-up is under attack"
        BRAKE = "brake", "all mail is stopped"
        STOPPED = "stopped", "an edition was stopped"
        WAITS = "waits", "an edition waits for approval"
        EMPTY = "empty", "an edition has no papers"

    kind = models.CharField(max_length=8, choices=Kind.choices)
    row = models.PositiveBigIntegerField(help_text="Of the attack, the brake or the edition.")
    reason = models.CharField(max_length=350)
    began_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)
    told_at = models.DateTimeField(null=True, blank=True, help_text="When one of the operators was mailed.")
    attempts = models.PositiveSmallIntegerField(default=0)
    doubts = models.PositiveSmallIntegerField(
        default=0, db_default=0, help_text="How often it may have arrived or not: three times at most."
    )
    next_at = models.DateTimeField(default=timezone.now, help_text="When it is tried, or tried again.")

    objects = AlarmQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            models.UniqueConstraint(fields=["kind", "row"], condition=Q(ended_at=None), name="one_alarm_of_a_row"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.reason}"

    def take(self, at: datetime, lease: timedelta) -> bool:
        """Take it on oneself to tell of it, for as long as that can take; False where another worker was first. Should
        it fail, it is due again after a minute, then two, then four, and at last each hour.
        """
        wait = max(lease, min(RETRY_AFTER * 2 ** min(self.attempts, 10), LONGEST_RETRY))
        as_read = Alarm.objects.due(at).filter(pk=self.pk, attempts=self.attempts)
        return bool(as_read.update(attempts=F("attempts") + 1, next_at=at + wait))

    def told(self, at: datetime) -> None:
        Alarm.objects.filter(pk=self.pk).update(told_at=at)

    def doubted(self, at: datetime) -> None:
        """It may have arrived: try again after a pause that outlasts a bad hour, as with letters."""
        pause = DOUBT_PAUSES[min(self.doubts, len(DOUBT_PAUSES) - 1)]
        Alarm.objects.filter(pk=self.pk).update(doubts=F("doubts") + 1, next_at=at + pause)
