"""Where and when papers were shown, and how they are received."""

from django.db import models
from django.db.models import Q


class Listing(models.Model):
    """That a source showed a paper on a day, at a place: trends start here."""

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="listings")
    source = models.SlugField(help_text="Whose list it stood on: the name of a source.")
    day = models.DateField(help_text="The day of that list.")
    place = models.PositiveIntegerField(null=True, blank=True, help_text="Rank on the page, from 1.")

    class Meta:
        ordering = ["-day", "place"]
        constraints = [
            models.UniqueConstraint(fields=["source", "day", "paper"], name="one_listing_per_source_and_day"),
            models.CheckConstraint(condition=Q(place=None) | Q(place__gte=1), name="places_start_at_1"),
        ]
        indexes = [
            models.Index(fields=["day", "paper"], name="listing_of_day"),  # archive pages, calendar
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.day} #{self.place}"


class Reading(models.Model):
    """A paper's popularity at an instant. Append-only, so that speed can be computed."""

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="readings")
    taken_at = models.DateTimeField()
    upvotes = models.PositiveIntegerField(default=0)
    comments = models.PositiveIntegerField(default=0)
    stars = models.PositiveIntegerField(null=True, blank=True, help_text="Of the code repository, in all.")

    class Meta:
        ordering = ["-taken_at"]
        get_latest_by = "taken_at"
        constraints = [
            models.UniqueConstraint(fields=["paper", "taken_at"], name="one_reading_per_instant"),
        ]

    def __str__(self) -> str:
        return f"{self.upvotes} upvotes at {self.taken_at:%Y-%m-%d %H:%M}"
