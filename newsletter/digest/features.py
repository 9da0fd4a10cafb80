"""An edition's papers as arrays, made once; readers' tastes are compared with all of them in one product. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from newsletter.digest.taste import Background, Taste, Text, background

Floats = NDArray[np.float32]

AUTHOR_WEIGHT = 2.0  # shared authors lift a paper over all that only reads like the liked ones


@dataclass(frozen=True)
class Features:
    """The texts of P papers, and what is usual among the papers of these days."""

    texts: Sequence[Text]
    usual: Background

    @classmethod
    def of(cls, texts: Sequence[Text], usual: Background | None = None) -> "Features":
        return cls(texts, usual or background(texts))

    @cached_property
    def _terms(self) -> "Table":
        return Table([text.terms for text in self.texts])

    @cached_property
    def _authors(self) -> "Table":
        return Table([dict.fromkeys(text.authors, 1.0) for text in self.texts])

    def like(self, tastes: Sequence[Taste]) -> Floats:
        """How much each paper (column) is to each reader's (row) taste by its words: 1 as the liked papers, below 0
        as the disliked ones."""
        sums = self._terms.sums([taste.terms for taste in tastes])
        return np.sign(sums) * np.sqrt(np.abs(sums))

    def by_known_authors(self, tastes: Sequence[Taste]) -> Floats:
        """How much each paper is by authors that the reader's liked papers share."""
        return self._authors.sums([taste.authors for taste in tastes])


class Table:
    """Papers by names, sparse: each name's papers lie together. By numpy alone, so that every process can afford it."""

    def __init__(self, papers: Sequence[Mapping[str, float]]) -> None:
        self._papers = len(papers)
        entries = sorted((name, row, value) for row, paper in enumerate(papers) for name, value in paper.items())
        self._rows: dict[str, int] = {}
        starts: list[int] = []
        for place, (name, _, _) in enumerate(entries):
            if name not in self._rows:
                self._rows[name] = len(starts)
                starts.append(place)
        self._starts = np.array([*starts, len(entries)], np.intp)
        self._paper = np.array([row for _, row, _ in entries], np.intp)
        self._value = np.array([value for _, _, value in entries], np.float32)

    def sums(self, profiles: Sequence[Mapping[str, float]]) -> Floats:
        """For each profile (row) and paper (column): the sum of the profile's weights of what the paper has."""
        known = [
            (number, row, weight)
            for number, profile in enumerate(profiles)
            for name, weight in profile.items()
            if (row := self._rows.get(name)) is not None
        ]
        numbers, rows = (np.array([entry[part] for entry in known], np.intp) for part in (0, 1))
        weights = np.array([weight for _, _, weight in known], np.float32)
        counts = self._starts[rows + 1] - self._starts[rows]
        # Where each known term's papers lie, one after the other.
        places = np.arange(counts.sum()) + np.repeat(self._starts[rows] - np.cumsum(counts) + counts, counts)
        cells = np.repeat(numbers * self._papers, counts) + self._paper[places]
        values = np.repeat(weights, counts) * self._value[places]
        size = len(profiles) * self._papers
        return np.bincount(cells, values, size).astype(np.float32).reshape(len(profiles), self._papers)


def taste_of(like: Floats, authors: Floats) -> Floats:
    """One number for taste: words, and shared authors above them."""
    return np.minimum(like, np.float32(1)) + np.float32(AUTHOR_WEIGHT) * np.minimum(authors, np.float32(1))
