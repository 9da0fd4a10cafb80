"""Sources as operators see them: what to fetch, how often, and how the last run went."""

from datetime import datetime, timedelta
from typing import Any, Self

from django.core.exceptions import ValidationError
from django.core.validators import MinValueValidator
from django.db import models
from django.db.models import Q

from papers.lines import check_categories

# A run renews its lease with every answer; one that was killed frees its source after this.
LEASE = timedelta(minutes=15)
# After a failure: soon again, then later and later, up to the source's own rhythm.
FIRST_RETRY = timedelta(minutes=15)
REPORT_LINES = 20
REMEMBERED = 50  # validators; addresses with a day in them pass by


class SourceQuerySet(models.QuerySet["Source"]):
    def due(self, at: datetime) -> Self:
        """On, not waiting for its time, and fetched by nobody at the moment."""
        waiting = Q(next_run_at=None) | Q(next_run_at__lte=at)
        return self.filter(waiting, self._free(at), is_on=True)

    def claim(self, at: datetime, *, asked: bool = False) -> bool:
        """Take the one source of this set for a run; False if another has it, or it is not due.

        `asked` by a person, a source is fetched whether it is due, on or not. One conditional UPDATE: two
        workers never fetch the same source.
        """
        free = self.filter(self._free(at)) if asked else self.due(at)
        return free.update(lease_until=at + LEASE) == 1

    def _free(self, at: datetime) -> Q:
        return Q(lease_until=None) | Q(lease_until__lte=at)


class Source(models.Model):
    """Where papers come from, over the network."""

    class Kind(models.TextChoices):
        HUGGING_FACE = "hugging-face", "Hugging Face daily papers"
        ARXIV_FEED = "arxiv-feed", "arXiv, new papers (feed)"
        ARXIV_API = "arxiv-api", "arXiv, missing categories (API)"
        ARXIV_OAI = "arxiv-oai", "arXiv, all changes (OAI-PMH)"

    class View(models.TextChoices):
        DAY = "day", "by day"
        WEEK = "week", "by week"
        MONTH = "month", "by month"
        TRENDING = "trending", "trending"

    name = models.SlugField(
        unique=True, help_text="As manage.py fetch calls it, and what papers say where they were listed."
    )
    kind = models.CharField(max_length=12, choices=Kind.choices, help_text="Who is asked, and for what.")
    categories = models.JSONField(
        default=list, blank=True, help_text="Of arXiv only. One category on a line, such as cs.LG or math."
    )
    view = models.CharField(
        max_length=8, choices=View.choices, default=View.DAY, help_text="Of Hugging Face only: which of its lists."
    )
    every = models.PositiveIntegerField(
        "every … minutes", default=360, validators=[MinValueValidator(15)], help_text="How often it is fetched."
    )
    is_on = models.BooleanField(
        "on", default=False, help_text="Fetched by itself. “Fetch now” works also while it is off."
    )

    next_run_at = models.DateTimeField(null=True, blank=True, help_text="Empty: as soon as it is on.")
    lease_until = models.DateTimeField(null=True, editable=False)
    last_run_at = models.DateTimeField(null=True, editable=False)
    last_error = models.TextField(blank=True, editable=False)
    last_report = models.TextField(blank=True, editable=False, help_text="What was left out, and why.")
    failures = models.PositiveIntegerField(default=0, editable=False, help_text="In a row.")
    found = models.PositiveIntegerField(default=0, editable=False)
    new = models.PositiveIntegerField(default=0, editable=False)
    updated = models.PositiveIntegerField(default=0, editable=False)
    skipped = models.PositiveIntegerField(default=0, editable=False)
    validators = models.JSONField(default=dict, editable=False, help_text="By address: ETag and Last-Modified.")
    # Where an unfinished run goes on: the request to be asked next, or the last row that was asked for.
    cursor = models.JSONField(default=dict, editable=False)

    objects = SourceQuerySet.as_manager()

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    def clean(self) -> None:
        """Raises ValidationError for categories that arXiv does not have, and for a source without any."""
        names = self.categories
        if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
            raise ValidationError({"categories": "These must be arXiv categories, such as cs.LG or math."})
        try:
            check_categories(names)
        except ValidationError as error:
            raise ValidationError({"categories": error.messages}) from error
        if not names and self.kind in {self.Kind.ARXIV_FEED, self.Kind.ARXIV_OAI}:
            raise ValidationError({"categories": "Name at least one."})

    def renew(self, at: datetime, **kept: Any) -> bool:
        """Keep the source for the next answer, and `kept` fields; False if it was lost to another."""
        return self._mine(lease_until=at + LEASE, **kept)

    def release(self) -> bool:
        """Free the source as if nothing had been; False if it was lost to another."""
        return self._mine(lease_until=None)

    def settle(self, at: datetime, wait: timedelta | None = None, **outcome: Any) -> bool:
        """Record how a run went and free the source; False if it was lost to another.

        `wait` is how long the source asked not to be asked again; `outcome` are fields of this model.
        """
        rhythm = timedelta(minutes=self.every)
        failures = self.failures + 1 if outcome.get("last_error") else 0
        pause = min(rhythm, FIRST_RETRY * 2 ** min(failures - 1, 10)) if failures else rhythm
        next_run_at = at + max(pause, wait or timedelta())
        return self._mine(lease_until=None, last_run_at=at, failures=failures, next_run_at=next_run_at, **outcome)

    def _mine(self, **values: Any) -> bool:
        """Change the row if its lease is still the one we hold."""
        if not Source.objects.filter(pk=self.pk, lease_until=self.lease_until).update(**values):
            return False
        for name, value in values.items():
            setattr(self, name, value)
        return True
