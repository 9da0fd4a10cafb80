"""Looking for papers by their words."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone

from papers.models import Paper
from papers.search import LONGEST_QUERY, find
from papers.views.caching import public_page
from papers.views.lists import PAGE_SIZE, Page, lines_of, page_number, with_all_shown
from papers.views.metadata import Metadata, feed_links


@public_page
def search(request: HttpRequest) -> HttpResponse:
    """The papers that hold the words, best first."""
    words = " ".join(request.GET.get("q", "").split())
    feeds = feed_links("search_feed", q=words[:LONGEST_QUERY]) if words else ()
    context = {
        "meta": Metadata("Search", "Find papers by their words.", reverse("search"), feeds),
        "words": words[:LONGEST_QUERY],
        "page": found(words, page_number(request.GET.get("page", ""))),
        "longest": LONGEST_QUERY,
        "cut": len(words) > LONGEST_QUERY,
    }
    return render(request, "papers/search.html", context)


def found(words: str, number: int) -> Page:
    """A page of what was found. Raises Http404 past the end."""
    start = (number - 1) * PAGE_SIZE
    rows = find(words)
    here = rows[start : start + PAGE_SIZE]
    if number > 1 and not here:
        raise Http404("That is more than was found.")
    papers = {paper.pk: paper for paper in with_all_shown(Paper.objects.filter(pk__in=here))}
    lines = lines_of((papers[pk] for pk in here if pk in papers), timezone.now(), start + 1)
    return Page(lines, number, more=len(rows) > start + PAGE_SIZE)
