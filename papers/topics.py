"""How much a paper belongs to each topic: from its arXiv categories where it has any, else from its words.

A topic that has categories of its own is judged by them alone when the paper's are known. Finer topics than
arXiv's (graph neural networks are cs.LG like much else) are always judged by title and abstract.

The words are judged by the model in use for the topics that it has learnt (papers/training.py), by the topic's
phrases for the others.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from django.db import transaction

from papers.classifier import ModelFormatError, TextModel
from papers.models import Paper, PaperTopic, Topic, TopicModel
from papers.models.topics import BELONGS
from papers.phrases import Phrases

log = logging.getLogger(__name__)

# Strength from categories: the first is the authors' own, the rest are cross-lists.
PRIMARY = 1.0
CROSS_LISTED = 0.6
THRESHOLD = BELONGS  # weaker strengths are dropped: one passing mention is no topic
MAX_TOPICS = 5  # a paper about everything is about nothing

_CHUNK = 500


@dataclass(frozen=True)
class Membership:
    """That a paper belongs to a topic, how much (0..1), and by which evidence."""

    topic_id: int
    strength: float
    source: PaperTopic.Source


class Classifier:
    """The topics' categories and phrases, and the model in use where there is one."""

    def __init__(self, topics: Iterable[Topic], model: TextModel | None = None) -> None:
        topics = list(topics)
        self._categories = {topic.pk: topic.categories for topic in topics}
        self._model = model
        columns = {int(label): column for column, label in enumerate(model.labels)} if model else {}
        self._columns = {pk: column for pk, column in columns.items() if pk in self._categories}
        self._phrases = Phrases({topic.pk: topic.phrases for topic in topics if topic.pk not in self._columns})

    def classify(self, title: str, abstract: str, categories: Sequence[str] = ()) -> list[Membership]:
        """The topics of a paper, strongest first; ties by topic."""
        found: dict[int, Membership] = {}
        for topic_id, strength in self.by_text(title, abstract).items():
            if not (categories and self._categories[topic_id]):
                found[topic_id] = Membership(topic_id, round(strength, 3), PaperTopic.Source.TEXT)
        for topic_id, patterns in self._categories.items():
            if strength := by_categories(patterns, categories):
                found[topic_id] = Membership(topic_id, strength, PaperTopic.Source.CATEGORIES)
        strong = (one for one in found.values() if one.strength >= THRESHOLD)
        return sorted(strong, key=lambda one: (-one.strength, one.topic_id))[:MAX_TOPICS]

    def by_text(self, title: str, abstract: str) -> dict[int, float]:
        """The strengths that the words alone give, 0..1; a topic that is not named has none."""
        found = self._phrases.strengths(title, abstract)
        if self._model and self._columns:
            strengths = self._model.strengths([(title, abstract)], THRESHOLD)[0]
            found |= {pk: float(strengths[column]) for pk, column in self._columns.items()}
        return found


def assign(papers: Iterable[Paper]) -> int:
    """Give papers their topics; how many rows changed. What an editor has decided stays as it is."""
    classifier = Classifier(Topic.objects.order_by("pk"), model_in_use())
    remaining = iter(papers)
    changed = 0
    while chunk := list(islice(remaining, _CHUNK)):
        changed += _assign_chunk(classifier, chunk)
    return changed


def model_in_use() -> TextModel | None:
    """The trained model that all machines share; None before the first, or if this version cannot read it."""
    digest = TopicModel.objects.in_use().values_list("digest", flat=True).first()
    return _loaded(digest) if digest else None


@lru_cache(maxsize=1)  # some megabytes, read once a process
def _loaded(digest: str) -> TextModel | None:
    content = TopicModel.objects.filter(digest=digest).values_list("weights", flat=True).first()
    try:
        return TextModel.from_bytes(bytes(content or b""))
    except ModelFormatError:
        log.exception("the topic model in use cannot be read; topics come from phrases until the next training")
        return None


def assign_all(follow: Callable[[Iterable[Paper]], Iterable[Paper]] = iter) -> int:
    """Give all papers their topics anew, after the topics have changed; how many rows changed.

    Whoever wants to see how far it is looks on by `follow`.
    """
    return assign(follow(Paper.objects.only("title", "abstract", "categories", "hot").iterator(_CHUNK)))


@transaction.atomic
def _assign_chunk(classifier: Classifier, papers: list[Paper]) -> int:
    wanted = {
        (paper.pk, one.topic_id): one
        for paper in papers
        for one in classifier.classify(paper.title, paper.abstract, paper.categories)
    }
    new, moved, gone = dict(wanted), [], []
    for row in PaperTopic.objects.filter(paper__in={paper.pk for paper in papers}):
        one = new.pop((row.paper_id, row.topic_id), None)
        if row.source == PaperTopic.Source.EDITOR:
            continue
        if one is None:
            gone.append(row.pk)
        elif (row.strength, row.source) != (one.strength, one.source):
            row.strength, row.source = one.strength, one.source
            moved.append(row)
    PaperTopic.objects.filter(pk__in=gone).exclude(source=PaperTopic.Source.EDITOR).delete()
    PaperTopic.objects.bulk_update(moved, ["strength", "source"])
    hot = {paper.pk: paper.hot for paper in papers}
    PaperTopic.objects.bulk_create(
        (
            PaperTopic(
                paper_id=paper_id, topic_id=topic_id, strength=one.strength, source=one.source, hot=hot[paper_id]
            )
            for (paper_id, topic_id), one in new.items()
        ),
        ignore_conflicts=True,  # another worker may assign the same paper
    )
    return len(new) + len(moved) + len(gone)


def by_categories(patterns: Sequence[str], categories: Sequence[str]) -> float:
    """0 where none of the patterns is among them; `astro-ph` holds `astro-ph.GA` too."""
    for place, category in enumerate(categories):
        if any(category == pattern or category.startswith(f"{pattern}.") for pattern in patterns):
            return PRIMARY if place == 0 else CROSS_LISTED
    return 0.0
