"""The papers an edition can draw from, with what the choice needs to know, computed once per edition."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property, lru_cache

import numpy as np
from django.utils.formats import number_format
from django.utils.functional import Promise, lazy
from django.utils.translation import gettext, ngettext
from numpy.typing import NDArray

from newsletter.digest.features import Features
from newsletter.digest.scoring import phrase_strengths, standing, told_plainly
from newsletter.digest.taste import text_of
from newsletter.digest.terms import Passage, passage, short_forms
from newsletter.models import Edition, EditionPaper
from papers.identity import author_key
from papers.models import Listing, Paper, PaperTopic, Reading
from papers.models.topics import BELONGS
from subscribers.schedule import day_in_words

Floats = NDArray[np.float64]

FEWEST_UPVOTES = 5  # fewer are no reason to read anything
LONGEST_RISE = 14  # days after which it says nothing any more how long the upvotes took

_EDITIONS = 4  # that a process works on at once; each keeps some megabytes


class Corpus:
    """The texts of the candidates: what phrases, authors and tastes are looked up in. Each is read when first asked."""

    def __init__(self, texts: Sequence[tuple[str, str, Sequence[str]]]) -> None:
        self._texts = texts  # title, abstract, authors
        self._phrases: dict[str, Floats] = {}
        self._signed: dict[int, Mapping[str, str]] = {}

    @cached_property
    def features(self) -> Features:
        return Features.of(
            [text_of(*passages, authors) for passages, (_, _, authors) in zip(self._passages, self._texts, strict=True)]
        )

    def about(self, phrases: Iterable[str]) -> Mapping[str, Floats]:
        """How well each paper fits each of these phrases, and perhaps more."""
        if unknown := [phrase for phrase in phrases if phrase not in self._phrases]:
            self._phrases |= phrase_strengths(unknown, self._passages, self._forms)
        return self._phrases

    def by(self, author: str) -> Sequence[int]:
        """The rows of an author's papers, however the name is written."""
        return self._authors.get(author_key(author), [])

    def signed(self, row: int) -> Mapping[str, str]:
        """The authors of a paper: each one's key, and the name as it stands there."""
        if row not in self._signed:
            names = {author_key(name): name for name in self._texts[row][2]}
            self._signed[row] = {key: name for key, name in names.items() if key}
        return self._signed[row]

    @cached_property
    def _passages(self) -> list[tuple[Passage, Passage]]:
        return [(passage(title), passage(abstract)) for title, abstract, _ in self._texts]

    @cached_property
    def _forms(self) -> dict[str, str]:
        return short_forms(part for passages in self._passages for part in passages)

    @cached_property
    def _authors(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for row, (_, _, authors) in enumerate(self._texts):
            for key in {author_key(name) for name in authors} - {""}:
                found.setdefault(key, []).append(row)
        return found


@dataclass(frozen=True)
class Candidates:
    """P papers by T topics, rows in the order of `papers`, columns in that of `topics`."""

    papers: Sequence[int]
    topics: Sequence[int]
    topic_names: Sequence[str]
    strengths: Floats  # (P, T), 0..1
    standings: Floats  # (P, T), how the paper trends within the topic: a z-score
    overall: Floats  # (P,), how it trends among all: a z-score
    popularity: Sequence[str | Promise]  # the trend in words, in whatever language is spoken then; may be empty
    pinned: Sequence[int] = ()  # row numbers, in the editor's order
    column: dict[int, int] = field(default_factory=dict)  # topic id -> column
    notice: Mapping[int, float] = field(default_factory=dict)  # paper -> its trend without the date
    texts: Corpus | None = None

    @cached_property
    def corpus(self) -> Corpus:
        return self.texts or corpus(tuple(self.papers))

    @cached_property
    def span(self) -> tuple[int, int]:
        """The first and the last of the papers by number. Papers of one time lie together, so for each reader an index
        is read over this stretch instead of being asked for every paper."""
        return min(self.papers, default=0), max(self.papers, default=0)

    @cached_property
    def strongest(self) -> list[int]:
        """The column of each paper's own strongest topic; -1 where it is of none."""
        if not self.topics:
            return [-1] * len(self.papers)
        best = self.strengths.argmax(axis=1)
        return np.where(self.strengths.max(axis=1) >= BELONGS, best, -1).tolist()  # type: ignore[no-any-return]

    @cached_property
    def plainly(self) -> NDArray[np.bool_]:
        """(P, T): whether the paper is so much of the topic that this alone is a reason."""
        return told_plainly(self.strengths)

    @cached_property
    def row_of(self) -> dict[int, int]:
        return {paper: row for row, paper in enumerate(self.papers)}


def load(edition: Edition) -> Candidates:
    """The candidates of an edition or of a past revision, without the papers an editor banned; a constant number of
    queries."""
    pool = edition.drawn_from().exclude(choice=EditionPaper.Choice.BANNED)
    return of(list(pool.order_by("-hot", "paper_id")), edition.pins())


def of(pool: Sequence[EditionPaper], pins: Sequence[int] = ()) -> Candidates:
    """The candidates of a pool, stored or not; `pins` are the papers that an editor wants first, in this order."""
    papers = [row.paper_id for row in pool]
    links = list(
        PaperTopic.objects.filter(paper__in=papers)
        .values_list("paper_id", "topic_id", "topic__name", "strength")
        .order_by("topic__position", "topic_id")
    )
    names = {topic: name for _, topic, name, _ in links}
    column = {topic: number for number, topic in enumerate(names)}
    row_of = {paper: number for number, paper in enumerate(papers)}
    strengths = np.zeros((len(papers), len(names)))
    for paper, topic, _, strength in links:
        strengths[row_of[paper], column[topic]] = strength
    notice = np.array([row.notice for row in pool], dtype=float)
    return Candidates(
        papers=papers,
        topics=list(names),
        topic_names=list(names.values()),
        strengths=strengths,
        standings=standings_by_topic(notice, strengths),
        overall=standing(notice),
        popularity=popularity(papers),
        pinned=[row_of[paper] for paper in pins if paper in row_of],
        column=column,
        notice={row.paper_id: row.notice for row in pool},
    )


@lru_cache(maxsize=_EDITIONS)
def corpus(papers: tuple[int, ...]) -> Corpus:
    """The texts of these papers. An edition's pool is frozen, and so are its texts while a worker is at it."""
    texts = {
        pk: (title, abstract, authors)
        for pk, title, abstract, authors in Paper.objects.filter(pk__in=papers).values_list(
            "pk", "title", "abstract", "authors"
        )
    }
    return Corpus([texts.get(pk, ("", "", ())) for pk in papers])


def standings_by_topic(notice: Floats, strengths: Floats) -> Floats:
    """Each paper's standing among the papers of each topic, so that a small field has trends of its own.

    Of notice, which knows no date: hot papers of the last day would be the only trend (docs/trends.md).
    """
    result = np.zeros_like(strengths)
    for topic in range(strengths.shape[1]):
        members = strengths[:, topic] >= BELONGS
        result[members, topic] = standing(notice[members])
    return result


def popularity(papers: Sequence[int]) -> list[str | Promise]:
    """Why each paper counts as trending, in words: its upvotes, else its place on the page that showed it.

    "" where neither says much: "Picked by the editor · 1 upvote" would speak against the paper.
    """
    words: dict[int, str | Promise] = {}
    listings = Listing.objects.filter(paper__in=papers, place__isnull=False).order_by("day", "-place")
    for paper, day, place in listings.values_list("paper_id", "day", "place"):
        words[paper] = place_later(place, day)
    readings = Reading.objects.filter(paper__in=papers, upvotes__gte=FEWEST_UPVOTES).order_by("taken_at")
    for paper, upvotes, at, listed_on in readings.values_list("paper_id", "upvotes", "taken_at", "paper__listed_on"):
        words[paper] = upvotes_later(upvotes, max((at.date() - listed_on).days, 1) if listed_on else None)
    return [words.get(paper, "") for paper in papers]


def place_in_words(place: int | None, day: date) -> str:
    return gettext("no. %(place)s in the trends of %(day)s") % {"place": place, "day": day_in_words(day, "no year")}


def upvotes_in_words(upvotes: int, days: int | None) -> str:
    """The upvotes that a paper has `days` after it was first listed; the time is told while it is short."""
    words = ngettext("%(upvotes)s upvote", "%(upvotes)s upvotes", upvotes)
    words %= {"upvotes": number_format(upvotes, force_grouping=True)}
    if days is None or days > LONGEST_RISE:
        return words
    return ngettext("%(upvotes)s in a day", "%(upvotes)s in %(days)s days", days) % {"upvotes": words, "days": days}


# Said when the language is known.
place_later, upvotes_later = lazy(place_in_words, str), lazy(upvotes_in_words, str)
