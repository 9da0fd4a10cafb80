"""Where search engines find every page: https://www.sitemaps.org/protocol.html. One section per month of papers."""

from collections.abc import Iterator
from datetime import date

from django.conf import settings
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from papers.archive import Period
from papers.models import Listing, Paper, Topic
from papers.views.caching import public_page

LARGEST = 50_000  # addresses in one file, by the protocol
# Where links lead that belong to one reader, or that would only repeat other pages.
CLOSED = ["admin", "api", "confirm", "digests", "erase", "inbox", "leave", "less-often", "one-click", "pause"]
CLOSED += ["preferences", "resume", "sample", "search", "undo"]


@public_page
def index(request: HttpRequest) -> HttpResponse:
    """The sections."""
    names = ["pages", *map(str, months())]
    addresses = [settings.SITE_URL + reverse("sitemap_section", args=[name]) for name in names]
    return xml(request, "papers/sitemap_index.xml", addresses)


@public_page
def section(request: HttpRequest, name: str) -> HttpResponse:
    """Topics and the first pages, or a month with its days and papers."""
    if name == "pages":
        paths = [reverse(page) for page in ("home", "topics", "about", "subscribe")]
        paths += [reverse("topic", args=[slug]) for slug in Topic.objects.values_list("slug", flat=True)]
    else:
        try:
            paths = list(of_month(Period.parse(name)))
        except ValueError as error:
            raise Http404("There is no such section.") from error
    return xml(request, "papers/sitemap.xml", [settings.SITE_URL + path for path in paths[:LARGEST]])


@public_page
def robots(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """https://www.rfc-editor.org/rfc/rfc9309"""
    lines = ["User-agent: *", *(f"Disallow: /{path}/" for path in CLOSED)]
    lines += ["", f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")


def months() -> Iterator[Period]:
    """From the month of the first list to that of the last."""
    ends = Listing.objects.aggregate(first=Min("day"), last=Max("day"))
    day: date | None = ends["first"]
    while day and day <= ends["last"]:
        month = Period.month(day)
        yield month
        day = date.fromordinal(month.last.toordinal() + 1)


def of_month(month: Period) -> Iterator[str]:
    """The month, its days that have lists, and its papers."""
    yield reverse("period", args=[month])
    days = Listing.objects.filter(day__gte=month.first, day__lte=month.last).order_by("day")
    for day in days.values_list("day", flat=True).distinct():
        yield reverse("period", args=[Period.day(day)])
    listed = Paper.objects.filter(listed_on__gte=month.first, listed_on__lte=month.last).order_by("pk")
    for paper in listed.only("title").iterator(1000):
        yield reverse("paper", args=[paper.pk, paper.slug])


def xml(request: HttpRequest, template: str, addresses: list[str]) -> HttpResponse:
    return render(request, template, {"addresses": addresses}, content_type="application/xml; charset=utf-8")
