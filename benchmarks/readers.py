"""Readers made from real daily listings, for benchmarks/ranking.py.

Subject readers follow one or two of the subjects that a part of the listings is labelled with; no ranker sees the
labels. Author readers follow one author. Both like their first five relevant papers and are then shown each later week.
"""

import gzip
import json
import random
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

LIKES = 5
FEWEST_SHOWN = 10  # papers of a week
SUBJECT_PAPERS = (10, 60)  # more is no subject, less cannot be ranked after five likes
AUTHOR_PAPERS = 8
AUTHOR_READERS = 150

Bools = NDArray[np.bool_]
Rows = NDArray[np.intp]


@dataclass(frozen=True)
class Listed:
    title: str
    abstract: str
    authors: tuple[str, ...]
    day: date
    upvotes: int
    keywords: tuple[str, ...] | None = None  # None: not labelled

    @property
    def week(self) -> tuple[int, int]:
        return self.day.isocalendar()[:2]


@dataclass(frozen=True)
class Week:
    """The rows that are shown, and which of them the reader wants."""

    rows: Rows
    wanted: Bools


@dataclass(frozen=True)
class Reader:
    names: tuple[str, ...]  # as they would type what they follow
    likes: list[int]
    weeks: list[Week] = field(default_factory=list)

    @property
    def is_for_tuning(self) -> bool:
        """Constants are chosen on one half of the readers and reported on the other; no subject is in both."""
        return in_tuning_half(subject(self.names[0]))


def load(path: Path) -> list[Listed]:
    """The listings by day, each paper once."""
    found: dict[str, Listed] = {}
    with (gzip.open if path.suffix == ".gz" else open)(path, "rt", encoding="utf-8") as file:
        for row in map(json.loads, file):
            found.setdefault(
                row["id"],
                Listed(
                    title=row["title"],
                    abstract=row.get("abstract") or "",
                    authors=tuple(row.get("authors") or ()),
                    day=date.fromisoformat(row["day"]),
                    upvotes=row.get("upvotes") or 0,
                    keywords=tuple(row["keywords"]) if row.get("keywords") else None,
                ),
            )
    return sorted(found.values(), key=lambda one: (one.day, one.title))


def subject_readers(papers: Sequence[Listed]) -> list[Reader]:
    """One reader for each subject, and as many who follow two of them."""
    labelled = np.array([paper.keywords is not None for paper in papers])
    with_subject: defaultdict[str, list[int]] = defaultdict(list)
    spellings: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for row, paper in enumerate(papers):
        for keyword in paper.keywords or ():
            spellings[subject(keyword)][keyword] += 1
        for one in {subject(keyword) for keyword in paper.keywords or ()}:
            with_subject[one].append(row)
    least, most = SUBJECT_PAPERS
    subjects = sorted(one for one, rows in with_subject.items() if least <= len(rows) <= most)
    chance = random.Random(5)
    halves = [[one for one in subjects if in_tuning_half(one) == is_tuning] for is_tuning in (True, False)]
    pairs = [tuple(chance.sample(half, 2)) for half in halves if len(half) > 1 for _ in half]
    name = {one: max(spellings[one].items(), key=lambda item: (item[1], item[0]))[0] for one in subjects}
    readers = (
        reader(tuple(name[one] for one in mine), set().union(*(with_subject[one] for one in mine)), labelled, papers)
        for mine in [*((one,) for one in subjects), *pairs]
    )
    return [one for one in readers if one.weeks]


def author_readers(papers: Sequence[Listed]) -> list[Reader]:
    by_author: defaultdict[str, list[int]] = defaultdict(list)
    for row, paper in enumerate(papers):
        for author in set(paper.authors):
            by_author[author].append(row)
    authors = sorted(author for author, rows in by_author.items() if len(rows) >= AUTHOR_PAPERS)
    chosen = random.Random(6).sample(authors, min(AUTHOR_READERS, len(authors)))
    everything = np.ones(len(papers), dtype=bool)
    readers = (reader((author,), by_author[author], everything, papers) for author in chosen)
    return [one for one in readers if one.weeks]


def reader(names: tuple[str, ...], wanted: Iterable[int], shown: Bools, papers: Sequence[Listed]) -> Reader:
    """Likes the first five; each week after the last like in which there is something to find is a question."""
    rows = sorted(wanted)
    likes, later = rows[:LIKES], set(rows[LIKES:])
    weeks = sorted({papers[row].week for row in later if papers[row].week > papers[likes[-1]].week})
    of_week = np.array([paper.week for paper in papers])
    questions = []
    for week in weeks:
        pool = np.flatnonzero(shown & (of_week == week).all(axis=1))
        found = np.array([row in later for row in pool], dtype=bool)
        if len(pool) >= FEWEST_SHOWN and 0 < found.sum() < len(pool):
            questions.append(Week(pool, found))
    return Reader(names, likes, questions)


def in_tuning_half(name: str) -> bool:
    return crc32(name.encode()) % 2 == 0


def subject(keyword: str) -> str:
    """`Diffusion models (DMs)` and `diffusion model` are one subject."""
    plain = re.sub(r"[-\s]+", " ", re.sub(r"\s*\([^)]*\)", "", keyword.lower())).strip()
    return plain[:-1] if len(plain) > 4 and plain.endswith("s") and not plain.endswith("ss") else plain
