"""Atom (RFC 4287) and JSON Feed (https://www.jsonfeed.org/version/1.1/) of the lists that the site shows."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, time
from typing import Any, TextIO

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.template.defaultfilters import date as date_format
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, SyndicationFeed
from django.utils.html import escape

from papers.archive import Kind, Period
from papers.models import Paper, Topic
from papers.search import LONGEST_QUERY, find
from papers.summary import summary
from papers.views.caching import public_page
from papers.views.lists import with_all_shown

ENTRIES = 50


class JSONFeed(SyndicationFeed):
    """JSON Feed 1.1 out of the same parts as Django's other feeds."""

    def write(self, outfile: TextIO, encoding: str) -> None:  # noqa: ARG002 - Django's signature
        json.dump(
            {
                "version": "https://jsonfeed.org/version/1.1",
                "title": self.feed["title"],
                "description": self.feed["description"],
                "home_page_url": self.feed["link"],
                "feed_url": self.feed["feed_url"],
                "language": "en",
                "items": [self._item(item) for item in self.items],
            },
            outfile,
            ensure_ascii=False,
        )

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        return {
            "id": item["unique_id"],
            "url": item["link"],
            **({"external_url": item["external_url"]} if item["external_url"] else {}),
            "title": item["title"],
            "summary": item["description"],
            "content_text": item["content"] or item["description"] or item["title"],
            "date_published": item["pubdate"].isoformat(),
            "authors": [{"name": name} for name in item["authors"]],
            "tags": list(item["categories"]),
        }


class AtomFeed(Atom1Feed):
    """Django's, with every author apart."""

    def add_item_elements(self, handler: Any, item: dict[str, Any]) -> None:
        # Django calls a summary HTML: a paper's text is none, and must not become any in a reader.
        super().add_item_elements(handler, item | {"description": escape(item["description"])})
        for name in item["authors"]:
            handler.startElement("author", {})
            handler.addQuickElement("name", name)
            handler.endElement("author")


FORMATS: dict[str, type[SyndicationFeed]] = {"atom": AtomFeed, "json": JSONFeed}
CONTENT_TYPES = {"atom": "application/atom+xml; charset=utf-8", "json": "application/feed+json; charset=utf-8"}


@dataclass(frozen=True)
class Described:
    """What a feed is called and which page it belongs to; `page` and `here` are paths."""

    title: str
    words: str
    page: str
    here: str


@public_page
def latest(request: HttpRequest, form: str) -> HttpResponse:
    """What is hottest now."""
    papers = Paper.objects.filter(listed_on__isnull=False).trending()
    words = "The research papers your field is talking about."
    return answer(form, Described("Trending papers", words, "/", request.path), with_all_shown(papers)[:ENTRIES])


@public_page
def period(request: HttpRequest, period: Period, form: str) -> HttpResponse:
    """A day, a week or a month of lists."""
    papers = with_all_shown(Paper.objects.shown(period.first, period.last).noticed())[:ENTRIES]
    if not papers:
        raise Http404("We know no list of this time.")
    name = date_format(period.first, "F Y" if period.kind == Kind.MONTH else "j F Y")
    title = f"Trending papers, {'week of ' if period.kind == Kind.WEEK else ''}{name}"
    page = reverse("period", args=[period])
    return answer(form, Described(title, "Most noticed first.", page, request.path), papers)


@public_page
def topic(request: HttpRequest, slug: str, form: str) -> HttpResponse:
    """One topic's papers."""
    found = get_object_or_404(Topic, slug=slug)
    papers = with_all_shown(Paper.objects.about(found))[:ENTRIES]
    page = reverse("topic", args=[slug])
    return answer(form, Described(f"Trending in {found.name}", found.description, page, request.path), papers)


@public_page
def search(request: HttpRequest, form: str) -> HttpResponse:
    """The papers that hold the words, latest lists first."""
    words = " ".join(request.GET.get("q", "").split())[:LONGEST_QUERY]
    if not words:
        raise Http404("There are no words to look for: add ?q=…")
    papers = with_all_shown(Paper.objects.filter(pk__in=find(words)).trending())[:ENTRIES]
    asked = request.GET.copy()
    asked.clear()
    asked["q"] = words
    page, here = (f"{path}?{asked.urlencode()}" for path in (reverse("search"), request.path))
    return answer(form, Described(f"Papers with “{plain(words)}”", "Hottest first.", page, here), papers)


def answer(form: str, what: Described, papers: Iterable[Paper]) -> HttpResponse:
    """The feed of these papers, which came by `with_all_shown`, in one of FORMATS."""
    feed = FORMATS[form](
        title=f"{what.title} · {settings.SITE_NAME}",
        link=settings.SITE_URL + what.page,
        feed_url=settings.SITE_URL + what.here,
        description=plain(what.words),
        language="en",
    )
    for paper in papers:
        listed = datetime.combine(paper.listed_on, time(), tzinfo=UTC) if paper.listed_on else paper.created_at
        feed.add_item(
            title=plain(paper.title),
            link=settings.SITE_URL + reverse("paper", args=[paper.pk, paper.slug]),
            # The number alone: the words after it change with the title.
            unique_id=f"{settings.SITE_URL}/papers/{paper.pk}/",
            description=plain(summary(paper.abstract)),
            content=plain(paper.abstract),
            external_url=paper.url if paper.url.startswith("https://") else "",
            authors=[plain(name) for name in paper.authors],
            categories=[given.topic.name for given in paper.paper_topics.all()],
            pubdate=listed,
            updateddate=listed,
        )
    return HttpResponse(feed.writeString("utf-8"), content_type=CONTENT_TYPES[form])


def plain(text: str) -> str:
    """Without what XML cannot hold, should a row have it: sources are cleaned before they are stored."""
    return "".join(char for char in text if char.isprintable() or char == "\n")
