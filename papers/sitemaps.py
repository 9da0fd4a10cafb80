"""The sitemap (https://www.sitemaps.org/protocol.html): an index over the fixed pages, the topics and each month.

It is written row by row, so a month of papers takes no more memory than a day. Django's own sitemaps take addresses
from the Host header, and count and hold each section.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from xml.sax.saxutils import escape

from django.db.models import Count, Max, QuerySet
from django.db.models.functions import TruncMonth
from django.http import Http404, HttpRequest, StreamingHttpResponse
from django.urls import reverse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from papers.archive import Kind, Period
from papers.models import Listing, Paper, Topic
from papers.views.caching import FRESH_FOR
from papers.views.metadata import absolute

MOST_PAPERS = 49_000  # in one file; the protocol allows 50,000 addresses, and a month has its lists too
CHUNK = 2_000  # rows held at once

Entry = tuple[str, datetime | None]  # a path, and when it changed

_public = cache_control(public=True, max_age=FRESH_FOR)


@require_safe
@_public
def index(request: HttpRequest) -> StreamingHttpResponse:  # noqa: ARG001 - Django's signature
    """All other sitemaps, one for the papers that were last listed in a month; more where a month has very many."""
    months = (
        Paper.objects.filter(listed_on__isnull=False)
        .annotate(month=TruncMonth("listed_on"))
        .values_list("month")
        .annotate(papers=Count("pk"), changed=Max("updated_at"))
        .order_by("-month")
    )
    entries: list[Entry] = [(reverse("sitemap_pages"), None), (reverse("sitemap_topics"), None)]
    for first, papers, changed in months:
        parts = range(1, 2 + (papers - 1) // MOST_PAPERS)
        entries += [(reverse("sitemap_month", args=[Period.month(first), part]), changed) for part in parts]
    return _written("sitemapindex", "sitemap", entries)


@require_safe
@_public
def pages(request: HttpRequest) -> StreamingHttpResponse:  # noqa: ARG001
    """What is always there."""
    return _written("urlset", "url", [(reverse(name), None) for name in ("home", "topics", "about")])


@require_safe
@_public
def topics(request: HttpRequest) -> StreamingHttpResponse:  # noqa: ARG001
    """Every topic."""
    slugs = Topic.objects.order_by("pk").values_list("slug", flat=True)
    return _written("urlset", "url", ((reverse("topic", args=[slug]), None) for slug in slugs))


@require_safe
@_public
def month(request: HttpRequest, month: Period, part: int) -> StreamingHttpResponse:  # noqa: ARG001
    """A month's lists, and its papers. Raises Http404 for anything but a month that has them."""
    papers = Paper.objects.filter(listed_on__gte=month.first, listed_on__lte=month.last).order_by("pk")
    start = (part - 1) * MOST_PAPERS
    if month.kind != Kind.MONTH or not 1 <= part <= 1_000 or not papers[start : start + 1].exists():
        raise Http404("There is no such sitemap.")
    return _written("urlset", "url", _of_month(month, papers[start : start + MOST_PAPERS], with_lists=part == 1))


def _of_month(month: Period, papers: QuerySet[Paper], *, with_lists: bool) -> Iterator[Entry]:
    if with_lists:
        listed = Listing.objects.filter(day__gte=month.first, day__lte=month.last)
        yield reverse("period", args=[month]), None
        for day in listed.order_by("day").values_list("day", flat=True).distinct():
            yield reverse("period", args=[Period.day(day)]), None
    for paper in papers.only("title", "updated_at").iterator(CHUNK):
        yield reverse("paper", args=[paper.pk, paper.slug]), paper.updated_at


def _written(root: str, element: str, entries: Iterable[Entry]) -> StreamingHttpResponse:
    return StreamingHttpResponse(_lines(root, element, entries), content_type="application/xml; charset=utf-8")


def _lines(root: str, element: str, entries: Iterable[Entry]) -> Iterator[str]:
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    yield f'<{root} xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">\n'
    for path, changed in entries:
        when = f"<lastmod>{changed.isoformat(timespec='seconds')}</lastmod>" if changed else ""
        yield f"<{element}><loc>{escape(absolute(path))}</loc>{when}</{element}>\n"
    yield f"</{root}>\n"
