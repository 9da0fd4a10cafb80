"""The scores of a chunk of readers for all candidates, as arrays: a row per reader, a column per paper. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.digest.candidates import Candidates
from newsletter.digest.features import AUTHOR_WEIGHT, taste_of
from newsletter.digest.readers import Reader
from newsletter.digest.scoring import TASTE_WEIGHT, TREND_WEIGHT
from papers.models.topics import BELONGS

Floats = NDArray[Any]
Rows = NDArray[np.intp]

CHUNK = 200  # readers ranked at once: memory stays flat, the product stays in the cache
NEAREST = 64  # papers put in order at first; the others only where caps leave places empty
MINIMUM = BELONGS  # of fit and weighted taste together; below it a paper is not for this reader
FEW_LIKES = 2  # of more, faded, the words of the liked papers are reason enough, and are named
EVERYTHING = -1  # the "topic" of what no topic of the reader's explains; also the last column of the trends
ASKED = -2  # and of what a followed author or phrase explains best; it trends among all papers too
BY_FOLLOWED = 1.0  # the strength of an author whom the reader follows
BESIDE = 0.3  # of a topic's strength counts beside what is followed by name
BY_NAME = 0.6  # what is followed by name counts so much more than a topic, which has many papers that fit wholly


@dataclass(frozen=True)
class Scores:
    """R readers by P papers."""

    fit: Floats  # 0..1 by topics alone, up to 1.9 with what is followed by name
    topic: NDArray[np.int16]  # the column of the topic that explains best, or ASKED, or EVERYTHING
    like: Floats | None  # taste by words, where anybody of the chunk has a taste
    authors: Floats | None  # and by authors
    trend: Floats  # weighted
    belongs: Floats  # fit and taste; what the minimum is asked of
    score: Floats  # -inf for what was muted


def chunks(readers: Sequence[Reader]) -> Iterator[Sequence[Reader]]:
    for start in range(0, len(readers), CHUNK):
        yield readers[start : start + CHUNK]


class Ranker:
    """Scores readers against one edition's candidates."""

    def __init__(self, candidates: Candidates) -> None:
        self.candidates = candidates
        papers = len(candidates.papers)
        columns = np.column_stack([candidates.standings, candidates.overall, candidates.overall])
        self._trends = (TREND_WEIGHT * np.tanh(columns / 2)).astype(np.float32)
        self._strengths = candidates.strengths.astype(np.float32)
        self._rows = np.arange(papers)

    def scores(self, readers: Sequence[Reader]) -> Scores:
        fit, topic = self._topics(readers)
        self._follow(readers, fit, topic)
        like, authors = self._tastes(readers)
        trend = self._trends[self._rows, topic]
        if like is None or authors is None:
            belongs = whole = fit
        else:
            whole = fit + TASTE_WEIGHT * taste_of(like, authors)
            few = np.array([reader.taste.likes <= FEW_LIKES for reader in readers])
            # The words of one or two papers are mostly chance: they may move a paper up, and bring none.
            surely = np.where(few[:, None], np.minimum(like, np.float32(0)), like)
            belongs = fit + TASTE_WEIGHT * taste_of(surely, authors)
        score = whole + trend
        self._mute(readers, score)
        return Scores(fit, topic, like, authors, trend, belongs, score)

    def ranked(self, readers: Sequence[Reader]) -> tuple[Scores, Rows]:
        """The scores, and each reader's best columns in their order."""
        scores = self.scores(readers)
        return scores, best_first(scores.score)

    def _topics(self, readers: Sequence[Reader]) -> tuple[Floats, NDArray[np.int16]]:
        """The best of each reader's topics. Who chose nothing gets the best of everything, which just fits."""
        shape = len(readers), len(self.candidates.papers)
        fit, topic = np.zeros(shape, np.float32), np.full(shape, EVERYTHING, np.int16)
        wanting: dict[int, list[int]] = {}
        for number, reader in enumerate(readers):
            for one in reader.topics:
                if (column := self.candidates.column.get(one)) is not None:
                    wanting.setdefault(column, []).append(number)
            if not (reader.topics or reader.phrases or reader.authors):
                fit[number] = MINIMUM
        for column, numbers in sorted(wanting.items()):
            strength = self._strengths[:, column]
            rows = np.flatnonzero(strength)
            cells = np.ix_(np.array(numbers), rows)
            better = strength[rows] > fit[cells]
            topic[cells] = np.where(better, column, topic[cells])
            fit[cells] = np.maximum(fit[cells], strength[rows])
        return fit, topic

    def _follow(self, readers: Sequence[Reader], fit: Floats, topic: NDArray[np.int16]) -> None:
        """What is followed by name comes before the topic: it is rarer, and the reader asked for just that."""
        for number, reader in enumerate(readers):
            if not (reader.phrases or reader.authors):
                continue
            found = self._of_phrases(reader.phrases)
            for author in reader.authors:
                found[list(self.candidates.corpus.by(author))] = BY_FOLLOWED
            found[found > 0] += BY_NAME
            topic[number, (found > 0) & (found >= fit[number])] = ASKED
            fit[number] = np.where(found > 0, found + BESIDE * fit[number], fit[number])

    def _of_phrases(self, phrases: Sequence[str]) -> Floats:
        found = np.zeros(len(self.candidates.papers))
        about = self.candidates.corpus.about(phrases) if phrases else {}
        for phrase in phrases:
            found = np.maximum(found, about[phrase])
        return found

    def _tastes(self, readers: Sequence[Reader]) -> tuple[Floats | None, Floats | None]:
        tastes = [reader.taste for reader in readers]
        if not any(tastes):
            return None, None
        features = self.candidates.corpus.features
        return features.like(tastes), features.by_known_authors(tastes)

    def _mute(self, readers: Sequence[Reader], score: Floats) -> None:
        for number, reader in enumerate(readers):
            for one in reader.muted_topics:
                if (column := self.candidates.column.get(one)) is not None:
                    score[number, self._strengths[:, column] >= BELONGS] = -np.inf
            if reader.muted_phrases:
                score[number, self._of_phrases(reader.muted_phrases) > 0] = -np.inf
            for author in reader.muted_authors:
                score[number, list(self.candidates.corpus.by(author))] = -np.inf


def weighted_taste(scores: Scores, reader: int, row: int) -> tuple[float, float]:
    """What taste adds to a score: by words, by authors."""
    if scores.like is None or scores.authors is None:
        return 0.0, 0.0
    words = min(float(scores.like[reader, row]), 1.0)
    authors = min(float(scores.authors[reader, row]), 1.0)
    return TASTE_WEIGHT * words, TASTE_WEIGHT * AUTHOR_WEIGHT * authors


def best_first(scores: Any, *, whole: bool = False) -> Rows:
    """For each reader the columns by falling score, the first `NEAREST` alone unless `whole`; equals keep the pool's
    own order."""
    papers = scores.shape[1]
    # One whole number for each: the score first, then the place in the pool, so that no two are equal.
    clipped = np.maximum(scores, -1e6)
    keys = np.rint(clipped * -1e6).astype(np.int64) * papers + np.arange(papers)
    if whole or papers <= NEAREST:
        return np.argsort(keys, axis=1)
    nearest = np.argpartition(keys, NEAREST, axis=1)[:, :NEAREST]
    order = np.argsort(np.take_along_axis(keys, nearest, axis=1), axis=1)
    return np.take_along_axis(nearest, order, axis=1)
