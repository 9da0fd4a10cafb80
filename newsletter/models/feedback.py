"""What readers say of the papers they got."""

import re
from dataclasses import dataclass
from datetime import datetime

from django.db import models
from django.utils import timezone

from papers.identity import arxiv_id
from papers.models import Paper
from subscribers.models import Subscriber

MOST_PASTED = 100  # ids at once

_APART = re.compile(r"[\s,;]+")


@dataclass(frozen=True)
class Pasted:
    """What came of arXiv ids that a reader pasted."""

    liked: list[Paper]
    unknown: list[str]  # ids of papers that this service has not seen


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def like(self, subscriber: Subscriber, pasted: str, at: datetime) -> Pasted:
        """Count the papers of these arXiv ids or addresses as liked: a start for who has no likes yet.

        A paper on which the reader said something keeps that word.
        """
        ids = list(dict.fromkeys(found for word in _APART.split(pasted) if (found := arxiv_id(word))))[:MOST_PASTED]
        papers = list(Paper.objects.filter(arxiv_id__in=ids).order_by("pk"))
        self.bulk_create(
            (Feedback(subscriber=subscriber, paper=paper, kind=Feedback.Kind.MORE, at=at) for paper in papers),
            ignore_conflicts=True,
        )
        known = {paper.arxiv_id for paper in papers}
        return Pasted(papers, [one for one in ids if one not in known])


class Feedback(models.Model):
    """A reader's word on a paper: the only thing that taste is learned from. Taken back, it is deleted."""

    class Kind(models.TextChoices):
        MORE = "more", "more like this"
        LESS = "less", "less like this"
        SAVED = "saved"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    at = models.DateTimeField(default=timezone.now)

    objects = FeedbackQuerySet.as_manager()

    class Meta:
        verbose_name_plural = "feedback"
        ordering = ["-at"]
        constraints = [
            # The last word stands.
            models.UniqueConstraint(fields=["subscriber", "paper"], name="one_word_on_a_paper"),
        ]
        indexes = [models.Index(fields=["subscriber", "-at"], name="feedback_of_reader")]  # learning a taste

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.paper}"
