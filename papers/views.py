"""The public pages: what is trending, by day, by topic and one by one. Nothing here changes anything."""

from dataclasses import dataclass
from typing import Any, Self
from urllib.parse import urlencode

from django.core.paginator import Page, Paginator
from django.db.models import Count, Max, OuterRef, Prefetch, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.views.decorators.http import require_safe

from papers import trends
from papers.models import Paper, PaperTopic, Reading, Topic
from papers.summary import summary

PAGE_SIZE = 20  # a page of the list, with everything around it, stays under 60 KB
TOPICS_SHOWN = 2
LINE_SUMMARY = 160  # characters: two lines of the list


@dataclass(frozen=True)
class Line:
    """What the list shows of one paper. `upvotes` is None where nobody has counted any yet."""

    place: int
    paper: Paper
    summary: str
    topics: list[Topic]
    upvotes: int | None


@dataclass(frozen=True)
class Link:
    """A way from our page to the paper itself."""

    words: str
    url: str


@dataclass(frozen=True)
class Explanation:
    """A trend score taken apart: what the notice was made of, its logarithm, and what the date adds."""

    trend: trends.Trend
    notice: float
    date: float

    @classmethod
    def of(cls, trend: trends.Trend) -> Self:
        by_date = trend.listed_at.timestamp() / trends.SECONDS_PER_UNIT
        return cls(trend, notice=trend.hot - by_date, date=by_date)


@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The latest day on which any paper was listed, hottest first."""
    day = Paper.objects.aggregate(day=Max("listed_on"))["day"]
    page = page_of(request, Paper.objects.filter(listed_on=day).exclude(listed_on=None))
    context = {"day": day, "page": page, "lines": lines_of(page)}
    return render(request, "papers/home.html", context)


@require_safe
def topics(request: HttpRequest) -> HttpResponse:
    """Everything that can be followed, under its headings."""
    fields: dict[str, list[Topic]] = {}
    for row in Topic.objects.annotate(papers_count=Count("paper_topics")).order_by("position", "name"):
        fields.setdefault(row.field, []).append(row)
    return render(request, "papers/topics.html", {"fields": fields})


@require_safe
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    """One topic's papers, hottest first."""
    found = get_object_or_404(Topic, slug=slug)
    page = page_of(request, Paper.objects.filter(paper_topics__topic=found, listed_on__isnull=False))
    context = {"topic": found, "follow": [slug], "page": page, "lines": lines_of(page)}
    return render(request, "papers/topic.html", context)


@require_safe
def paper(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """One paper. Its address holds its number; the words after it may change with the title."""
    found = get_object_or_404(Paper, pk=pk)
    if slug != found.slug:
        return redirect("paper", pk=pk, slug=found.slug, permanent=True)
    given = list(found.paper_topics.select_related("topic"))
    context = {
        "paper": found,
        "summary": summary(found.abstract),
        "paper_topics": given,
        "follow": [one.topic.slug for one in given[:TOPICS_SHOWN]],
        "links": links(found),
        "searches": searches(found),
        "trend": Explanation.of(trends.trends_of([found])[pk]),
    }
    return render(request, "papers/paper.html", context)


@require_safe
def about(request: HttpRequest) -> HttpResponse:
    """What this is, and how papers are chosen; the numbers are those that the score is made with."""
    numbers = {
        "comments": trends.COMMENT_WEIGHT,
        "stars": trends.STARS_WEIGHT,
        "star_days": trends.STARS_WINDOW.days,
        "place": trends.PLACE_BONUS,
        "seconds": trends.SECONDS_PER_UNIT,
        "hours": trends.SECONDS_PER_UNIT // 3600,
    }
    return render(request, "papers/about.html", {"trend": numbers})


def page_of(request: HttpRequest, papers: QuerySet[Paper]) -> Page[Any]:
    """One page of the hottest papers, each with its topics and its latest upvotes, in three queries."""
    upvotes = Reading.objects.filter(paper=OuterRef("pk")).order_by("-taken_at").values("upvotes")[:1]
    by_strength = PaperTopic.objects.select_related("topic").order_by("-strength", "pk")
    rows = (
        papers.order_by("-hot", "pk")
        .annotate(upvotes=Subquery(upvotes))
        .prefetch_related(Prefetch("paper_topics", by_strength))
    )
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))


def lines_of(page: Page[Any]) -> list[Line]:
    return [
        Line(
            place=place,
            paper=row,
            summary=summary(row.abstract, LINE_SUMMARY),
            topics=[given.topic for given in row.paper_topics.all()[:TOPICS_SHOWN]],
            upvotes=row.upvotes,
        )
        for place, row in enumerate(page.object_list, start=page.start_index())
    ]


def links(row: Paper) -> list[Link]:
    """Where the paper itself is. Sources are strangers, so nothing but https is ever linked."""
    known = [Link("Abstract page", row.url), Link("PDF", row.pdf_url), Link("Code", row.code_url)]
    return [link for link in known if link.url.startswith("https://")]


def searches(row: Paper) -> list[Link]:
    """Where to look for a paper whose source named no address."""
    return [
        Link("arXiv", "https://arxiv.org/search/?" + urlencode({"query": row.title, "searchtype": "title"})),
        Link("Google Scholar", "https://scholar.google.com/scholar?" + urlencode({"q": row.title})),
    ]
