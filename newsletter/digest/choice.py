"""Which papers one person gets, and why. Pure: arrays in, choices out; the same in, the same out.

Fit and taste come first; the trend within the winning topic decides among papers that fit about equally. See
docs/ranking.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from django.utils.translation import gettext, override
from numpy.typing import NDArray

from newsletter.digest.candidates import Candidates
from newsletter.digest.ranking import EVERYTHING, MINIMUM, NEAREST, Ranker, Scores, best_first, chunks, weighted_taste
from newsletter.digest.readers import Reader
from newsletter.digest.reasons import reason

PER_TOPIC = 3
EXPLORE_FROM = 4  # digests of this size and more keep one place for a paper from outside
EXPLORE_STANDING = 0.5  # and that paper stands out among all
DISLIKED = -0.1  # a weighted taste below it: not even to explore

Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Choice:
    """One paper for one reader, with its reason in words."""

    paper: int
    reason: str
    outside: bool = False
    rising: bool = False  # was sent before
    picked: bool = False  # by the editor

    @property
    def is_labelled(self) -> bool:
        """Whether its reason is a label above the title: it is not here for the reader's own wishes alone."""
        return self.outside or self.rising or self.picked


@dataclass(frozen=True)
class Line:
    """A candidate as one reader's choice saw it: every part of its score, and why it was taken or left."""

    paper: int
    topic: str
    fit: float
    words: float  # weighted taste
    authors: float
    trend: float  # weighted
    score: float
    verdict: str
    taken: bool = False


class Chooser:
    """Chooses from one edition's candidates for any number of readers."""

    def __init__(self, candidates: Candidates) -> None:
        self.candidates = candidates
        self._ranker = Ranker(candidates)
        self._popularity: dict[tuple[int, str], str] = {}

    def choose(self, reader: Reader) -> list[Choice]:
        """The reader's papers in their order; an empty list is a quiet day."""
        return next(self.choose_all([reader]))

    def choose_all(self, readers: Sequence[Reader]) -> Iterator[list[Choice]]:
        """The papers of each reader, a chunk at a time: memory is flat in the number of readers."""
        for chunk in chunks(readers):
            scores, nearest = self._ranker.ranked(chunk)
            for number, reader in enumerate(chunk):
                yield Picks(self, scores, number, reader, nearest[number]).choices()

    def explain(self, reader: Reader) -> list[Line]:
        """All candidates, the taken ones first in their order, then the others by score."""
        scores, nearest = self._ranker.ranked([reader])
        picks = Picks(self, scores, 0, reader, nearest[0])
        taken = {choice.paper: (place, choice) for place, choice in enumerate(picks.choices(), start=1)}
        lines = []
        for row in range(len(self.candidates.papers)):
            place, choice = taken.get(self.candidates.papers[row], (0, None))
            verdict = f"taken, no. {place}: {choice.reason}" if choice else picks.why_left(row)
            lines.append((place or len(taken) + 1, self._line(scores, row, verdict, choice is not None)))
        return [line for _, line in sorted(lines, key=lambda pair: (pair[0], -pair[1].score))]

    def popularity(self, row: int, language: str) -> str:
        """A candidate's trend in words. The language is the one that is spoken now."""
        if (words := self._popularity.get((row, language))) is None:
            words = self._popularity[row, language] = str(self.candidates.popularity[row])
        return words

    def _line(self, scores: Scores, row: int, verdict: str, taken: bool) -> Line:
        topic = int(scores.topic[0, row])
        words, authors = weighted_taste(scores, 0, row)
        return Line(
            paper=self.candidates.papers[row],
            topic="" if topic == EVERYTHING else self.candidates.topic_names[topic],
            fit=float(scores.fit[0, row]),
            words=words,
            authors=authors,
            trend=float(scores.trend[0, row]),
            score=float(scores.score[0, row]),
            verdict=verdict,
            taken=taken,
        )

    @cached_property
    def trending(self) -> list[int]:
        """Rows that stand out among all, best first: what may be explored."""
        order = np.argsort(-self.candidates.overall.round(9), kind="stable")
        return [int(row) for row in order if self.candidates.overall[row] >= EXPLORE_STANDING]


