"""How much a paper belongs to each topic: from its arXiv categories where it has any, else from its words.

A topic that has categories of its own is judged by them alone when the paper's are known. Finer topics than
arXiv's (graph neural networks are cs.LG like much else) are always judged by title and abstract.
"""

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

from django.db import transaction

from papers.models import Paper, PaperTopic, Topic

# Strength from categories: the first is the authors' own, the rest are cross-lists.
PRIMARY = 1.0
CROSS_LISTED = 0.6
# The weight of a phrase's first appearance. Each further one counts half of the one before, so that no word
# wins by repetition; phrases of a topic join as independent evidence: 1 - Π(1 - weight) (noisy-or).
IN_TITLE = 0.6
IN_ABSTRACT = 0.25
REPEATED = 0.5
# A single word means less than a term of two or more.
SINGLE_WORD = 0.7
# Weaker strengths are dropped: one passing mention is no topic.
THRESHOLD = 0.3
MAX_TOPICS = 5  # a paper about everything is about nothing

_WORD = re.compile(r"\w+(?:['’]\w+)?")
_CHUNK = 500


@dataclass(frozen=True)
class Membership:
    """That a paper belongs to a topic, how much (0..1), and by which evidence."""

    topic_id: int
    strength: float
    source: PaperTopic.Source


class Classifier:
    """The topics' categories and phrases, compiled once; every text is then read once for all of them."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        self._categories: dict[int, list[str]] = {}
        # Phrases by their words. One that is written with a capital letter is an acronym, and matched exactly.
        self._phrases: dict[tuple[str, ...], set[int]] = {}
        self._exact: dict[tuple[str, ...], set[int]] = {}
        for topic in topics:
            self._categories[topic.pk] = topic.categories
            for phrase in topic.phrases:
                table, fold = (self._exact, _singular) if _is_exact(phrase) else (self._phrases, _folded)
                words = tuple(map(fold, _words(phrase)))
                table.setdefault(words, set()).add(topic.pk)
        self._longest = max(map(len, [*self._phrases, *self._exact]), default=0)

    def classify(self, title: str, abstract: str, categories: Sequence[str] = ()) -> list[Membership]:
        """The topics of a paper, strongest first; ties by topic."""
        found: dict[int, Membership] = {}
        for topic_id, strength in self._by_text(title, abstract).items():
            if not (categories and self._categories[topic_id]):
                found[topic_id] = Membership(topic_id, round(strength, 3), PaperTopic.Source.TEXT)
        for topic_id, patterns in self._categories.items():
            if strength := _by_categories(patterns, categories):
                found[topic_id] = Membership(topic_id, strength, PaperTopic.Source.CATEGORIES)
        strong = (one for one in found.values() if one.strength >= THRESHOLD)
        return sorted(strong, key=lambda one: (-one.strength, one.topic_id))[:MAX_TOPICS]

    def _by_text(self, title: str, abstract: str) -> dict[int, float]:
        in_title, in_abstract = self._counts(title), self._counts(abstract)
        doubt: dict[int, float] = {}
        for phrase in dict.fromkeys([*in_title, *in_abstract]):  # in order: floats do not add up in any
            specific = SINGLE_WORD if len(phrase[1]) == 1 else 1.0
            remaining = (1 - IN_TITLE * specific) ** bool(in_title[phrase])
            for nth in range(in_abstract[phrase]):
                remaining *= 1 - IN_ABSTRACT * specific * REPEATED**nth
            for topic_id in phrase[2]:
                doubt[topic_id] = doubt.get(topic_id, 1.0) * remaining
        return {topic_id: 1 - remaining for topic_id, remaining in doubt.items()}

    def _counts(self, text: str) -> Counter[tuple[bool, tuple[str, ...], frozenset[int]]]:
        words = _words(text)
        return Counter(
            (exact, phrase, frozenset(table[phrase]))
            for exact, table, fold in ((False, self._phrases, _folded), (True, self._exact, _singular))
            for phrase in _grams(list(map(fold, words)), self._longest)
            if phrase in table
        )


def assign(papers: Iterable[Paper]) -> int:
    """Give papers their topics; how many rows changed. What an editor has decided stays as it is."""
    classifier = Classifier(Topic.objects.order_by("pk"))
    remaining = iter(papers)
    changed = 0
    while chunk := list(islice(remaining, _CHUNK)):
        changed += _assign_chunk(classifier, chunk)
    return changed


def assign_all() -> int:
    """Give all papers their topics anew, after the topics have changed; how many rows changed."""
    return assign(Paper.objects.only("title", "abstract", "categories").iterator(_CHUNK))


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
    PaperTopic.objects.bulk_create(
        (
            PaperTopic(paper_id=paper_id, topic_id=topic_id, strength=one.strength, source=one.source)
            for (paper_id, topic_id), one in new.items()
        ),
        ignore_conflicts=True,  # another worker may assign the same paper
    )
    return len(new) + len(moved) + len(gone)


def _by_categories(patterns: Sequence[str], categories: Sequence[str]) -> float:
    """`astro-ph` holds `astro-ph.GA` too."""
    for place, category in enumerate(categories):
        if any(category == pattern or category.startswith(f"{pattern}.") for pattern in patterns):
            return PRIMARY if place == 0 else CROSS_LISTED
    return 0.0


def _words(text: str) -> list[str]:
    """Words apart, also those that a hyphen joins: "graph-based" is "graph based"."""
    return _WORD.findall(unicodedata.normalize("NFKC", text))


def _grams(words: list[str], longest: int) -> Iterator[tuple[str, ...]]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            yield tuple(words[start:end])


def _is_exact(phrase: str) -> bool:
    return any(char.isupper() for char in phrase)


def _singular(word: str) -> str:
    """An acronym without its plural s: GANs, but not SARS."""
    return word[:-1] if len(word) > 2 and word.endswith("s") and word[-2].isupper() else word


def _folded(word: str) -> str:
    """Small letters, American spelling, no plural. Both sides are folded alike, so a non-word does no harm."""
    word = word.lower().removesuffix("'s").removesuffix("’s")
    word = word.replace("isation", "ization").replace("modelling", "modeling")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
