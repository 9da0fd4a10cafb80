"""Which papers one person gets, and why. Pure: arrays in, choices out; the same in, the same out.

Fit and taste come first; the trend within the winning topic decides among papers that fit about equally. See
docs/ranking.md.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from itertools import groupby

import numpy as np
from django.utils.translation import override
from numpy.typing import NDArray

from newsletter.digest.candidates import Candidates
from newsletter.digest.cards import REASON_LENGTH
from newsletter.digest.ranking import (
    ASKED,
    EVERYTHING,
    MINIMUM,
    NEAREST,
    Ranker,
    Scores,
    best_first,
    chunks,
    weighted_taste,
)
from newsletter.digest.readers import Reader
from newsletter.digest.reasons import Reasons
from papers.models.topics import BELONGS
from papers.text import cut

PER_TOPIC = 3
EXPLORE_FROM = 4  # digests of this size and more keep one place for a paper from outside
EXPLORE_STANDING = 0.5  # and that paper stands out among all
CHOICES = 20_000  # that are remembered: most are those of many readers
FELT = 0.1  # a weighted taste beyond it, either way: what the reader is known to like or dislike is no exploring

Rows = NDArray[np.intp]
Candidate = tuple[int, int, bool]  # row, topic, and whether it fits and is not muted


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
        self.choice = lru_cache(maxsize=CHOICES)(self._choice)
        self._reasons: dict[str, Reasons] = {}
        self.topics = frozenset(candidates.topics)

    def choose(self, reader: Reader) -> list[Choice]:
        """The reader's papers in their order; an empty list is a quiet day."""
        return next(self.choose_all([reader]))

    def choose_all(self, readers: Sequence[Reader]) -> Iterator[list[Choice]]:
        """The papers of each reader, a chunk at a time: memory is flat in the number of readers."""
        for chunk in chunks(readers):
            scores, nearest = self._ranker.ranked(chunk)
            seen = in_order(scores, np.arange(len(chunk)), nearest)
            chosen: list[list[Choice]] = []
            for language, some in groupby(
                zip(range(len(chunk)), chunk, seen, strict=True), lambda one: one[1].language
            ):
                with override(language):
                    chosen += [Picks(self, scores, number, reader, rows).choices() for number, reader, rows in some]
            yield from chosen

    def explain(self, reader: Reader) -> list[Line]:
        """All candidates, the taken ones first in their order, then the others by score."""
        scores, nearest = self._ranker.ranked([reader])
        picks = Picks(self, scores, 0, reader, *in_order(scores, np.arange(1), nearest))
        with override(reader.language):
            taken = {choice.paper: (place, choice) for place, choice in enumerate(picks.choices(), start=1)}
        lines = []
        for row in range(len(self.candidates.papers)):
            place, choice = taken.get(self.candidates.papers[row], (0, None))
            verdict = f"taken, no. {place}: {choice.reason}" if choice else picks.why_left(row)
            lines.append((place or len(taken) + 1, self._line(scores, row, verdict, choice is not None)))
        return [line for _, line in sorted(lines, key=lambda pair: (pair[0], -pair[1].score))]

    def _choice(self, row: int, why: str, language: str, marks: tuple[bool, bool, bool]) -> Choice:  # noqa: ARG002 - a key
        """A candidate with its reason and its trend in words, marked as outside, rising or picked. The language is the
        one that is spoken now.
        """
        if popularity := str(self.candidates.popularity[row]):
            why = f"{cut(why, REASON_LENGTH - len(popularity) - 3)} · {popularity}"
        return Choice(self.candidates.papers[row], cut(why, REASON_LENGTH), *marks)

    def reasons(self, language: str) -> Reasons:
        """In the language that is spoken now."""
        if language not in self._reasons:
            self._reasons[language] = Reasons.now(self.candidates)
        return self._reasons[language]

    def _line(self, scores: Scores, row: int, verdict: str, taken: bool) -> Line:
        topic = int(scores.topic[0, row])
        words, authors = weighted_taste(scores, 0, row)
        return Line(
            paper=self.candidates.papers[row],
            topic="" if topic < 0 else self.candidates.topic_names[topic],
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


def in_order(scores: Scores, numbers: Rows, rows: Rows) -> list[Iterator[Candidate]]:
    """What the choice asks of these rows, a line of them for each of these readers. Read for all at once: one by one a
    number costs a hundred times as much."""
    cells = numbers[:, None], rows
    may = (scores.belongs[cells] >= np.float32(MINIMUM)) & np.isfinite(scores.score[cells])
    lines = zip(rows.tolist(), scores.topic[cells].tolist(), may.tolist(), strict=True)
    return [zip(*line, strict=True) for line in lines]


class Picks:
    """One reader's way through the ranked papers."""

    def __init__(
        self, chooser: Chooser, scores: Scores, number: int, reader: Reader, nearest: Iterator[Candidate]
    ) -> None:
        self.chooser, self.candidates = chooser, chooser.candidates
        self.scores, self.number, self.reader, self.nearest = scores, number, reader, nearest
        self.papers = self.candidates.papers
        seen = frozenset(reader.seen)
        self.sent = seen.difference(reader.risen) if reader.risen else seen
        # Of as many topics as the reader follows, or of all that there are.
        topics = len(reader.topics) or len(self.candidates.topics)
        self.most = max(PER_TOPIC, -(-reader.size // topics)) if topics else reader.size
        self.of_topic: Counter[int] = Counter()
        self.again = 0  # papers that rise again, of one at most
        self.pins = list(self._pinned(reader.size - 1))
        self.explored = self._explore()
        self.fitting = list(self._fitting(reader.size - len(self.pins) - len(self.explored)))

    def choices(self) -> list[Choice]:
        """The papers, with the reasons in the language that is spoken now; none where nothing fits, pins or not."""
        if not self.fitting and not any(map(self._belongs, self.pins)):
            return []
        because, number = self.chooser.reasons(self.reader.language), self.number
        return [
            *(self._choice(row, because.say.picked, picked=True) for row in self.pins),
            *(self._choice(row, because.of(self.reader, self.scores, number, row)) for row in self.fitting),
            *(self._choice(row, because.from_outside(self.reader), outside=True) for row in self.explored),
        ]

    def why_left(self, row: int) -> str:
        if self.papers[row] in self.sent:
            return "left: was sent before, or the reader spoke of it"
        if not np.isfinite(self.scores.score[self.number, row]):
            return "left: muted"
        if not self._belongs(row):
            return f"left: fits less than {MINIMUM}"
        if self.of_topic[self._counted(row, int(self.scores.topic[self.number, row]))] >= self.most:
            return "left: enough of its topic"
        if self._rises(row):
            return "left: one mention of a rising paper is enough, or there was no room"
        return "left: no room"

    def _may(self, row: int) -> bool:
        return self.papers[row] not in self.sent and bool(np.isfinite(self.scores.score[self.number, row]))

    def _rises(self, row: int) -> bool:
        return self.papers[row] in self.reader.risen

    def _belongs(self, row: int) -> bool:
        return bool(self.scores.belongs[self.number, row] >= np.float32(MINIMUM))

    def _pinned(self, room: int) -> Iterator[int]:
        """What the editor wants first, of its topic's share. One place at least stays for the reader's own paper."""
        for row in self.candidates.pinned:
            if room > 0 and self._may(row) and not (self._rises(row) and self.again):
                self.again += self._rises(row)
                topic = int(self.scores.topic[self.number, row]) if self._belongs(row) else EVERYTHING
                counted = self._counted(row, topic)
                self.of_topic[counted] += counted != EVERYTHING
                room -= 1
                yield row

    def _fitting(self, room: int) -> Iterator[int]:
        """The best rows, a few from each topic, at most one of them a paper that rises again."""
        for row, topic, may in self._by_score():
            if room <= 0:
                return
            if not may or self.papers[row] in self.sent or row in self.pins:
                continue
            rises = bool(self.reader.risen) and self._rises(row)
            counted = self._counted(row, topic)
            if (rises and self.again) or self.of_topic[counted] >= self.most:
                continue
            self.again += rises
            self.of_topic[counted] += counted != EVERYTHING
            room -= 1
            yield row

    def _counted(self, row: int, topic: int) -> int:
        """The topic whose share a paper takes: its own strongest where the reader named none that it has, but no
        topic's where the reader asked for just this."""
        if topic == ASKED:
            return EVERYTHING
        return self.candidates.strongest[row] if topic == EVERYTHING else topic

    def _by_score(self) -> Iterator[Candidate]:
        yield from self.nearest
        if len(self.papers) > NEAREST:
            every = best_first(self.scores.score[self.number : self.number + 1], whole=True)
            yield from in_order(self.scores, np.array([self.number]), every[:, NEAREST:])[0]

    def _explore(self) -> list[int]:
        """At most one trending paper from outside what the reader wants, for who wants something."""
        reader = self.reader
        wants = reader.topics or reader.phrases or reader.authors
        if not wants or reader.topics >= self.chooser.topics or reader.size - len(self.pins) < EXPLORE_FROM:
            return []
        for row in self.chooser.trending:
            new = row not in self.pins and self._may(row) and not self._rises(row)
            if new and self._is_outside(row):
                return [row]
        return []

    def _is_outside(self, row: int) -> bool:
        """Of none of the reader's topics, and nothing that they are known to like or dislike."""
        unasked = self.scores.fit[self.number, row] < BELONGS
        return bool(unasked) and abs(sum(weighted_taste(self.scores, self.number, row))) < FELT

    def _choice(self, row: int, why: str, *, outside: bool = False, picked: bool = False) -> Choice:
        if rises := bool(self.reader.risen) and self._rises(row):
            day = self.reader.risen[self.papers[row]]
            why = self.chooser.reasons(self.reader.language).once_more(why, day)
        return self.chooser.choice(row, why, self.reader.language, (outside, rises, picked))
