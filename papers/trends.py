"""How hot a paper is. The formula is public; the site and the admin show its parts.

    hot = log10(1 + upvotes + min(comments, upvotes) / 2 + 3·log10(1 + stars gained in 7 days) + place bonus)
          + listed at / 79 200 s

The form is that of Lobsters (https://github.com/lobsters/lobsters, `Story#calculated_hotness`), itself after
Reddit: the time term is added, so that the value only changes with a new reading or listing and can be
stored and indexed. Ten times the popularity is worth one unit, which is 22 hours of age.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import islice

from django.db import transaction
from django.db.models import Avg, Count, F, Max, OuterRef, StdDev, Subquery

from papers.models import Listing, Paper, PaperTopic, Reading, Topic

SECONDS_PER_UNIT = 79_200
COMMENT_WEIGHT = 0.5  # and never more comments than upvotes: a quarrel is not a trend
STARS_WEIGHT = 3
STARS_WINDOW = timedelta(days=7)
# A page without counts contributes its order: places are about as popular as one over their number (Zipf).
PLACE_BONUS = 50
# What is usual in a topic: among its papers of so many days, up to the latest list.
USUAL_WINDOW = timedelta(days=14)
FEWEST = 3  # of two papers one is always as far above as the other is below

_CHUNK = 500
_HOT_OF_PAPER = Subquery(Paper.objects.filter(pk=OuterRef("paper")).values("hot"))


@dataclass(frozen=True)
class Popularity:
    """The latest reading: counts, and code stars gained in the 7 days before it."""

    upvotes: int = 0
    comments: int = 0
    stars_gained: int = 0


@dataclass(frozen=True)
class Trend:
    """A trend score and what it was made of. `part`s are terms inside the logarithm, each with its words."""

    hot: float
    notice: float  # the same without the date
    listed_at: datetime
    parts: tuple[tuple[str, float], ...]

    @property
    def date(self) -> float:
        """What the date adds."""
        return self.hot - self.notice

    def in_words(self) -> str:
        """The score for a human: `312 upvotes (312.0) · listed on 20 March 2026 · notice 2.50 + date 22365.82`."""
        terms = [f"{words} ({value:.1f})" for words, value in self.parts]
        listed = f"listed on {self.listed_at.day} {self.listed_at:%B %Y}"
        return " · ".join([*terms, listed, f"notice {self.notice:.2f} + date {self.date:.2f}"])


def hot(popularity: Popularity | None, place: int | None, listed_at: datetime) -> float:
    """The trend score; `place` (from 1) counts only where nobody has counted anything. `listed_at` is aware."""
    return trend(popularity, place, listed_at).hot


def trend(popularity: Popularity | None, place: int | None, listed_at: datetime) -> Trend:
    """The trend score with its parts."""
    parts: list[tuple[str, float]] = []
    if popularity:
        comments = min(popularity.comments, popularity.upvotes) * COMMENT_WEIGHT
        stars = STARS_WEIGHT * math.log10(1 + max(popularity.stars_gained, 0))
        parts = [
            (_count(popularity.upvotes, "upvote"), float(popularity.upvotes)),
            (_count(popularity.comments, "comment"), comments),
            (_count(popularity.stars_gained, "code star") + " gained in 7 days", stars),
        ]
    elif place:
        parts = [(f"no. {place} on its page", PLACE_BONUS / place)]
    notice = math.log10(1 + sum(value for _, value in parts))
    score = notice + listed_at.timestamp() / SECONDS_PER_UNIT
    return Trend(score, notice, listed_at, tuple(part for part in parts if part[1]))


def rank(papers: Iterable[Paper] | None = None) -> int:
    """Store the trend score of `papers` (all, if not given), and beside their topics; how many scores changed.

    Four queries a chunk, and one more where anything changed.
    """
    remaining = iter(papers if papers is not None else Paper.objects.order_by("pk").iterator(_CHUNK))
    changed = 0
    while chunk := list(islice(remaining, _CHUNK)):
        trends = trends_of(chunk)
        moved = [paper for paper in chunk if not math.isclose(paper.hot, trends[paper.pk].hot, rel_tol=1e-12)]
        for paper in moved:
            paper.hot, paper.notice = trends[paper.pk].hot, trends[paper.pk].notice
        Paper.objects.bulk_update(moved, ["hot", "notice"])
        mine = PaperTopic.objects.filter(paper__in=[paper.pk for paper in chunk])
        stale = mine.exclude(hot=F("paper__hot"))
        if rows := list(stale.values_list("pk", flat=True)):
            PaperTopic.objects.filter(pk__in=rows).update(hot=_HOT_OF_PAPER)
        changed += len(moved)
    return changed


def normalise() -> None:
    """Store what is usual in each topic of late, so that a small field has trends of its own. Four queries at most.

    The latest list ends the window, not the clock: the same papers always give the same trends. Where nothing has
    changed nothing is written.
    """
    latest = Paper.objects.aggregate(day=Max("listed_on"))["day"]
    if latest is not None:
        _store_usual(_usual(latest))


def _usual(latest: date) -> dict[int, tuple[float, float]]:
    """Mean and standard deviation of notice by topic, summed up in the database.

    Of notice and not of the score: over two weeks the dates differ by 15 units and notice by two or three, so that
    every paper of the last day would stand out, and nothing else (measured in docs/trends.md).
    """
    belonging = PaperTopic.objects.belonging().filter(paper__listed_on__gt=latest - USUAL_WINDOW)
    by_topic = belonging.order_by().values("topic").annotate(papers=Count("pk"))
    enough = by_topic.filter(papers__gte=FEWEST).annotate(mean=Avg("paper__notice"), spread=StdDev("paper__notice"))
    return {row["topic"]: (row["mean"], row["spread"]) for row in enough}


@transaction.atomic
def _store_usual(usual: dict[int, tuple[float, float]]) -> None:
    """Topics without are set back to none. Locked in order: two workers may have harvested at once."""
    moved = []
    for topic in Topic.objects.select_for_update(no_key=True).order_by("pk"):
        now = usual.get(topic.pk, (0.0, 0.0))
        # Not exactly: a sum's last digits depend on the order of the rows.
        if not all(map(math.isclose, (topic.usual_notice, topic.notice_spread), now)):
            topic.usual_notice, topic.notice_spread = now
            moved.append(topic)
    Topic.objects.bulk_update(moved, ["usual_notice", "notice_spread"])


def trend_of(paper: Paper, readings: Sequence[Reading], listings: Sequence[Listing]) -> Trend:
    """The trend of a paper whose readings, oldest first, and listings are at hand."""
    return _best(paper, _popularity(readings), listings)


def trends_of(papers: Sequence[Paper]) -> dict[int, Trend]:
    """The trend of each paper by its row: latest reading, best listing. Two queries, however many papers."""
    ids = [paper.pk for paper in papers]
    readings: dict[int, list[Reading]] = {}
    for reading in Reading.objects.filter(paper__in=ids).order_by("taken_at"):
        readings.setdefault(reading.paper_id, []).append(reading)
    listings: dict[int, list[Listing]] = {}
    for listing in Listing.objects.filter(paper__in=ids).order_by("-day", "place"):
        listings.setdefault(listing.paper_id, []).append(listing)
    return {paper.pk: trend_of(paper, readings.get(paper.pk, []), listings.get(paper.pk, [])) for paper in papers}


def _best(paper: Paper, popularity: Popularity | None, listings: Sequence[Listing]) -> Trend:
    """The hottest of a paper's listings; one that was never listed counts from its publication."""
    shown = [trend(popularity, listing.place, _start_of(listing.day)) for listing in listings]
    shown = shown or [trend(popularity, None, paper.published_at or paper.created_at)]
    return max(shown, key=lambda one: one.hot)


def _popularity(readings: Sequence[Reading]) -> Popularity | None:
    """Of readings, oldest first. Stars are compared with the last reading that is 7 days older, else the first."""
    if not readings:
        return None
    latest = readings[-1]
    starred = [one for one in readings if one.stars is not None]
    gained = 0
    if starred:
        before = [one for one in starred if one.taken_at <= starred[-1].taken_at - STARS_WINDOW]
        base = before[-1] if before else starred[0]
        gained = max((starred[-1].stars or 0) - (base.stars or 0), 0)
    return Popularity(latest.upvotes, latest.comments, gained)


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=UTC)


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
