"""Which papers are alike: by the few terms that tell each from all others. See docs/similar.md.

A term is a word or a pair of neighbours, as papers/classifier.py reads them. Its weight is TF-IDF, after what a sample
of papers uses; the heaviest are stored with each paper, so to find its likes is to look some twenty terms up.
"""

import math
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from itertools import islice

from django.db import transaction
from django.db.models import Case, F, FloatField, Sum, Value, When

from papers.classifier import terms
from papers.models import Keyword, Paper, Vocabulary

SAMPLE = 20_000  # papers, the latest: what a field talks about changes
MOST_TERMS = 60_000  # of a vocabulary; the rest are as rare as its rarest
KEYWORDS = 24  # of a paper
IN_TITLE = 1.5  # times heavier
ALIKE = 0.1  # a smaller cosine is chance: two papers share a common word
LONGEST_TERM = 80  # as the column
UNSHARED = 1e-3  # of a term that the vocabulary has not; some day another paper may use it
# A vocabulary of a young site is made anew when it has grown so much.
GROWTH = 3

_CHUNK = 500
# Words that every abstract has.
_STOP = (
    "a about above across after all also although among an and any are as at based be because been being between both"
    " but by can could due during each either et etc for from further given had has have having here how however i if"
    " in into is it its itself may more most much must neither new no nor not of on one only or other our over per"
    " rather same several should show shows since so some such than that the their them then there these they this"
    " those through thus to toward towards two under up upon use used uses using via was we well were what when where"
    " whether which while who whose will with within without would yet approach approaches demonstrate demonstrates"
    " existing experiments introduce method methods novel paper propose proposed proposes results work"
)
COMMON = frozenset(_STOP.split())


def similar(paper: Paper, most: int = 5) -> list[Paper]:
    """The papers most like it, best first; ties by row. Three queries, however many papers there are."""
    mine = dict(Keyword.objects.filter(paper=paper).values_list("term", "weight"))
    if not mine:
        return []
    weight = Case(*(When(term=term, then=Value(weight)) for term, weight in mine.items()), output_field=FloatField())
    others = Keyword.objects.filter(term__in=mine).exclude(paper=paper).order_by().values("paper")
    scored = others.annotate(score=Sum(F("weight") * weight)).filter(score__gte=ALIKE).order_by("-score", "paper")
    order = list(scored.values_list("paper", flat=True)[:most])
    found = Paper.objects.in_bulk(order)
    return [found[pk] for pk in order if pk in found]


def index(papers: Iterable[Paper]) -> None:
    """Store the keywords of these papers; three queries a chunk where they have changed."""
    vocabulary = in_use()
    remaining = iter(papers)
    while chunk := list(islice(remaining, _CHUNK)):
        _index_chunk({paper.pk: keywords(paper.title, paper.abstract, vocabulary) for paper in chunk})


@transaction.atomic
def _index_chunk(wanted: dict[int, dict[str, float]]) -> None:
    known: dict[int, dict[str, float]] = {}
    for paper, term, weight in Keyword.objects.filter(paper__in=wanted).values_list("paper", "term", "weight"):
        known.setdefault(paper, {})[term] = weight
    stale = [paper for paper, terms_ in wanted.items() if known.get(paper, {}) != terms_]
    Keyword.objects.filter(paper__in=stale).delete()
    rows = (
        Keyword(paper_id=paper, term=term, weight=weight) for paper in stale for term, weight in wanted[paper].items()
    )
    Keyword.objects.bulk_create(rows, ignore_conflicts=True)  # another worker may store the same paper


def keywords(title: str, abstract: str, vocabulary: "Words") -> dict[str, float]:
    """The heaviest terms of a text with their weights, of length 1; ties by letter."""
    whole, _ = terms((title, abstract))
    in_title, _ = terms((title, ""))
    weights = {
        term: (1 + math.log(count)) * vocabulary.rarity(term) * (IN_TITLE if term in in_title else 1)
        for term, count in whole.items()
        if _is_telling(term)
    }
    heaviest = sorted(weights.items(), key=lambda item: (-item[1], item[0]))[:KEYWORDS]
    length = math.sqrt(sum(weight**2 for _, weight in heaviest))
    return {term: round(weight / length, 4) for term, weight in heaviest if length}


class Words:
    """A vocabulary at work."""

    def __init__(self, papers: int, counts: dict[str, int]) -> None:
        self.papers = max(papers, 1)
        self._counts = counts

    def rarity(self, term: str) -> float:
        """How much a term tells: the root of its inverse document frequency, which found better likes than the whole
        (docs/similar.md). What no other paper uses leads nowhere."""
        count = self._counts.get(term)
        return math.sqrt(math.log(1 + self.papers / count)) if count else UNSHARED


def in_use() -> Words:
    """The latest vocabulary; an empty one before the first."""
    latest = Vocabulary.objects.order_by("-pk").values_list("pk", flat=True).first()
    return _loaded(latest) if latest else Words(0, {})


@lru_cache(maxsize=1)  # some megabytes, read once a process
def _loaded(pk: int) -> Words:
    row = Vocabulary.objects.get(pk=pk)
    return Words(row.papers, row.counts)


def learn(at: datetime) -> Vocabulary:
    """Make a vocabulary of the latest papers, and all keywords after it. Reads a sample, a chunk at a time."""
    counts: Counter[str] = Counter()
    papers = 0
    latest = Paper.objects.order_by("-pk").values_list("title", "abstract")[:SAMPLE]
    for title, abstract in latest.iterator(_CHUNK):
        counts.update(term for term in terms((title, abstract))[0] if _is_telling(term))
        papers += 1
        if len(counts) > 20 * MOST_TERMS:  # what is rare so far stays rare enough to be left out
            counts = Counter({term: count for term, count in counts.items() if count > 1})
    shared = {term: count for term, count in counts.most_common(MOST_TERMS) if count > 1}
    with transaction.atomic():
        made = Vocabulary.objects.create(made_at=at, papers=papers, counts=shared)
        Vocabulary.objects.exclude(pk=made.pk).delete()
    index(Paper.objects.only("title", "abstract").order_by("pk").iterator(_CHUNK))
    return made


def is_outgrown() -> bool:
    """Whether there are many more papers than the vocabulary has seen, while it could still see more of them."""
    papers = Vocabulary.objects.order_by("-pk").values_list("papers", flat=True).first() or 0
    return papers < SAMPLE and Paper.objects.order_by("pk")[GROWTH * papers : GROWTH * papers + 1].exists()


def _is_telling(term: str) -> bool:
    words = term.split(" ")
    return len(term) <= LONGEST_TERM and not any(word in COMMON or word.isdigit() or len(word) < 2 for word in words)
