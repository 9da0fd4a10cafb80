"""An edition's papers as arrays, made once; readers' tastes are compared with all of them in one product. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from newsletter.digest.taste import IN_TITLE, Background, Taste, Text, background

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
        return Table([{term: IN_TITLE if term in text.title else 1.0 for term in text.terms} for text in self.texts])

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
    """Papers by names, sparse."""

    def __init__(self, papers: Iterable[Mapping[str, float]]) -> None:
        papers = list(papers)
        names = sorted({name for paper in papers for name in paper})
        self._rows = {name: number for number, name in enumerate(names)}
        by_paper = _sparse(papers, self._rows)
        self._by_name = csr_array(by_paper.T)

    def sums(self, profiles: Sequence[Mapping[str, float]]) -> Floats:
        """For each profile (row) and paper (column): the sum of the profile's weights of what the paper has."""
        product = _sparse(profiles, self._rows) @ self._by_name
        return np.asarray(product.toarray(), np.float32)


def _sparse(rows: Sequence[Mapping[str, float]], columns: Mapping[str, int]) -> csr_array:
    values: list[float] = []
    places: list[int] = []
    ends = [0]
    for row in rows:
        for name, value in row.items():
            if (place := columns.get(name)) is not None:
                places.append(place)
                values.append(value)
        ends.append(len(values))
    shape = (len(rows), len(columns))
    return csr_array((np.array(values, np.float32), np.array(places, np.int32), np.array(ends, np.int32)), shape=shape)


def taste_of(like: Floats, authors: Floats) -> Floats:
    """One number for taste: words, and shared authors above them."""
    return np.minimum(like, np.float32(1)) + np.float32(AUTHOR_WEIGHT) * np.minimum(authors, np.float32(1))
