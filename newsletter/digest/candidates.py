"""The papers an edition can draw from, with what the choice needs to know, computed once per edition."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from newsletter.models import Edition, EditionPaper
from papers.models import Listing, PaperTopic, Reading
from papers.models.topics import BELONGS

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Candidates:
    """P papers by T topics, rows in the order of `papers`, columns in that of `topics`."""

    papers: Sequence[int]
    topics: Sequence[int]
    topic_names: Sequence[str]
    strengths: Floats  # (P, T), 0..1
    standings: Floats  # (P, T), how the paper trends within the topic: a z-score
    overall: Floats  # (P,), how it trends among all: a z-score
    popularity: Sequence[str]  # the trend in words; may be empty
    pinned: Sequence[int] = ()  # row numbers, in the editor's order
    column: dict[int, int] = field(default_factory=dict)  # topic id -> column


def load(edition: Edition) -> Candidates:
    """The candidates of an edition, without the papers an editor banned; a constant number of queries."""
    pool = list(edition.pool.exclude(choice=EditionPaper.Choice.BANNED).order_by("-hot", "paper_id"))
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
    hot = np.array([row.hot for row in pool], dtype=float)
    return Candidates(
        papers=papers,
        topics=list(names),
        topic_names=list(names.values()),
        strengths=strengths,
        standings=standings_by_topic(hot, strengths),
        overall=standing(hot),
        popularity=popularity(papers),
        pinned=[number for number, row in enumerate(pool) if row.choice == EditionPaper.Choice.PINNED],
        column=column,
    )


def standings_by_topic(hot: Floats, strengths: Floats) -> Floats:
    """Each paper's standing among the papers of each topic, so that a small field has trends of its own."""
    result = np.zeros_like(strengths)
    for topic in range(strengths.shape[1]):
        members = strengths[:, topic] >= BELONGS
        result[members, topic] = standing(hot[members])
    return result


def standing(hot: Floats) -> Floats:
    """Distances from the mean in standard deviations; all zero where nothing stands out."""
    spread = hot.std() if hot.size else 0.0
    return (hot - hot.mean()) / spread if spread > 1e-9 else np.zeros_like(hot)


def popularity(papers: Sequence[int]) -> list[str]:
    """Why each paper counts as trending, in words: its upvotes, else its place on the page that showed it."""
    words: dict[int, str] = {}
    listings = Listing.objects.filter(paper__in=papers, place__isnull=False).order_by("day", "-place")
    for paper, day, place in listings.values_list("paper_id", "day", "place"):
        words[paper] = f"no. {place} in the trends of {day.day} {day:%B}"
    for paper, upvotes in (
        Reading.objects.filter(paper__in=papers, upvotes__gt=0).order_by("taken_at").values_list("paper_id", "upvotes")
    ):
        words[paper] = "1 upvote" if upvotes == 1 else f"{upvotes:,} upvotes"
    return [words.get(paper, "") for paper in papers]
