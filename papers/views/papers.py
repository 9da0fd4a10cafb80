"""One paper, one author, and what this is. Nothing here changes anything."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from papers import trends
from papers.archive import Period
from papers.charts import Chart, chart
from papers.identity import author_key
from papers.models import Authorship, Paper, Reading
from papers.models.authors import NAME_LENGTH
from papers.similar import similar
from papers.summary import summary
from papers.views.caching import public_page
from papers.views.lists import TOPICS_SHOWN, page_of
from papers.views.metadata import Metadata, scholarly_article


@dataclass(frozen=True)
class Link:
    """A way from our page to the paper itself."""

    words: str
    url: str


@dataclass(frozen=True)
class Author:
    """A name as the paper spells it, and as it stands in addresses; "" where it cannot."""

    name: str
    key: str


@public_page
def paper(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """One paper. Its address holds its number; the words after it may change with the title.

    The number of a row that was merged leads on to the other.
    """
    found = Paper.objects.filter(pk=pk).first() or get_object_or_404(Paper, merged__number=pk)
    if (pk, slug) != (found.pk, found.slug):
        return redirect("paper", pk=found.pk, slug=found.slug, permanent=True)
    given = list(found.paper_topics.belonging().select_related("topic"))
    readings = list(found.readings.order_by("taken_at"))
    known, short = links(found), summary(found.abstract, title=found.title)
    meta = Metadata(
        title=found.title,
        description=short,
        path=request.path,
        kind="article",
        article=scholarly_article(found, given, [link.url for link in known]),
    )
    context = {
        "meta": meta,
        "paper": found,
        "listed": found.listed_on and Period.day(found.listed_on),
        "authors": [Author(name, author_key(name)[:NAME_LENGTH]) for name in found.authors],
        "summary": short,
        "paper_topics": given,
        "follow": [one.topic for one in given[:TOPICS_SHOWN]],
        "similar": similar(found),
        "links": known,
        "searches": searches(found),
        "trend": trends.trend_of(found, readings, list(found.listings.all())),
        "chart": chart_of(readings),
    }
    return render(request, "papers/paper.html", context)


def chart_of(readings: list[Reading]) -> Chart | None:
    """Of their upvotes; None where nobody gave any, which a sentence says as well."""
    rows = [(one.taken_at, one.upvotes, one.comments) for one in readings]
    return chart(rows) if any(one.upvotes for one in readings) else None


@public_page
def author(request: HttpRequest, key: str) -> HttpResponse:
    """What people of this name wrote, latest lists first."""
    names = Authorship.objects.filter(key=key).values_list("name", flat=True)
    name = names.first() if key.isprintable() else None  # PostgreSQL cannot even be asked for a NUL
    if name is None:
        raise Http404("We know no paper by this author.")
    page = page_of(request, Paper.objects.by_author(key))
    meta = Metadata(name, f"Trending papers by {name}.", reverse("author", args=[key]), number=page.number)
    return render(request, "papers/author.html", {"meta": meta, "name": name, "key": key, "page": page})


@public_page
def about(request: HttpRequest) -> HttpResponse:
    """What this is, and how papers are chosen; the numbers are those that the score is made with."""
    numbers = {
        "comments": trends.COMMENT_WEIGHT,
        "stars": trends.STARS_WEIGHT,
        "star_days": trends.STARS_WINDOW.days,
        "place": trends.PLACE_BONUS,
        "seconds": trends.SECONDS_PER_UNIT,
        "usual_days": trends.USUAL_WINDOW.days,
        "hours": trends.SECONDS_PER_UNIT // 3600,
    }
    meta = Metadata("About", "What this is, how papers are chosen, and how to leave.", reverse("about"))
    return render(request, "papers/about.html", {"meta": meta, "trend": numbers})


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
