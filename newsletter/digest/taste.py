"""What one reader likes, learned from the papers they spoke of. Pure; the recipe is measured in docs/ranking.md.

A profile is small and can be read: a few dozen terms and authors with their weights. A term weighs by how surely it is
no chance that so many of the liked papers have it: Dunning's log-likelihood ratio (Accurate Methods for the Statistics
of Surprise and Coincidence, 1993), raised to a power, so that what all likes share outweighs what one of them says.
"""

import math
import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from papers.identity import author_key
from papers.phrases import folded
from papers.similar import COMMON

WORDS = 40  # of a profile
AUTHORS = 40
LONGEST_TERM = 3  # words
SHARPNESS = 3  # the power
IN_TITLE = 1.5  # a term that stands in the title counts so much
AGAINST = 0.5  # what the disliked papers share counts so much less than what the liked share
HALF_LIFE = timedelta(days=120)
LONGEST_WORD = 60
COMMON_AUTHOR = 0.005  # of all papers: from there on a name tells less and less

_WORD = re.compile(r"\w(?:[\w+]*\w)?")


@dataclass(frozen=True)
class Text:
    """A paper as taste sees it."""

    terms: frozenset[str]
    title: frozenset[str]
    authors: frozenset[str]


@dataclass(frozen=True)
class Background:
    """How common terms and authors are: among so many papers, so many have each."""

    papers: int
    terms: Mapping[str, int]
    authors: Mapping[str, int]


@dataclass(frozen=True)
class Word:
    """A reader's word on a paper: above zero for it, below against it; older words weigh less."""

    text: Text
    weight: float


@dataclass(frozen=True)
class Taste:
    """Weights of terms and authors. A paper like the liked ones scores about 1, one by their authors more."""

    terms: Mapping[str, float] = field(default_factory=dict)
    authors: Mapping[str, float] = field(default_factory=dict)

    def __bool__(self) -> bool:
        return bool(self.terms or self.authors)


def read(title: str, abstract: str, authors: Iterable[str]) -> Text:
    """The terms of a paper: words, pairs and triples, folded, that neither begin nor end with a word everybody uses."""
    in_title = frozenset(_grams(title))
    keys = frozenset(key for name in authors if (key := author_key(name)))
    return Text(in_title | frozenset(_grams(abstract)), in_title, keys)


def background(texts: Sequence[Text]) -> Background:
    terms, authors = Counter[str](), Counter[str]()
    for text in texts:
        terms.update(text.terms)
        authors.update(text.authors)
    return Background(len(texts), terms, authors)


def faded(at: datetime, now: datetime) -> float:
    """How much a word said then still weighs: half after each `HALF_LIFE`."""
    return float(0.5 ** (max(now - at, timedelta()) / HALF_LIFE))


def learn(words: Sequence[Word], usual: Background) -> Taste:
    """The taste behind these words; the order of the words does not matter."""
    liked = [word for word in words if word.weight > 0]
    disliked = [Word(word.text, -word.weight) for word in words if word.weight < 0]
    terms = _scaled(liked, _telling(liked, usual))
    for term, weight in _scaled(disliked, _telling(disliked, usual)).items():
        terms[term] = terms.get(term, 0.0) - AGAINST * weight
    return Taste(_heaviest(terms, WORDS), _heaviest(_authors(liked, usual), AUTHORS))


def _telling(words: Sequence[Word], usual: Background) -> dict[str, float]:
    total = sum(word.weight for word in words)
    have: defaultdict[str, float] = defaultdict(float)
    for word in words:
        for term in word.text.terms:
            have[term] += word.weight
    found: dict[str, float] = {}
    for term, count in have.items():
        rarity = (usual.terms.get(term, 0) + 0.5) / (usual.papers + 1)
        if (surprise := _surprise(count / total, rarity)) > 0:
            found[term] = surprise**SHARPNESS
    return _heaviest(found, WORDS)


def _surprise(share: float, usual: float) -> float:
    """Kullback-Leibler divergence of the share among the liked from the usual one; 0 where it is no greater."""
    if share <= usual:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - usual)) if share < 1 - 1e-9 else 0.0
    return share * math.log(share / usual) + rest


def _scaled(words: Sequence[Word], weights: Mapping[str, float]) -> dict[str, float]:
    """So that the papers that the weights come from score 1 on average."""
    total = sum(word.weight for word in words)
    mean = sum(word.weight * raw(weights, word.text) for word in words) / total if total else 0.0
    return {term: weight / mean for term, weight in weights.items()} if mean else {}


def raw(weights: Mapping[str, float], text: Text) -> float:
    """The sum of a text's weights."""
    return sum(
        weight * (IN_TITLE if term in text.title else 1.0) for term, weight in weights.items() if term in text.terms
    )


def _authors(liked: Sequence[Word], usual: Background) -> dict[str, float]:
    """An author of several liked papers is followed in all but name; one of a single paper may be chance."""
    total = sum(word.weight for word in liked)
    have: defaultdict[str, float] = defaultdict(float)
    papers: Counter[str] = Counter()
    for word in liked:
        papers.update(word.text.authors)
        for author in word.text.authors:
            have[author] += word.weight
    return {author: have[author] / total * _rarity(author, usual) for author, count in papers.items() if count > 1}


def _rarity(author: str, usual: Background) -> float:
    """1 for an author of few papers; falls as the root for one of many, whose name may be several people's."""
    share = usual.authors.get(author, 0) / max(usual.papers, 1)
    return min(1.0, math.sqrt(COMMON_AUTHOR / share)) if share else 1.0


def _heaviest(weights: Mapping[str, float], most: int) -> dict[str, float]:
    """Ties by letter, so that the same words give the same taste."""
    kept = sorted(weights.items(), key=lambda item: (-abs(item[1]), item[0]))[:most]
    return {name: round(weight, 5) for name, weight in kept if abs(weight) > 1e-5}


def _grams(text: str) -> Iterable[str]:
    words = [folded(word) for word in _WORD.findall(unicodedata.normalize("NFKC", text)) if len(word) <= LONGEST_WORD]
    for start, first in enumerate(words):
        if first in COMMON:
            continue
        for end in range(start + 1, min(start + LONGEST_TERM, len(words)) + 1):
            if words[end - 1] not in COMMON:
                yield " ".join(words[start:end])
