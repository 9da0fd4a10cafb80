"""What papers are recognised by."""

from __future__ import annotations

from django.db import models


class Vocabulary(models.Model):
    """How many of a sample of papers use each term (papers/similar.py). The latest one is in use."""

    made_at = models.DateTimeField()
    papers = models.PositiveIntegerField(help_text="Size of the sample.")
    counts = models.JSONField(help_text="Papers by term.")

    class Meta:
        get_latest_by = "pk"
        verbose_name_plural = "vocabularies"

    def __str__(self) -> str:
        return f"{self.made_at:%Y-%m-%d %H:%M}, from {self.papers} papers"


class Keyword(models.Model):
    """A term that tells a paper from others. A paper's weights have length 1 together."""

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="keywords")
    term = models.CharField(max_length=80)
    weight = models.FloatField()

    class Meta:
        ordering = ["-weight"]
        constraints = [
            models.UniqueConstraint(fields=["paper", "term"], name="a_keyword_once_in_a_paper"),
        ]
        indexes = [
            models.Index(
                fields=["term", "paper", "weight"], name="keyword_of_term"
            ),  # papers/similar.py reads nothing else
        ]

    def __str__(self) -> str:
        return self.term
