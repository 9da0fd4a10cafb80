"""A list of papers as every page shows it: a page at a time, and nothing is counted."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest
from django.utils import timezone

from papers.charts import spark
from papers.models import Paper, PaperTopic, Reading, Topic
from papers.summary import summary

PAGE_SIZE = 20  # a page of the list, with everything around it, stays under 60 KB
# To skip rows costs reading them: who wants more than this looks by day, by topic or in the search.
LAST_PAGE = 50
TOPICS_SHOWN = 2
NEW_FOR = timedelta(days=3)  # readings are due on days 0, 1 and 3: what has none by then comes from where nobody votes
LINE_SUMMARY = 160  # characters: two lines of the list


@dataclass(frozen=True)
class Line:
    """What the list shows of one paper. `upvotes` is None where nobody has counted any; `is_new` where that is because
    it was listed just now."""

    place: int
    paper: Paper
    summary: str
    topics: list[Topic]
    upvotes: int | None
    is_new: bool
    spark: str  # papers/charts.py


@dataclass(frozen=True)
class Page:
    """One page of a list; `more` says that another follows."""

    lines: list[Line]
    number: int
    more: bool

    @property
    def start(self) -> int:
        """The place of its first line."""
        return (self.number - 1) * PAGE_SIZE + 1

    @property
    def end(self) -> int:
        return self.start + len(self.lines) - 1


def page_of(request: HttpRequest, papers: QuerySet[Paper]) -> Page:
    """The page that `?page=` names, of papers in their order, in three queries however many there are.

    What is no number means the first. Raises Http404 for a page past the end.
    """
    number = page_number(request.GET.get("page", ""))
    start = (number - 1) * PAGE_SIZE
    rows = list(with_all_shown(papers)[start : start + PAGE_SIZE + 1])
    if number > 1 and not rows:
        raise Http404("The list is not that long.")
    more = len(rows) > PAGE_SIZE and number < LAST_PAGE
    return Page(lines_of(rows[:PAGE_SIZE], timezone.now(), start + 1), number, more)


def page_number(text: str) -> int:
    """1 to LAST_PAGE, the nearest to what was asked for."""
    return min(max(int(text), 1), LAST_PAGE) if text.isascii() and text.isdigit() and len(text) < 10 else 1


def with_all_shown(papers: QuerySet[Paper]) -> QuerySet[Paper]:
    """With their topics and readings, in two queries more."""
    by_strength = PaperTopic.objects.belonging().select_related("topic").order_by("-strength", "pk")
    in_time = Reading.objects.order_by("taken_at")
    return papers.prefetch_related(Prefetch("paper_topics", by_strength), Prefetch("readings", in_time))


def lines_of(papers: Iterable[Paper], at: datetime, start: int = 1) -> list[Line]:
    """Lines for papers that came by `with_all_shown`."""
    return [line_of(paper, place, at) for place, paper in enumerate(papers, start)]


def line_of(paper: Paper, place: int, at: datetime) -> Line:
    readings = list(paper.readings.all())
    return Line(
        place=place,
        paper=paper,
        summary=summary(paper.abstract, LINE_SUMMARY, title=paper.title),
        topics=[given.topic for given in paper.paper_topics.all()[:TOPICS_SHOWN]],
        upvotes=readings[-1].upvotes if readings else None,
        is_new=not readings and paper.listed_on is not None and at.date() - paper.listed_on < NEW_FOR,
        spark=spark([(one.taken_at, one.upvotes) for one in readings]),
    )