class Picks:
    """One reader's way through the ranked papers."""

    def __init__(self, chooser: Chooser, scores: Scores, number: int, reader: Reader, nearest: Rows) -> None:
        self.chooser, self.candidates = chooser, chooser.candidates
        self.scores, self.number, self.reader, self.nearest = scores, number, reader, nearest
        rows = self.candidates.row_of
        risen = frozenset(reader.risen)
        self.risen = {rows[paper] for paper in risen if paper in rows}
        self.sent = {rows[paper] for paper in reader.seen if paper in rows} - self.risen
        topics = len(reader.topics)
        self.most = max(PER_TOPIC, -(-reader.size // topics)) if topics else reader.size
        self.of_topic: Counter[int] = Counter()
        self.pins = [row for row in self.candidates.pinned if self._may(row) and row not in self.risen][: reader.size]
        self.explored = self._explore()
        self.fitting = list(self._fitting(reader.size - len(self.pins) - len(self.explored)))

    def choices(self) -> list[Choice]:
        """The papers, with the reasons in the reader's language."""
        if not self.fitting and not self.pins:
            return []
        with override(self.reader.language):
            return [
                *(self._choice(row, gettext("Picked by the editor"), picked=True) for row in self.pins),
                *(self._choice(row, self._reason(row), rising=row in self.risen) for row in self.fitting),
                *(self._choice(row, gettext("From outside your topics"), outside=True) for row in self.explored),
            ]

    def why_left(self, row: int) -> str:
        if row in self.sent:
            return "left: was sent before, or the reader spoke of it"
        if not np.isfinite(self.scores.score[self.number, row]):
            return "left: muted"
        if not self._belongs(row):
            return f"left: fits less than {MINIMUM}"
        if self.of_topic[int(self.scores.topic[self.number, row])] >= self.most:
            return "left: enough of its topic"
        if row in self.risen:
            return "left: one mention of a rising paper is enough, or there was no room"
        return "left: no room"

    def _may(self, row: int) -> bool:
        return row not in self.sent and bool(np.isfinite(self.scores.score[self.number, row]))

    def _belongs(self, row: int) -> bool:
        return bool(self.scores.belongs[self.number, row] >= np.float32(MINIMUM))

    def _fitting(self, room: int) -> Iterator[int]:
        """The best rows, a few from each topic, at most one of them a paper that rises again."""
        again = 0
        for row in self._by_score():
            if room <= 0:
                return
            if not self._belongs(row) or not self._may(row) or row in self.pins or (row in self.risen and again):
                continue
            topic = int(self.scores.topic[self.number, row])
            if topic != EVERYTHING and self.of_topic[topic] >= self.most:
                continue
            again += row in self.risen
            self.of_topic[topic] += topic != EVERYTHING
            room -= 1
            yield row

    def _by_score(self) -> Iterator[int]:
        yield from self.nearest.tolist()
        if len(self.nearest) < len(self.candidates.papers):
            yield from best_first(self.scores.score[self.number : self.number + 1], whole=True)[0][NEAREST:].tolist()

    def _explore(self) -> list[int]:
        """At most one trending paper from outside what the reader wants, for who wants something."""
        reader = self.reader
        wants = reader.topics or reader.phrases or reader.authors
        if not wants or reader.size - len(self.pins) < EXPLORE_FROM:
            return []
        for row in self.chooser.trending:
            new = row not in self.pins and row not in self.risen and self._may(row)
            if new and not self._belongs(row) and sum(weighted_taste(self.scores, self.number, row)) >= DISLIKED:
                return [row]
        return []

    def _reason(self, row: int) -> str:
        why = reason(self.candidates, self.reader, self.scores, self.number, row)
        return gettext("Still rising · %(reason)s") % {"reason": why} if row in self.risen else why

    def _choice(self, row: int, why: str, **marks: bool) -> Choice:
        popularity = self.chooser.popularity(row, self.reader.language)
        words = f"{why} · {popularity}" if popularity else why
        return Choice(self.candidates.papers[row], words, **marks)
