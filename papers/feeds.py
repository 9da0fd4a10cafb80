"""Atom (RFC 4287) and JSON Feed (https://www.jsonfeed.org/version/1.1/) of what the public pages list.

All text is plain and is escaped by whoever writes it. An entry's id holds the paper's row and never changes; its
`updated` is that of the row, which readings, listings and trends leave alone.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import IO, Any
from urllib.parse import urlencode, urlsplit
from xml.sax.xmlreader import AttributesImpl

from django.conf import settings
from django.db.models import Prefetch
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBadRequest
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.encoding import iri_to_uri
from django.utils.feedgenerator import Atom1Feed, SyndicationFeed, rfc3339_date
from django.utils.xmlutils import SimplerXMLGenerator

from papers.archive import Period
from papers.models import Paper, PaperQuerySet, PaperTopic, Topic
from papers.search import LONGEST_QUERY, find
from papers.summary import summary
from papers.text import ABSTRACT_LIMIT, cut, without_controls
from papers.views.caching import public_page
from papers.views.metadata import absolute

FEED_SIZE = 50
AUTHORS_SHOWN = 20  # some papers have thousands
ABSTRACT_SHOWN = 3_000  # characters; arXiv allows 1,920
TAGGED = "2026"  # a year in which the site's name was its owner's (RFC 4151)
NOTHING_YET = datetime(1970, 1, 1, tzinfo=UTC)  # the change of a feed without entries: it must not be now


class PaperFeed(SyndicationFeed):
    """What both forms share."""

    content_type: str

    def latest_post_date(self) -> datetime:
        return max((item["updateddate"] for item in self.items), default=NOTHING_YET)


class AtomFeed(PaperFeed, Atom1Feed):
    """Atom with several authors, plain text and a link to the paper itself; Django's has one author and HTML."""

    def add_item_elements(self, handler: SimplerXMLGenerator, item: dict[str, Any]) -> None:
        super().add_item_elements(handler, item | {"categories": []})
        for name in item["authors"]:
            handler.startElement("author", AttributesImpl({}))
            handler.addQuickElement("name", name)
            handler.endElement("author")
        if item["source"]:
            handler.addQuickElement("link", "", {"rel": "related", "href": item["source"], "title": "Abstract page"})
        for topic in item["topics"]:
            handler.addQuickElement("category", "", {"term": topic.slug, "label": without_controls(topic.name)})
        if item["summary"]:
            handler.addQuickElement("summary", item["summary"], {"type": "text"})
        if item["abstract"]:
            handler.addQuickElement("content", item["abstract"], {"type": "text"})


class JSONFeed(PaperFeed):
    """JSON Feed 1.1."""

    content_type = "application/feed+json; charset=utf-8"

    def write(self, outfile: IO[str], encoding: str) -> None:  # noqa: ARG002 - JSON is UTF-8
        feed = {
            "version": "https://jsonfeed.org/version/1.1",
            "title": self.feed["title"],
            "home_page_url": self.feed["link"],
            "feed_url": self.feed["feed_url"],
            "description": self.feed["subtitle"],
            "language": self.feed["language"],
            "authors": [{"name": self.feed["author_name"], "url": self.feed["author_link"]}],
            "items": [self.item(item) for item in self.items],
        }
        outfile.write(json.dumps(feed, ensure_ascii=False))

    def item(self, item: dict[str, Any]) -> dict[str, Any]:
        """What is not known is left out, but for the text, which must be there."""
        fields = {
            "id": item["unique_id"],
            "url": item["link"],
            "external_url": item["source"],
            "title": item["title"],
            "summary": item["summary"],
            "date_published": rfc3339_date(item["pubdate"]),
            "date_modified": rfc3339_date(item["updateddate"]),
            "authors": [{"name": name} for name in item["authors"]],
            "tags": [topic.name for topic in item["topics"]],
        }
        text = {"content_text": item["abstract"] or item["title"]}
        return {name: value for name, value in fields.items() if value} | text


FORMS: dict[str, type[PaperFeed]] = {"atom": AtomFeed, "json": JSONFeed}


@dataclass(frozen=True)
class Channel:
    """A list of papers that can be followed. `page` shows the same list to people; both are paths."""

    title: str
    description: str
    page: str
    feed: str


