"""What a reader wants more of, and never again, beside the topics."""

from django.db import models
from django.db.models.functions import Lower

from subscribers.models.subscribers import Subscriber


class Interest(models.Model):
    """A phrase or an author that a reader follows or mutes. Followed and muted topics are Subscriber's own.

    A phrase is matched in titles and abstracts as topics' phrases are; an author by name, however it is written.
    """

    class Sense(models.TextChoices):
        FOLLOW = "follow", "follows"
        MUTE = "mute", "mutes"

    class Kind(models.TextChoices):
        PHRASE = "phrase"
        AUTHOR = "author"

    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="interests")
    sense = models.CharField(max_length=6, choices=Sense.choices)
    kind = models.CharField(max_length=6, choices=Kind.choices)
    value = models.CharField(max_length=100, help_text="As the reader typed it.")

    class Meta:
        ordering = ["sense", "kind", "value"]
        constraints = [
            # Nobody both follows and mutes one thing.
            models.UniqueConstraint("subscriber", "kind", Lower("value"), name="one_interest_in_a_thing"),
            models.CheckConstraint(condition=~models.Q(value=""), name="an_interest_names_something"),
        ]

    def __str__(self) -> str:
        return f"{self.get_sense_display()} {self.value}"
