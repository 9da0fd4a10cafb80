"""What readers say of the papers they got."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from papers.models import Paper
from subscribers.models import Subscriber


class Feedback(models.Model):
    """A reader's word on a paper: the only thing that taste is learned from. Taken back, it is deleted."""

    class Kind(models.TextChoices):
        MORE = "more", _("more like this")
        LESS = "less", _("less like this")
        SAVED = "saved", pgettext_lazy("a paper", "Saved")

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="+")
    paper = models.ForeignKey(Paper, on_delete=models.CASCADE, related_name="+")
    kind = models.CharField(max_length=5, choices=Kind.choices)
    at = models.DateTimeField(default=timezone.now)

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
