"""Our ranker for anybody's experiment: papers and a reader in, a score for each paper out.

    from benchmarks.ours import Known, Paper, rank

    scores = rank(shown, Known(liked=[...], phrases=["graph neural networks"]), usual=papers_before)

It is the code that chooses for readers (newsletter/digest/ranking.py), without a database. The texts that were read are
remembered, so the same papers may be passed again and again.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import django
import numpy as np
from numpy.typing import NDArray

os.environ |= {"DEMO": "1", "DJANGO_SETTINGS_MODULE": "newsletter.settings"}
django.setup()

from newsletter.digest.candidates import Candidates, Corpus  # noqa: E402 - the models need the settings
from newsletter.digest.ranking import Ranker  # noqa: E402
from newsletter.digest.readers import Reader  # noqa: E402
from newsletter.digest.scoring import standing  # noqa: E402
from newsletter.digest.taste import Background, Text, Word, background, learn, read  # noqa: E402

POOLS = 1_000  # weeks and backgrounds that are remembered


@dataclass(frozen=True)
class Paper:
    title: str
    abstract: str
    authors: tuple[str, ...] = ()
    upvotes: int = 0


@dataclass(frozen=True)
class Known:
    """What is known of a reader."""

    liked: Sequence[Paper] = ()
    disliked: Sequence[Paper] = ()
    phrases: Sequence[str] = ()  # that are followed
    authors: Sequence[str] = ()  # and the same of authors


def rank(shown: Sequence[Paper], known: Known, usual: Sequence[Paper] = ()) -> NDArray[np.float64]:
    """A score for each shown paper, higher is better.

    `usual` is what is compared with to tell what the likes have in common: some hundreds of papers that were shown
    before, the latest 1,000 in our own figures; else the shown ones. Upvotes decide among papers that fit about
    equally, as in a digest; leave them 0 for likes and follows alone.
    """
    words = [Word(_text(one), 1.0) for one in known.liked] + [Word(_text(one), -1.0) for one in known.disliked]
    taste = learn(words, _usual(tuple(usual or shown)))
    reader = Reader(frozenset(), len(shown), phrases=tuple(known.phrases), authors=tuple(known.authors), taste=taste)
    return np.asarray(_ranker(tuple(shown)).scores([reader]).score[0], float)


@lru_cache(maxsize=100_000)
def _text(paper: Paper) -> Text:
    return read(paper.title, paper.abstract, paper.authors)


@lru_cache(maxsize=POOLS)
def _usual(papers: tuple[Paper, ...]) -> Background:
    return background([_text(paper) for paper in papers])


@lru_cache(maxsize=POOLS)
def _ranker(shown: tuple[Paper, ...]) -> Ranker:
    """Papers of no topic: topics are the database's."""
    none = np.zeros((len(shown), 0))
    overall = standing(np.log10(1 + np.array([paper.upvotes for paper in shown], float)))
    texts = Corpus([(paper.title, paper.abstract, paper.authors) for paper in shown])
    return Ranker(Candidates(range(len(shown)), [], [], none, none, overall, [""] * len(shown), texts=texts))
