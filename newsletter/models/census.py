"""What was counted once in a while, so that no page has to count."""

from datetime import datetime, timedelta

from django.db import models

from newsletter.models.editions import Edition

LIVE_DAYS = 2  # after its date an edition is over in every zone, and all its digests have gone out or expired


class Census(models.Model):
    """The readers as they were counted at a time: hourly, by newsletter/census.py."""

    at = models.DateTimeField(unique=True)  # the dashboard, retention
    active = models.PositiveIntegerField()
    counts = models.JSONField(help_text="Groups of readers, and how many each has.")

    class Meta:
        verbose_name_plural = "censuses"
        ordering = ["-at"]

    def __str__(self) -> str:
        return f"{self.active:,} active readers, {self.at:%Y-%m-%d %H:%M}"


class ProgressQuerySet(models.QuerySet["Progress"]):
    def latest_of(self, edition: Edition) -> "Progress | None":
        return self.filter(edition=edition).order_by("-at").first()


class Progress(models.Model):
    """How many digests of an edition stood in which state, and when they were first and last counted so."""

    edition = models.ForeignKey(Edition, on_delete=models.CASCADE, related_name="progress")
    at = models.DateTimeField(help_text="When it was first counted so.")
    seen_at = models.DateTimeField(help_text="When it was last counted so.")
    planned = models.PositiveIntegerField(help_text="All digests, whatever became of them.")
    open = models.PositiveIntegerField(help_text="Those that something is still to happen to.")
    rate = models.FloatField(default=0, help_text="Digests settled in a minute, lately.")
    counts = models.JSONField(help_text="Digests by state.")

    objects = ProgressQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "progress"
        ordering = ["-at"]
        constraints = [
            # Also the latest of an edition, and its timeline.
            models.UniqueConstraint(fields=["edition", "at"], name="one_count_at_a_time"),
        ]
        indexes = [models.Index(fields=["at"], name="progress_old")]  # retention

    def __str__(self) -> str:
        return f"{self.edition}, {self.at:%Y-%m-%d %H:%M}"

    @property
    def settled(self) -> int:
        return self.planned - self.open

    @property
    def is_over(self) -> bool:
        """None of it is to go out any more."""
        return not self.open and self.seen_at.date() >= self.edition.date + timedelta(days=LIVE_DAYS)


class PulseQuerySet(models.QuerySet["Pulse"]):
    def feel(self, part: str, at: datetime, every: timedelta) -> None:
        """A part has done its work; this is written down once within `every`."""
        if not self.filter(part=part, at__gt=at - every).exists() and not self.filter(part=part).update(at=at):
            self.bulk_create([Pulse(part=part, at=at)], ignore_conflicts=True)


class Pulse(models.Model):
    """When a part of the service last did its work."""

    part = models.CharField(max_length=20, unique=True)
    at = models.DateTimeField()

    objects = PulseQuerySet.as_manager()

    class Meta:
        ordering = ["part"]

    def __str__(self) -> str:
        return f"{self.part} {self.at:%Y-%m-%d %H:%M:%S}"
