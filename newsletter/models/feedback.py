"""What readers say of the papers they got."""

from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from papers.models import Paper
from subscribers.models import Subscriber


class FeedbackQuerySet(models.QuerySet["Feedback"]):
    def say(self, subscriber: Subscriber, paper: Paper, kind: str, at: datetime) -> bool:
        """The last word stands; the same word again changes nothing. Returns whether anything changed."""
        row, is_new = self.get_or_create(subscriber=subscriber, paper=paper, defaults={"kind": kind, "at": at})
        return is_new or bool(self.filter(pk=row.pk).exclude(kind=kind).update(kind=kind, at=at))

    def take_back(self, subscriber: Subscriber, paper: Paper, at: datetime, before: str = "") -> bool:
        """What was said `before` stands again, if anything was. Returns whether there was a word to take back."""
        said = self.filter(subscriber=subscriber, paper=paper)
        return bool(said.exclude(kind=before).update(kind=before, at=at) if before else said.delete()[0])


class Feedback(models.Model):
    """A reader's word on a paper: the only thing that taste is learned from. Taken back, it is deleted."""

    class Kind(models.TextChoices):
        MORE = "more", _("more like this")
        LESS = "less", _("less like this")
        SAVED = "saved", pgettext_lazy("a paper", "Saved")

        @property
        def wish(self) -> str:
            """As a button asks for it."""
            if self == self.SAVED:
                return gettext("Save")
            return gettext("More like this") if self == self.MORE else gettext("Less like this")

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
