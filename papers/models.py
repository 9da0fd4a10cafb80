"""What was published: papers, what they are about, where and when they were shown, how they are received."""

from datetime import date
from typing import Self

from django.db import models
from django.db.models import Q
from django.utils.text import slugify


class Topic(models.Model):
    """What a reader can follow."""

    slug = models.SlugField(unique=True)
    name = models.CharField(max_length=80, unique=True)
    description = models.CharField(max_length=200)
    field = models.CharField(max_length=60, help_text="The heading under which readers find it.")
    categories = models.JSONField(default=list, blank=True, help_text="arXiv categories, such as cs.LG.")
    phrases = models.JSONField(default=list, blank=True, help_text="Words that name the topic in a text.")
    position = models.PositiveSmallIntegerField(default=0, help_text="Order within its field.")

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name


class PaperQuerySet(models.QuerySet["Paper"]):
    def listed(self, since: date, until: date) -> Self:
        """Listed after `since` and no later than `until`. Windows go by listing, never by publication."""
        return self.filter(listed_on__gt=since, listed_on__lte=until)

    def trending(self) -> Self:
        """Hottest first; ties by row, so that the order never wavers."""
        return self.order_by("-hot", "pk")


class Paper(models.Model):
    """A research paper as the world published it: one row per work, whatever version or source."""

    arxiv_id = models.CharField("arXiv id", max_length=32, unique=True, null=True, blank=True)
    doi = models.CharField("DOI", max_length=255, unique=True, null=True, blank=True)
    title_key = models.CharField(
        max_length=64,
        editable=False,
        help_text="Identity where a source gives no id: see papers/identity.py.",
    )
    title = models.CharField(max_length=500)
    abstract = models.TextField(blank=True)
    authors = models.JSONField(default=list, blank=True, help_text="Names in their order.")
    categories = models.JSONField(default=list, blank=True, help_text="arXiv categories, primary first.")
    published_at = models.DateTimeField(null=True, blank=True)
    url = models.URLField(max_length=500, blank=True, help_text="The abstract page.")
    pdf_url = models.URLField("PDF", max_length=500, blank=True)
    code_url = models.URLField("code", max_length=500, blank=True)
    topics = models.ManyToManyField(Topic, through="PaperTopic", related_name="papers")
    # Both are derived from listings and readings, and kept here to be indexed: papers/trends.py.
    listed_on = models.DateField(null=True, blank=True, editable=False)
    hot = models.FloatField(default=0, editable=False, help_text="The trend score of papers/trends.py.")
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    objects = PaperQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["title_key"],
                condition=Q(arxiv_id=None, doi=None),
                name="paper_without_ids_is_unique_by_title",
            ),
        ]
        indexes = [
            models.Index(fields=["title_key"], name="paper_title_key"),  # upsert
            models.Index(fields=["-listed_on", "-hot"], name="paper_listed_hot"),  # day pages, pools
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def slug(self) -> str:
        """A readable end for the paper's address; it carries no identity."""
        return slugify(self.title)[:60].strip("-") or "paper"


class PaperTopic(models.Model):
    """How much a paper belongs to a topic, and who says so."""

    class Source(models.TextChoices):
        CATEGORIES = "categories", "arXiv categories"
        TEXT = "text", "title and abstract"
        EDITOR = "editor", "an editor"

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="paper_topics")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="paper_topics")
    strength = models.FloatField(help_text="From 0 (not at all) to 1 (entirely).")
    source = models.CharField(max_length=12, choices=Source.choices)

    class Meta:
        ordering = ["-strength"]
        constraints = [
            models.UniqueConstraint(fields=["paper", "topic"], name="one_strength_per_paper_and_topic"),
            models.CheckConstraint(condition=Q(strength__gt=0, strength__lte=1), name="strength_in_0_1"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.strength:.2f}"


class Listing(models.Model):
    """That a source showed a paper on a day, at a place: trends start here."""

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="listings")
    source = models.SlugField()
    day = models.DateField()
    place = models.PositiveIntegerField(null=True, blank=True, help_text="Rank on the page, from 1.")

    class Meta:
        ordering = ["-day", "place"]
        constraints = [
            models.UniqueConstraint(fields=["source", "day", "paper"], name="one_listing_per_source_and_day"),
            models.CheckConstraint(condition=Q(place=None) | Q(place__gte=1), name="places_start_at_1"),
        ]

    def __str__(self) -> str:
        return f"{self.source} {self.day} #{self.place}"


class Reading(models.Model):
    """A paper's popularity at an instant. Append-only, so that speed can be computed."""

    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="readings")
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
