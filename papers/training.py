"""From labelled papers to the model in use: read, hold out, fit, compare, decide.

Labels are the authors' categories, as papers/topics.py maps them to topics, and editors' decisions, which win and
weigh more. Topics finer than arXiv's are learnt once editors have placed enough papers in them; a paper that names
none of such a topic's phrases counts as outside it, one that does and that no editor has seen is not used.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, datetime
from hashlib import sha256

import numpy as np
from django.db import transaction
from numpy.typing import NDArray
from sklearn.metrics import f1_score, label_ranking_average_precision_score

from papers import fitting
from papers.classifier import Floats, Text, TextModel
from papers.models import Paper, PaperTopic, Topic, TopicModel
from papers.phrases import Phrases
from papers.topics import THRESHOLD, Classifier, by_categories, model_in_use

MAX_PAPERS = 30_000  # the most recent ones: bounds memory (about 1 GB) and time (minutes)
MAX_BYTES = 50_000_000  # of a model; 100,000 terms and 40 topics are about a fifth of it
HELD_OUT = 0.1  # the latest part, measured on and never learnt from
MIN_HELD_OUT = 50
MIN_PAPERS = 30  # inside a topic, and outside it, to learn it
EDITOR_WEIGHT = 3.0  # an editor has read the paper; a category was often ticked in passing
KEPT = 10  # models; older ones go
READING, LEARNING, MEASURING = STEPS = ("reading", "learning", "measuring")
_CHUNK = 500


class NotEnoughPapersError(Exception):
    """There is too little to learn from, or to measure on; the message says what is missing."""


@dataclass(frozen=True)
class Measures:
    """Of a text classifier against labels, each 0..1."""

    micro_f1: float
    macro_f1: float
    ranking: float  # label-ranking average precision
    first: float  # precision at 1: how often the strongest topic is right

    @property
    def overall(self) -> float:
        """What two models are compared by."""
        return (self.micro_f1 + self.ranking + self.first) / 3


@dataclass
class Labelled:
    """Labelled papers, oldest first. Rows are papers, columns the topics in the order of `topics`."""

    topics: list[Topic]
    texts: list[Text] = field(default_factory=list)
    days: list[date] = field(default_factory=list)
    belongs: NDArray[np.bool_] = field(default_factory=lambda: np.zeros((0, 0), np.bool_))
    weights: Floats = field(default_factory=lambda: np.zeros((0, 0), np.float32))  # 0: nobody knows


@dataclass(frozen=True)
class Outcome:
    """What a training came to. `in_use_measures` is None where no model was in use."""

    model: TextModel
    learnt: list[str]
    papers: int
    held_out: int
    trained_until: date
    candidate: Measures
    phrases: Measures
    in_use_measures: Measures | None

    @property
    def rivals(self) -> dict[str, Measures]:
        rivals = {"phrases": self.phrases, "the model in use": self.in_use_measures}
        return {name: measures for name, measures in rivals.items() if measures}

    @property
    def worse_than(self) -> list[str]:
        """Whom it must not replace."""
        return [name for name, rival in self.rivals.items() if self.candidate.overall < rival.overall]

    @property
    def verdict(self) -> str:
        worse = " and than ".join(self.worse_than)
        return f"Not put in use: on held-out papers it is worse than {worse}." if worse else "Put in use."


def train(tell: Callable[[str], object] = str) -> Outcome:
    """A new model, measured beside phrases and the model in use, on papers that neither has seen.

    Tells `tell` which of STEPS comes next. Raises NotEnoughPapersError.
    """
    tell(READING)
    papers = labelled()
    split = _split(papers.days)
    later = np.array([day > split for day in papers.days])
    if later.sum() < MIN_HELD_OUT:
        raise NotEnoughPapersError(
            f"{len(papers.days)} papers have known topics, {later.sum()} of them after {split}; {MIN_HELD_OUT} later"
            " ones are needed to measure on."
        )
    columns = _learnable(papers, ~later)
    if not columns:
        raise NotEnoughPapersError(f"No topic has {MIN_PAPERS} labelled papers inside and outside it.")
    tell(LEARNING)
    model = fitting.fit(_examples(papers, ~later, columns, split))
    tell(MEASURING)
    current = model_in_use()
    return Outcome(
        model=model,
        learnt=[papers.topics[column].name for column in columns],
        papers=int((~later).sum()),
        held_out=int(later.sum()),
        trained_until=split,
        candidate=measure(papers, later, model),
        phrases=measure(papers, later, None),
        in_use_measures=measure(papers, later, current) if current else None,
    )


def keep(outcome: Outcome, at: datetime) -> TopicModel:
    """Store the model with its measures, in use unless it is worse; models beyond KEPT go."""
    content = outcome.model.to_bytes()
    if len(content) > MAX_BYTES:
        raise ValueError(f"A model of {len(content)} bytes is larger than {MAX_BYTES}.")
    in_use = not outcome.worse_than
    candidate, rivals = asdict(outcome.candidate), {name: asdict(one) for name, one in outcome.rivals.items()}
    with transaction.atomic():
        if in_use:
            TopicModel.objects.in_use().update(in_use=False)
        row = TopicModel.objects.create(
            trained_at=at,
            trained_until=outcome.trained_until,
            papers=outcome.papers,
            held_out=outcome.held_out,
            measures={"candidate": candidate, **rivals},
            learnt=outcome.learnt,
            verdict=outcome.verdict,
            in_use=in_use,
            digest=sha256(content).hexdigest(),
            weights=content,
        )
        recent = TopicModel.objects.order_by("-pk").values_list("pk", flat=True)[:KEPT]
        TopicModel.objects.filter(in_use=False).exclude(pk__in=list(recent)).delete()
    return row


def labelled() -> Labelled:
    """The most recent labelled papers."""
    papers = Labelled(topics=list(Topic.objects.order_by("pk")))
    label = _Labeller(papers.topics)
    rows = [(paper, label(paper)) for paper in _most_recent()]
    rows.sort(key=lambda row: (row[0].dated, row[0].pk))
    for paper, _ in rows:
        papers.texts.append((paper.title, paper.abstract))
        papers.days.append(paper.dated)
    shape = (len(rows), len(papers.topics))
    papers.belongs = np.array([known[0] for _, known in rows], np.bool_).reshape(shape)
    papers.weights = np.array([known[1] for _, known in rows], np.float32).reshape(shape)
    return papers


def _most_recent() -> Iterator[Paper]:
    papers = Paper.objects.labelled().youngest_first()
    return papers.only("title", "abstract", "categories")[:MAX_PAPERS].iterator(_CHUNK)


class _Labeller:
    """What is known of a paper: for each topic, whether it belongs, and how much that weighs."""

    def __init__(self, topics: Sequence[Topic]) -> None:
        self._topics = topics
        self._decided: defaultdict[int, dict[int, bool]] = defaultdict(dict)
        inside: defaultdict[int, int] = defaultdict(int)
        rows = PaperTopic.objects.filter(source=PaperTopic.Source.EDITOR)
        for paper, topic, strength in rows.values_list("paper", "topic", "strength").iterator(_CHUNK):
            self._decided[paper][topic] = strength >= THRESHOLD
            inside[topic] += strength >= THRESHOLD
        # Reading phrases takes time: only where there is something to learn.
        fine = [topic for topic in topics if not topic.categories and inside[topic.pk] >= MIN_PAPERS]
        self._fine = {topic.pk for topic in fine}
        self._phrases = Phrases({topic.pk: topic.phrases for topic in fine})

    def __call__(self, paper: Paper) -> tuple[list[bool], list[float]]:
        decided = self._decided.get(paper.pk, {})
        named = self._phrases.strengths(paper.title, paper.abstract) if self._fine else {}
        belongs, weights = [], []
        for topic in self._topics:
            if topic.pk in decided:
                known, weight = decided[topic.pk], EDITOR_WEIGHT
            elif topic.categories:
                known, weight = bool(by_categories(topic.categories, paper.categories)), float(bool(paper.categories))
            else:
                known, weight = False, float(topic.pk in self._fine and topic.pk not in named)
            belongs.append(known)
            weights.append(weight)
        return belongs, weights


def _split(days: Sequence[date]) -> date:
    """The last day to learn from; never before that of the model in use, or it would be measured on its lessons."""
    if not days:
        raise NotEnoughPapersError("No paper has known topics: neither arXiv categories nor an editor's decision.")
    split = days[int((len(days) - 1) * (1 - HELD_OUT))]
    current = TopicModel.objects.in_use().values_list("trained_until", flat=True).first()
    return max(filter(None, [split, current]))


def _learnable(papers: Labelled, rows: NDArray[np.bool_]) -> list[int]:
    """The columns of topics with enough papers on both sides."""
    known, belongs = papers.weights[rows] > 0, papers.belongs[rows]
    inside, outside = (known & belongs).sum(0), (known & ~belongs).sum(0)
    return [int(column) for column in np.flatnonzero((inside >= MIN_PAPERS) & (outside >= MIN_PAPERS))]


def _examples(papers: Labelled, rows: NDArray[np.bool_], columns: list[int], until: date) -> fitting.Examples:
    chosen = np.flatnonzero(rows)
    return fitting.Examples(
        texts=[papers.texts[row] for row in chosen],
        labels=tuple(str(papers.topics[column].pk) for column in columns),
        belongs=papers.belongs[rows][:, columns],
        weights=papers.weights[rows][:, columns],
        ages=np.array([(until - papers.days[row]).days for row in chosen], np.float32),
    )


def measure(papers: Labelled, rows: NDArray[np.bool_], model: TextModel | None) -> Measures:
    """How well title and abstract alone find what is known of these papers, with this model or by phrases."""
    classifier = Classifier(papers.topics, model)
    order = [topic.pk for topic in papers.topics]
    strengths = np.zeros((int(rows.sum()), len(order)))
    for place, row in enumerate(np.flatnonzero(rows)):
        found = classifier.by_text(*papers.texts[row])
        strengths[place] = [found.get(topic_id, 0.0) for topic_id in order]
    known = papers.weights[rows] > 0
    return measures(np.where(known, strengths, 0.0), papers.belongs[rows] & known)


def measures(strengths: NDArray[np.float64], belongs: NDArray[np.bool_]) -> Measures:
    """Labels that nobody has are left out; so are papers without a label where places are compared."""
    seen, labelled_rows = belongs.any(0), belongs.any(1)
    if not seen.any():
        return Measures(0.0, 0.0, 0.0, 0.0)
    given = strengths >= THRESHOLD
    ranked, truth = strengths[labelled_rows], belongs[labelled_rows]
    return Measures(
        micro_f1=float(f1_score(belongs, given, average="micro", zero_division=0)),
        macro_f1=float(f1_score(belongs[:, seen], given[:, seen], average="macro", zero_division=0)),
        ranking=float(label_ranking_average_precision_score(truth, ranked)),
        first=float(truth[np.arange(len(truth)), ranked.argmax(1)].mean()),
    )
