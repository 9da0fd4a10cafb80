"""How well a topic's papers are found: by the editors' corrections, and by how many papers find a topic at all."""

from dataclasses import dataclass, field

from django.db.models import Count, Exists, OuterRef

from papers.models import Paper, PaperTopic, Topic, TopicModel
from papers.models.topics import BELONGS
from papers.topics import Classifier, model_in_use

JUDGED = 200  # corrections of a topic, the latest, that the classifier is asked about
LATEST = 1_000  # papers whose topics are looked at


@dataclass(frozen=True)
class Quality:
    """Of one topic. `corrected` papers were decided by an editor; the machine is asked about each of them again."""

    corrected: int
    agreed: int  # both say that it belongs
    wrong: int  # the machine alone says so
    missed: int  # the editor alone says so
    latest: int  # papers looked at
    classified: int  # of these, those that have any topic
    mine: int  # of these, those that have this one
    by_source: dict[str, int] = field(default_factory=dict)  # of `mine`: who says so

    @property
    def precision(self) -> float | None:
        """In percent: of the corrected papers that the machine gives the topic, those that the editor gives it too."""
        given = self.agreed + self.wrong
        return 100 * self.agreed / given if given else None

    @property
    def recall(self) -> float | None:
        """In percent: of those that the editor gives the topic, those that the machine finds."""
        given = self.agreed + self.missed
        return 100 * self.agreed / given if given else None

    @property
    def share_classified(self) -> float | None:
        return 100 * self.classified / self.latest if self.latest else None


def quality(topic: Topic) -> Quality:
    """Six queries, none of them over all papers; a few hundred abstracts are classified."""
    decided = list(
        PaperTopic.objects.filter(topic=topic, source=PaperTopic.Source.EDITOR)
        .select_related("paper")
        .order_by("-pk")[:JUDGED]
    )
    given = _by_machine(topic, [one.paper for one in decided])
    pairs = [(one.paper_id in given, one.strength >= BELONGS) for one in decided]
    latest = list(Paper.objects.filter(listed_on__isnull=False).order_by("-pk").values_list("pk", flat=True)[:LATEST])
    papers = Paper.objects.filter(pk__in=latest)
    any_topic = PaperTopic.objects.belonging().filter(paper=OuterRef("pk"))
    mine = PaperTopic.objects.belonging().filter(topic=topic, paper__in=latest).order_by()
    by_source = dict(mine.values_list("source").annotate(Count("pk")))
    return Quality(
        corrected=len(decided),
        agreed=pairs.count((True, True)),
        wrong=pairs.count((True, False)),
        missed=pairs.count((False, True)),
        latest=len(latest),
        classified=papers.filter(Exists(any_topic)).count(),
        mine=sum(by_source.values()),
        by_source={PaperTopic.Source(source).label: number for source, number in by_source.items()},
    )


def _by_machine(topic: Topic, papers: list[Paper]) -> set[int]:
    """The papers that would be given the topic, if no editor had spoken."""
    if not papers:
        return set()
    classifier = Classifier(Topic.objects.order_by("pk"), model_in_use())
    return {
        paper.pk
        for paper in papers
        for one in classifier.classify(paper.title, paper.abstract, paper.categories)
        if one.topic_id == topic.pk
    }


def training_of(topic: Topic) -> tuple[TopicModel | None, bool]:
    """The model in use, and whether it has learnt this topic; the others are found by their phrases."""
    model = TopicModel.objects.in_use().defer("weights").first()
    return model, bool(model and topic.name in model.learnt)
