"""Which papers one person gets, and why. Pure: arrays in, choices out; the same in, the same out.

Fit comes first: how much a paper belongs to the reader's best matching topic. The trend within that topic
decides among papers that fit about equally. See docs/ranking.md.
"""

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from newsletter.digest.candidates import Candidates, Floats
from papers.models.topics import BELONGS

TREND_WEIGHT = 0.15  # a paper two deviations up overtakes one that fits .15 better, never one that fits far better
PER_TOPIC = 3
EXPLORE_FROM = 4  # digests of this size and more keep one place for a paper from outside
EXPLORE_STANDING = 0.5  # and that paper stands out among all

EVERYTHING = -1  # the topic of a reader who chose none


@dataclass(frozen=True)
class Reader:
    """What the choice knows of a reader: no name, no address."""

    topics: frozenset[int]
    size: int
    seen: Collection[int] = ()  # papers that were ever sent to this reader


@dataclass(frozen=True)
class Choice:
    """One paper for one reader, with its reason in words."""

    paper: int
    reason: str
    outside: bool = False


@dataclass(frozen=True)
class Ranking:
    """The candidates in the order of one set of topics; readers who share the set share it."""

    order: NDArray[np.intp]  # rows of papers that fit, best first
    topic: NDArray[np.intp]  # (P,), the column of the winning topic
    outside: NDArray[np.intp]  # rows of trending papers that fit nowhere, best first


@dataclass
class Chooser:
    """Chooses from one edition's candidates for any number of readers."""

    candidates: Candidates
    _rankings: dict[frozenset[int], Ranking] = field(default_factory=dict)

    def choose(self, reader: Reader) -> list[Choice]:
        """The reader's papers in their order; an empty list is a quiet day."""
        ranking = self._ranking(reader.topics)
        seen = frozenset(reader.seen)
        pins = [row for row in self.candidates.pinned if self.candidates.papers[row] not in seen][: reader.size]
        explore = self._explore(ranking, reader, seen, pins)
        room = reader.size - len(pins) - len(explore)
        fitting = list(self._fitting(ranking, reader, seen, pins, room))
        if not fitting and not pins:
            return []
        return [
            *(self._choice(row, "Picked by the editor") for row in pins),
            *(self._choice(row, self._topic_name(ranking, row)) for row in fitting),
            *(self._choice(row, "From outside your topics", outside=True) for row in explore),
        ]

    def _ranking(self, topics: frozenset[int]) -> Ranking:
        if topics not in self._rankings:
            self._rankings[topics] = rank(self.candidates, topics)
        return self._rankings[topics]

    def _fitting(
        self, ranking: Ranking, reader: Reader, seen: frozenset[int], pins: Sequence[int], room: int
    ) -> Iterator[int]:
        """The best unseen rows, a few from each topic."""
        most = max(PER_TOPIC, -(-reader.size // max(1, len(reader.topics)))) if reader.topics else reader.size
        taken: Counter[int] = Counter()
        for row in ranking.order:
            if room <= 0:
                return
            topic = int(ranking.topic[row])
            if self.candidates.papers[row] in seen or row in pins or taken[topic] >= most:
                continue
            taken[topic] += 1
            room -= 1
            yield int(row)

    def _explore(self, ranking: Ranking, reader: Reader, seen: frozenset[int], pins: Sequence[int]) -> list[int]:
        """At most one trending paper from outside the reader's topics."""
        if reader.size - len(pins) < EXPLORE_FROM:
            return []
        rows = (int(row) for row in ranking.outside if self.candidates.papers[row] not in seen and row not in pins)
        return [row for row, _ in zip(rows, range(1), strict=False)]

    def _topic_name(self, ranking: Ranking, row: int) -> str:
        topic = int(ranking.topic[row])
        return "Trending" if topic == EVERYTHING else self.candidates.topic_names[topic]

    def _choice(self, row: int, why: str, *, outside: bool = False) -> Choice:
        popularity = self.candidates.popularity[row]
        return Choice(self.candidates.papers[row], f"{why} · {popularity}" if popularity else why, outside)


def rank(candidates: Candidates, topics: frozenset[int]) -> Ranking:
    """Order the candidates for readers of these topics; no topic means the best of everything."""
    columns = sorted(candidates.column[topic] for topic in topics if topic in candidates.column)
    if not topics:
        everything = np.full(len(candidates.papers), EVERYTHING, dtype=np.intp)
        return Ranking(best_first(candidates.overall), everything, np.array([], dtype=np.intp))
    if not columns:
        fit, winning = np.zeros(len(candidates.papers)), np.zeros(len(candidates.papers), dtype=np.intp)
        score = fit
    else:
        mine = candidates.strengths[:, columns]
        winning = np.array(columns, dtype=np.intp)[mine.argmax(axis=1)] if mine.size else np.array([], dtype=np.intp)
        fit = mine.max(axis=1)
        score = fit + TREND_WEIGHT * trend(candidates.standings, winning)
    order = best_first(score)
    outside = best_first(candidates.overall)
    return Ranking(
        order[fit[order] >= BELONGS],
        winning,
        outside[(fit[outside] < BELONGS) & (candidates.overall[outside] >= EXPLORE_STANDING)],
    )


def trend(standings: Floats, winning: NDArray[np.intp]) -> Floats:
    """The standing within the winning topic, held to (-1, 1) so that no trend outweighs fit."""
    return np.tanh(standings[np.arange(len(winning)), winning] / 2)


def best_first(scores: Floats) -> NDArray[np.intp]:
    """Row numbers by falling score; equals keep the pool's own order."""
    return np.argsort(-scores.round(9), kind="stable")
