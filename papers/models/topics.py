"""What readers can follow, and which papers belong to it."""

from typing import Self

from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils.translation import pgettext

BELONGS = 0.3  # from this strength on a paper counts as one of its topic's
NOT_THIS = 0.01  # the least strength there is: an editor's word that it is none of them
FURTHEST = 3.0  # a standing beyond says only that the topic's papers are few or alike


def spoken(words: str) -> str:
    """A topic's name, field or description in the language that is spoken now. Those of seeds/topics.json are
    translated; an operator's own stay as they were given."""
    return pgettext("topic", words)


class Topic(models.Model):
    """What a reader can follow."""

    slug = models.SlugField(
        unique=True,
        help_text="Stands in the addresses of its page and feeds; links with the old one end when it changes.",
    )
    name = models.CharField(max_length=80, unique=True, help_text="As readers see it.")
    description = models.CharField(max_length=200, help_text="One sentence for readers who choose topics.")
    field = models.CharField(max_length=60, help_text="The heading under which readers find it.")
    categories = models.JSONField(
        default=list,
        blank=True,
        help_text="One on a line: the arXiv categories whose papers belong to the topic, such as cs.RO.",
    )
    phrases = models.JSONField(
        default=list,
        blank=True,
        help_text="One on a line: words that name the topic in a text, in small letters; EEG where letters must match.",
    )
    position = models.PositiveSmallIntegerField(default=0, help_text="Order within its field.")
    # What is usual among its papers of late: papers/trends.py compares each with its own topic.
    usual_notice = models.FloatField(default=0, editable=False, help_text="Mean notice of its last 14 days' papers.")
    notice_spread = models.FloatField(default=0, editable=False, help_text="Standard deviation of the same.")

    class Meta:
        ordering = ["position", "name"]

    def __str__(self) -> str:
        return self.name

    @property
    def spoken(self) -> str:
        """The name as readers are told it."""
        return spoken(self.name)

    @property
    def spoken_field(self) -> str:
        return spoken(self.field)

    @property
    def spoken_description(self) -> str:
        return spoken(self.description)


class PaperTopicQuerySet(models.QuerySet["PaperTopic"]):
    def belonging(self) -> Self:
        """Strong enough to count; what is weaker is an editor's "not this"."""
        return self.filter(strength__gte=BELONGS)


class PaperTopic(models.Model):
    """How much a paper belongs to a topic, and who says so."""

    class Source(models.TextChoices):
        CATEGORIES = "categories", "arXiv categories"
        TEXT = "text", "title and abstract"
        EDITOR = "editor", "an editor"

    paper = models.ForeignKey("papers.Paper", on_delete=models.CASCADE, related_name="paper_topics")
    topic = models.ForeignKey(Topic, on_delete=models.CASCADE, related_name="paper_topics")
    strength = models.FloatField(
        validators=[MinValueValidator(NOT_THIS), MaxValueValidator(1)],
        help_text="From 0.01 (not this topic) to 1 (entirely this). From 0.3 on the paper is one of the topic's.",
    )
    source = models.CharField(max_length=12, choices=Source.choices)
    # The paper's own, kept here so that a topic's page reads one index: papers/trends.py.
    hot = models.FloatField(default=0, editable=False, help_text="The paper's trend score.")

    objects = PaperTopicQuerySet.as_manager()

    class Meta:
        verbose_name = "topic of a paper"
        verbose_name_plural = "topics of papers"
        ordering = ["-strength"]
        indexes = [
            models.Index(fields=["topic", "-hot", "paper"], name="paper_topic_hot"),  # a topic's page
        ]
        constraints = [
            models.UniqueConstraint(fields=["paper", "topic"], name="one_strength_per_paper_and_topic"),
            models.CheckConstraint(condition=Q(strength__gt=0, strength__lte=1), name="strength_in_0_1"),
        ]

    def __str__(self) -> str:
        return f"{self.topic} {self.strength:.2f}"

    @property
    def standing(self) -> float:
        """How much the paper is noticed within the topic, in standard deviations above what is usual there of late.

        From -FURTHEST to FURTHEST; 0 where there is nothing to compare it with.
        """
        if not self.topic.notice_spread > 1e-6:
            return 0.0
        distance = (self.paper.notice - self.topic.usual_notice) / self.topic.notice_spread
        return max(-FURTHEST, min(distance, FURTHEST))

    @property
    def standing_in_words(self) -> str:
        """The standing for a human."""
        if not self.topic.notice_spread > 1e-6:
            return "too few there to compare it with"
        if abs(self.standing) < 0.5:
            return "as usual there"
        return f"{abs(self.standing):.1f} {'above' if self.standing > 0 else 'below'} the usual"


class TopicModelQuerySet(models.QuerySet["TopicModel"]):
    def in_use(self) -> Self:
        return self.filter(in_use=True)


class TopicModel(models.Model):
    """What one training taught (papers/training.py). In the database, so that all machines judge alike."""

    trained_at = models.DateTimeField()
    trained_until = models.DateField(help_text="It has seen no paper that is later than this.")
    papers = models.PositiveIntegerField(help_text="It has learnt from so many.")
    held_out = models.PositiveIntegerField(help_text="Later papers that it was measured on.")
    measures = models.JSONField(help_text="Of this model, of phrases and of the model in use then.")
    learnt = models.JSONField(help_text="The topics it judges; the others stay with their phrases.")
    verdict = models.CharField(max_length=200)
    in_use = models.BooleanField(default=False, editable=False)
    digest = models.CharField(max_length=64, editable=False, help_text="SHA-256 of the weights.")
    weights = models.BinaryField(help_text="See papers/classifier.py.")

    objects = TopicModelQuerySet.as_manager()

    class Meta:
        ordering = ["-trained_at"]
        constraints = [
            models.UniqueConstraint(fields=["in_use"], condition=Q(in_use=True), name="one_topic_model_in_use")
        ]

    def __str__(self) -> str:
        return f"{self.trained_at:%Y-%m-%d %H:%M}, from {self.papers} papers"
