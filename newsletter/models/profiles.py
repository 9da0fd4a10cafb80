"""What the service has learned of readers' tastes."""

from django.db import models

from subscribers.models import Subscriber


class Profile(models.Model):
    """A reader's learned taste: a few dozen weights of terms and authors, in words that anybody understands. It is made
    from Feedback, and can be made from it again at any time."""

    subscriber = models.OneToOneField(Subscriber, on_delete=models.CASCADE, related_name="+")
    terms = models.JSONField(default=dict, help_text="Weights of words and short phrases; below 0 is disliked.")
    authors = models.JSONField(default=dict, help_text="Weights of the authors of liked papers.")
    likes = models.FloatField(default=0, help_text="How many papers are liked, older ones counting less.")
    words = models.PositiveIntegerField(help_text="How many words on papers it was learned from.")
    learned_at = models.DateTimeField()

    def __str__(self) -> str:
        return f"Taste of reader {self.subscriber_id}"
