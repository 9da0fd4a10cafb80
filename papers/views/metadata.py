"""What a page says of itself to search engines, feed readers and previews: the contents of its <head>."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.urls import reverse
from django.utils.functional import cached_property
from django.utils.safestring import SafeString, mark_safe

from papers.models import Paper, PaperTopic
from papers.text import without_controls

# What could end a <script> or open a comment in one, as Django's json_script has it.
_ESCAPED = str.maketrans({"<": r"\u003C", ">": r"\u003E", "&": r"\u0026"})


@dataclass(frozen=True)
class FeedLink:
    """A feed of a page, in one of its forms."""

    words: str
    media_type: str
    path: str


@dataclass(frozen=True)
class Metadata:
    """Of one page. `path` is that of its first page, and holds no more of the query than belongs to the address."""

    title: str
    description: str
    path: str
    feeds: Sequence[FeedLink] = ()
    number: int = 1
    kind: str = "website"
    article: SafeString | str = ""

    @property
    def address(self) -> str:
        """The one address under which this page should be known."""
        return absolute(self.path) + (f"?page={self.number}" if self.number > 1 else "")

    @cached_property
    def known_feeds(self) -> Sequence[FeedLink]:
        """Its own feeds; a page without any offers the latest papers."""
        return self.feeds or feed_links("latest_feed")


def absolute(path: str) -> str:
    """By SITE_URL: a Host header is the client's word."""
    return f"{settings.SITE_URL}{path}"


def feed_links(name: str, *args: object, **query: str) -> list[FeedLink]:
    """Both forms of a feed (papers/feeds.py) by the name of its route."""
    end = "?" + urlencode(query) if query else ""
    return [
        FeedLink(words, media_type, reverse(name, args=[*args, form]) + end)
        for form, words, media_type in (
            ("atom", "Atom", "application/atom+xml"),
            ("json", "JSON Feed", "application/feed+json"),
        )
    ]


def scholarly_article(paper: Paper, topics: Sequence[PaperTopic], links: Sequence[str]) -> SafeString:
    """The paper as https://schema.org/ScholarlyArticle, ready to stand in a <script>."""
    ids = {"arXiv": paper.arxiv_id, "DOI": paper.doi}
    article: dict[str, Any] = {
        "@context": "https://schema.org",
        "@type": "ScholarlyArticle",
        "name": without_controls(paper.title),
        "headline": without_controls(paper.title),
        "abstract": without_controls(paper.abstract),
        "author": [{"@type": "Person", "name": without_controls(name)} for name in paper.authors],
        "datePublished": paper.published_at.date().isoformat() if paper.published_at else None,
        "about": [{"@type": "Thing", "name": given.topic.name} for given in topics],
        "identifier": [
            {"@type": "PropertyValue", "propertyID": name, "value": value} for name, value in ids.items() if value
        ],
        "mainEntityOfPage": absolute(reverse("paper", args=[paper.pk, paper.slug])),
        "sameAs": list(links),
    }
    text = json.dumps({name: value for name, value in article.items() if value}, ensure_ascii=False)
    return mark_safe(text.translate(_ESCAPED))  # noqa: S308 - nothing is left that HTML reads
