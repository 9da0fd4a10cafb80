"""Days of the past that an operator wants fetched, and how far that is."""

from datetime import datetime
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q

from papers.sources.models import Source
from papers.sources.shapes import FIRST_DAY


class BackFillQuerySet(models.QuerySet["BackFill"]):
    def due(self, at: datetime) -> Self:
        """To be gone on with."""
        return self.filter(status=BackFill.Status.ON, not_before__lte=at)

    def stop(self) -> int:
        """What was stored stays; it can go on later from where it is."""
        return self.filter(status=BackFill.Status.ON).update(status=BackFill.Status.STOPPED)

    def resume(self, at: datetime) -> int:
        """Go on, where it was stopped or gave up."""
        rested = self.filter(status__in=[BackFill.Status.STOPPED, BackFill.Status.FAILED])
        return rested.update(status=BackFill.Status.ON, not_before=at, failures=0, fault="")


class BackFill(models.Model):
    """One source, some days. What remains to be asked is kept after each answer, so that any worker goes on with it."""

    class Status(models.TextChoices):
        ON = "on", "going on"
        STOPPED = "stopped", "stopped"
        FAILED = "failed", "gave up"
        DONE = "done", "done"

    source = models.ForeignKey(
        Source, on_delete=models.CASCADE, related_name="back_fills", help_text="One back-fill at a time for each."
    )
    since = models.DateField(help_text="The first day.")
    until = models.DateField(help_text="The last day.")
    status = models.CharField(max_length=7, choices=Status.choices, default=Status.ON, editable=False)
    # The requests that remain, as papers/harvest.py writes them; None before the first.
    waiting = models.JSONField(null=True, editable=False)
    asked = models.PositiveIntegerField(default=0, editable=False, help_text="Answers so far.")
    found = models.PositiveIntegerField(default=0, editable=False)
    new = models.PositiveIntegerField(default=0, editable=False)
    updated = models.PositiveIntegerField(default=0, editable=False)
    skipped = models.PositiveIntegerField(default=0, editable=False)
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="In a row.")
    fault = models.TextField(blank=True, editable=False)
    begun_at = models.DateTimeField(auto_now_add=True)
    moved_at = models.DateTimeField(auto_now=True)
    not_before = models.DateTimeField(editable=False)

    objects = BackFillQuerySet.as_manager()

    class Meta:
        verbose_name = "back-fill"
        ordering = ["-pk"]
        constraints = [
            models.UniqueConstraint(fields=["source"], condition=Q(status="on"), name="one_back_fill_of_a_source"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.since} to {self.until}"

    def clean(self) -> None:
        """Raises ValidationError for days that no source has, and for a source that has no days."""
        if self.since and self.until and self.since > self.until:
            raise ValidationError({"since": "The first day is after the last."})
        if self.since and self.since < FIRST_DAY:
            raise ValidationError({"since": f"No source goes back beyond {FIRST_DAY}."})
        if self.source_id and self.source.kind == Source.Kind.ARXIV_FEED:
            raise ValidationError({"source": "A feed has only the last announcement: choose arxiv-oai."})
        if self._state.adding and BackFill.objects.filter(source=self.source_id, status=self.Status.ON).exists():
            raise ValidationError({"source": "A back-fill of this source is going on already: stop it first."})

    @property
    def remaining(self) -> int:
        """Requests that are known to remain; more may come with each answer, except day by day."""
        return len(self.waiting or [])

    @property
    def percent(self) -> int | None:
        """Of the whole, where that is known beforehand: by day, by week or by month. None elsewhere."""
        if self.status == self.Status.DONE:
            return 100
        if self.source.kind != Source.Kind.HUGGING_FACE or self.waiting is None:
            return None
        return 100 * self.asked // max(1, self.asked + self.remaining)

    def move(self, **values: Any) -> bool:
        """Write how far it is; False if it was stopped meanwhile."""
        for name, value in values.items():
            setattr(self, name, value)
        return BackFill.objects.filter(pk=self.pk, status=self.Status.ON).update(**values) == 1