@public_page
def latest(request: HttpRequest, form: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The latest day lists, one after the other, hottest first."""
    channel = Channel(
        "Latest papers",
        "The research papers of the latest lists, the most noticed of each day first.",
        reverse("home"),
        reverse("latest_feed", args=[form]),
    )
    papers = Paper.objects.filter(listed_on__isnull=False).order_by("-listed_on", "-hot", "pk")
    return written(channel, form, with_topics(papers))


@public_page
def period(request: HttpRequest, period: Period, form: str) -> HttpResponse:  # noqa: ARG001
    """A day, a week or a month, most noticed first. Raises Http404 where nothing was listed."""
    papers = with_topics(Paper.objects.shown(period.first, period.last).noticed())
    if not papers:
        raise Http404("We know no list of this time.")
    channel = Channel(
        period.name,
        "The research papers that were noticed most.",
        reverse("period", args=[period]),
        reverse("period_feed", args=[period, form]),
    )
    return written(channel, form, papers)


@public_page
def topic(request: HttpRequest, slug: str, form: str) -> HttpResponse:  # noqa: ARG001
    """One topic, hottest first."""
    found = get_object_or_404(Topic, slug=slug)
    channel = Channel(
        found.name, found.description, reverse("topic", args=[slug]), reverse("topic_feed", args=[slug, form])
    )
    return written(channel, form, with_topics(Paper.objects.about(found)))


@public_page
def search(request: HttpRequest, form: str) -> HttpResponse:
    """What `?q=` finds, best first; 400 in words where it asks for nothing."""
    words = " ".join(without_controls(request.GET.get("q", "")).split())[:LONGEST_QUERY]
    if not words:
        return HttpResponseBadRequest("Say what to look for: ?q=graph networks\n", content_type="text/plain")
    rows = find(words)[:FEED_SIZE]
    papers = {paper.pk: paper for paper in with_topics(Paper.objects.filter(pk__in=rows))}
    query = "?" + urlencode({"q": words})
    channel = Channel(
        f"Search for {words}",
        "The research papers that hold these words, best first.",
        reverse("search") + query,
        reverse("search_feed", args=[form]) + query,
    )
    return written(channel, form, [papers[pk] for pk in rows if pk in papers])


def with_topics(papers: PaperQuerySet) -> list[Paper]:
    """As many as a feed holds, in two queries."""
    by_strength = PaperTopic.objects.belonging().select_related("topic").order_by("-strength", "pk")
    return list(papers.prefetch_related(Prefetch("paper_topics", by_strength))[:FEED_SIZE])


def written(channel: Channel, form: str, papers: Iterable[Paper]) -> HttpResponse:
    """The channel as a document."""
    generator = FORMS[form]
    feed = generator(
        title=without_controls(f"{channel.title} · {settings.SITE_NAME}"),
        subtitle=without_controls(channel.description),
        description=None,
        link=absolute(channel.page),
        feed_url=absolute(channel.feed),
        feed_guid=absolute(channel.feed),
        language="en",
        author_name=settings.SITE_NAME,
        author_link=absolute(reverse("home")),
    )
    for paper in papers:
        feed.add_item(**entry(paper))
    response = HttpResponse(content_type=generator.content_type)
    feed.write(response, "utf-8")
    return response


def entry(paper: Paper) -> dict[str, Any]:
    """A paper that came by `with_topics`, as SyndicationFeed.add_item takes it."""
    abstract = without_controls(paper.abstract[:ABSTRACT_LIMIT])
    named = (without_controls(name).strip() for name in paper.authors[:AUTHORS_SHOWN])
    return {
        "title": without_controls(paper.title),
        "link": absolute(reverse("paper", args=[paper.pk, paper.slug])),
        "description": None,
        "unique_id": f"tag:{urlsplit(settings.SITE_URL).hostname},{TAGGED}:paper/{paper.pk}",
        "pubdate": paper.published_at or paper.created_at,
        "updateddate": paper.updated_at,
        "summary": summary(abstract, title=without_controls(paper.title)),
        "abstract": cut(abstract, ABSTRACT_SHOWN),
        "authors": [name for name in named if name],
        "source": iri_to_uri(without_controls(paper.url)) if paper.url.startswith("https://") else "",
        "topics": [given.topic for given in paper.paper_topics.all()],
    }
