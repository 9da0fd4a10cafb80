"""The archive of editions: what each drew from, the same for everybody, without anything of any reader."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse
from django.utils import timezone

from newsletter.digest.candidates import FEWEST_UPVOTES
from newsletter.models import Edition, EditionPaper
from papers.archive import Kind, Period
from papers.models import Paper
from papers.views.caching import public_page
from papers.views.lists import Page, lines_of, page_number, with_all_shown
from papers.views.metadata import Metadata

PAPERS_SHOWN = 20  # of the pool, besides the editor's own
EDITIONS_SHOWN = 60  # on a page


@public_page
def edition_list(request: HttpRequest) -> HttpResponse:
    """All editions that were opened, the latest first."""
    number = page_number(request.GET.get("page", ""))
    found = list(Edition.objects.public(timezone.now())[(number - 1) * EDITIONS_SHOWN : number * EDITIONS_SHOWN + 1])
    if number > 1 and not found:
        raise Http404("There are not that many editions.")
    meta = Metadata("Past editions", "Every edition that was mailed, with its papers.", reverse("editions"))
    context = {
        "meta": meta,
        "editions": found[:EDITIONS_SHOWN],
        "number": number,
        "more": len(found) > EDITIONS_SHOWN,
    }
    return render(request, "newsletter/editions.html", context)


@public_page
def edition(request: HttpRequest, kind: str, day: Period) -> HttpResponse:
    """The editor's note and pins, and the hottest papers of the pool that every reader's digest was chosen from."""
    if day.kind != Kind.DAY:
        raise Http404("An edition has a day.")
    found = get_object_or_404(Edition.objects.public(timezone.now()), kind=kind, date=day.first)
    pins = found.pool.filter(choice=EditionPaper.Choice.PINNED).order_by("place", "pk")
    pool = found.pool.filter(choice=EditionPaper.Choice.POOL).order_by("-hot", "paper_id")
    title = f"{found.get_kind_display()} edition, {day.name}"
    context = {
        "meta": Metadata(title, f"What the digests of {day.name} were chosen from.", request.path),
        "edition": found,
        "day": day,
        "pins": page_of([row.paper_id for row in pins]),
        "page": page_of([row.paper_id for row in pool[:PAPERS_SHOWN]]),
        "fewest_upvotes": FEWEST_UPVOTES,  # as in the mails
    }
    return render(request, "newsletter/edition.html", context)


def page_of(papers: list[int]) -> Page:
    """These papers as a list, in this order."""
    rows = {paper.pk: paper for paper in with_all_shown(Paper.objects.filter(pk__in=papers))}
    return Page(lines_of((rows[pk] for pk in papers), timezone.now()), number=1, more=False)
