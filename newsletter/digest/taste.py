"""What one reader likes, learned from the papers they spoke of. Pure; the recipe is measured in docs/ranking.md.

A profile is small and can be read: a few dozen terms and authors with their weights. A term weighs by how well it
explains, alone or with one other, that just these papers are liked: half by Bayes' rule over all such explanations
(after Tenenbaum, Rules and Similarity in Concept Learning, 1999), and half by Dunning's log-likelihood ratio (Accurate
Methods for the Statistics of Surprise and Coincidence, 1993), raised to a power, which is milder.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from newsletter.digest.terms import Passage, is_dwelt_on, is_rhetoric, passage, terms
from papers.identity import author_key

WORDS = 40  # of a profile
FAINT = 0.1  # of the heaviest weight: below it a term is a scrap, and not told
UNWANTED = 20  # and so many that count against a paper
AUTHORS = 40
SHARED = 2  # liked papers that have a term make it worth a look, however rare it is
RARE = 0.006  # of the edition's papers must have what only one liked paper has: more was noise than a name
RAREST = 3  # and so many papers, however small the edition is
DWELT_ON = 0.1  # of them dwell on it: fewer do on a turn of phrase (Church and Gale, Poisson Mixtures, 1995)
ONE_PAPER = 0.3  # an author of only one liked paper, over the root of how many authors that paper has
SUSPECTS = 120  # terms that may be what a reader follows
BY_CHANCE = 0.02  # of the likes are liked for another reason
CAUTION = 0.75  # of the evidence counts: papers are not independent
ENOUGH = 5.0  # likes; of more, only the shares count, so that a reader of many interests keeps them all
SHARPNESS = 3  # the power
RATHER = 2  # a term must be so many times as frequent in disliked papers as in liked ones to tell anything against it
AGAINST = 0.5  # what the disliked papers share counts so much less than what the liked share
HALF_LIFE = timedelta(days=120)
COMMON_AUTHOR = 0.005  # of all papers: from there on a name tells less and less

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Text:
    """A paper as taste sees it."""

    terms: Mapping[str, float]  # and how much of the paper each is
    authors: frozenset[str]


@dataclass(frozen=True)
class Background:
    """How common terms and authors are: among so many papers, so many have each."""

    papers: int
    terms: Mapping[str, int]
    authors: Mapping[str, int]
    dwelt_on: Mapping[str, int] = field(default_factory=dict)  # so many have the term in the title or more than once

    def names(self, term: str) -> bool:
        """Whether a term of one paper says what it is about, and is no turn of phrase, number or rarity."""
        papers = self.terms.get(term, 0)
        is_known = papers >= max(RAREST, RARE * self.papers) and self.dwelt_on.get(term, 0) >= DWELT_ON * papers
        return is_known and not is_rhetoric(term)


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
    likes: float = 0.0  # papers that it was learned from, older ones counting less, without the disliked ones

    def __bool__(self) -> bool:
        return bool(self.terms or self.authors)

    @cached_property
    def wanted(self) -> list[str]:
        """The terms for a paper, the heaviest first and without the scraps."""
        return self._heavy(1)

    @cached_property
    def unwanted(self) -> list[str]:
        """The same of the terms against it."""
        return self._heavy(-1)

    def _heavy(self, sign: int) -> list[str]:
        least = FAINT * max(map(abs, self.terms.values()), default=0.0)
        kept = [(-abs(weight), term) for term, weight in self.terms.items() if weight * sign > 0]
        return [term for weight, term in sorted(kept) if -weight >= least]


def read(title: str, abstract: str, authors: Iterable[str]) -> Text:
    return text_of(passage(title), passage(abstract), authors)


def text_of(title: Passage, abstract: Passage, authors: Iterable[str]) -> Text:
    return Text(terms(title, abstract), frozenset(key for name in authors if (key := author_key(name))))


def background(texts: Sequence[Text]) -> Background:
    terms, dwelt_on, authors = Counter[str](), Counter[str](), Counter[str]()
    for text in texts:
        terms.update(text.terms.keys())
        dwelt_on.update(term for term, much in text.terms.items() if is_dwelt_on(much))
        authors.update(text.authors)
    return Background(len(texts), terms, authors, dwelt_on)


def faded(at: datetime, now: datetime) -> float:
    """How much a word said then still weighs: half after each `HALF_LIFE`."""
    return float(0.5 ** (max(now - at, timedelta()) / HALF_LIFE))


def learn(words: Sequence[Word], usual: Background) -> Taste:
    """The taste behind these words; the order of the words does not matter."""
    liked = [word for word in words if word.weight > 0]
    disliked = [Word(word.text, -word.weight) for word in words if word.weight < 0]
    terms = _scaled(liked, _telling(liked, usual))
    for term, weight in _scaled(disliked, _telling(disliked, usual, beside=liked)).items():
        terms[term] = terms.get(term, 0.0) - AGAINST * weight
    # Each sign apart: what a reader dislikes never crowds out what they like.
    wanted = _heaviest({term: weight for term, weight in terms.items() if weight > 0}, WORDS)
    unwanted = _heaviest({term: weight for term, weight in terms.items() if weight < 0}, UNWANTED)
    return Taste(wanted | unwanted, _heaviest(_authors(liked, usual), AUTHORS), round(_total(liked), 3))


def _total(words: Iterable[Word]) -> float:
    return sum(word.weight for word in words)


def _telling(words: Sequence[Word], usual: Background, beside: Sequence[Word] = ()) -> dict[str, float]:
    """The terms that tell these papers from the usual ones and from those `beside` them, with their weights."""
    have, papers, about = defaultdict[str, float](float), Counter[str](), defaultdict[str, float](float)
    for word in words:
        papers.update(word.text.terms.keys())
        for term, much in word.text.terms.items():
            have[term] += word.weight
            about[term] += word.weight * much
    total, others = _total(words), _shares(beside)
    surprises: dict[str, float] = {}
    for term, weight in have.items():
        # What few others have leads to none, and what papers say of themselves says nothing of their subject.
        if papers[term] < SHARED and not usual.names(term):
            continue
        if (surprise := _surprise(weight / total, max(_share(term, usual), others.get(term, 0.0)))) > 0:
            surprises[term] = surprise * math.sqrt(about[term] / weight)
    suspects = _heaviest(surprises, SUSPECTS)
    if not suspects:
        return {}
    explained = _explanations(words, list(suspects), usual)
    milder = np.array(list(suspects.values())) ** SHARPNESS
    weights = explained / explained.sum() + milder / milder.sum()
    return _heaviest(dict(zip(suspects, weights.tolist(), strict=True)), WORDS)


def _shares(words: Sequence[Word]) -> dict[str, float]:
    """Of these papers that have each term, as far as there are enough of them to tell, times `RATHER`."""
    have: defaultdict[str, float] = defaultdict(float)
    for word in words:
        for term in word.text.terms:
            have[term] += word.weight
    total = _total(words) + 1
    return {term: RATHER * weight / total for term, weight in have.items()}


def _share(term: str, usual: Background) -> float:
    """Of the usual papers that have the term; never 0 nor 1."""
    return (usual.terms.get(term, 0) + 0.5) / (usual.papers + 1)


def _surprise(share: float, usual: float) -> float:
    """Kullback-Leibler divergence of the share among the liked from the usual one; 0 where it is no greater."""
    if share <= usual:
        return 0.0
    rest = (1 - share) * math.log((1 - share) / (1 - usual)) if share < 1 - 1e-9 else 0.0
    return share * math.log(share / usual) + rest


def _explanations(words: Sequence[Word], suspects: Sequence[str], usual: Background) -> Floats:
    """For each term, how probable it is that the reader follows it, alone or with one other.

    If so, every paper that has either is as likely to be liked as any other of them: rare terms explain more.
    """
    has = np.array([[term in word.text.terms for term in suspects] for word in words], float)
    share = np.array([_share(term, usual) for term in suspects])
    weight = np.array([word.weight for word in words])
    weight *= CAUTION * min(1.0, ENOUGH / weight.sum())
    first, second = np.triu_indices(len(suspects), 1)
    either = share[first] + share[second] - share[first] * share[second]
    alone = weight @ np.log((1 - BY_CHANCE) * has / share + BY_CHANCE) - math.log(len(share))
    pairs = np.zeros(len(first))
    for one, mine in zip(weight, has, strict=True):  # one by one, so that memory is flat in the number of likes
        pairs += one * np.log((1 - BY_CHANCE) * np.maximum(mine[first], mine[second]) / either + BY_CHANCE)
    pairs -= math.log(max(len(pairs), 1))
    best = max(alone.max(), pairs.max(initial=-np.inf))
    chance: Floats = np.exp(alone - best)
    by_pair = np.exp(pairs - best)
    for members in (first, second):
        chance += np.bincount(members, by_pair, len(share))
    return chance


def _scaled(words: Sequence[Word], weights: Mapping[str, float]) -> dict[str, float]:
    """So that the papers that the weights come from score 1 on average; less where all that was said has faded."""
    total = _total(words)
    mean = sum(word.weight * raw(weights, word.text) for word in words) / total if total else 0.0
    # Squared, as a score is the root of a sum.
    strength = min(1.0, total) ** 2
    return {term: strength * weight / mean for term, weight in weights.items()} if mean else {}


def raw(weights: Mapping[str, float], text: Text) -> float:
    """The sum of the weights of what a text speaks of."""
    return sum(weight * text.terms.get(term, 0.0) for term, weight in weights.items())


def _authors(liked: Sequence[Word], usual: Background) -> dict[str, float]:
    """An author of several liked papers is followed in all but name; one of a single paper may be chance."""
    total = max(_total(liked), 1.0)
    by = defaultdict[str, list[Word]](list)
    for word in liked:
        for author in word.text.authors:
            by[author].append(word)
    return {
        author: _total(words)
        / total
        * _rarity(author, usual)
        * (1.0 if len(words) > 1 else ONE_PAPER / math.sqrt(len(words[0].text.authors)))
        for author, words in by.items()
    }


def _rarity(author: str, usual: Background) -> float:
    """1 for an author of few papers; falls as the root for one of many, whose name may be several people's."""
    share = usual.authors.get(author, 0) / max(usual.papers, 1)
    return min(1.0, math.sqrt(COMMON_AUTHOR / share)) if share else 1.0


def _heaviest(weights: Mapping[str, float], most: int) -> dict[str, float]:
    """Ties by letter, so that the same words give the same taste."""
    kept = sorted(weights.items(), key=lambda item: (-abs(item[1]), item[0]))[:most]
    return {name: round(weight, 5) for name, weight in kept if abs(weight) > 1e-5}
