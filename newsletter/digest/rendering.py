"""A digest as a mail: what all readers of an edition share is rendered once, the rest is joined in.

HTML is styled by classes and inlined once per edition, since several mail programs drop <style>
(https://www.caniemail.com/features/html-style/); what is left in <style> is the dark mode.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from html import escape
from urllib.parse import urlsplit

import css_inline
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.formats import date_format

from newsletter.digest.choice import Choice
from newsletter.digest.slots import Filled, Slots, Slotted
from newsletter.models import Digest, Edition
from papers.models import Paper
from papers.summary import summary
from subscribers import links
from subscribers.emails import compose, message_id, unsubscribing

SUBJECT_LENGTH = 60  # characters: what phones show
SUMMARY_LENGTH = 280  # characters
AUTHORS = 4  # named before "and others"

READER_SLOTS = (
    "subject",
    "preheader",
    "count",
    "items",
    "address",
    "since",
    "preferences",
    "less_often",
    "pause",
    "leave",
    "web",
)


@dataclass(frozen=True)
class Card:
    """One paper, as every reader of the edition sees it; the reason is the reader's own."""

    title: str
    html: Slotted
    text: Slotted


class Renderer:
    """Renders the digests of one edition. `pool_size` is the number of papers it was chosen from."""

    def __init__(self, edition: Edition, pool_size: int) -> None:
        self.edition = edition
        self.pool_size = pool_size
        self._cards: dict[int, Card] = {}

    def message(self, digest: Digest, choices: Sequence[Choice]) -> EmailMultiAlternatives:
        """The mail of one digest. Raises UnsafeHeader where a header would carry control characters."""
        values = self._values(digest, choices)
        return compose(
            to=str(digest.subscriber.email),
            subject=values["subject"],
            text=self._text_shell.fill(values | {"items": self._items(choices, "text")}),
            html=self._html_shell.fill(values | {"items": self._items(choices, "html")}),
            headers=self._headers(digest),
            metadata={"digest": str(digest.uid)},
        )

    def html(self, digest: Digest, choices: Sequence[Choice]) -> str:
        """The HTML part alone, for reading in a browser."""
        return self._html_shell.fill(self._values(digest, choices) | {"items": self._items(choices, "html")})

    def _values(self, digest: Digest, choices: Sequence[Choice]) -> dict[str, str]:
        reader = digest.subscriber
        titles = [card.title for card in self._cards_of(choices)]
        papers = "1 paper" if len(choices) == 1 else f"{len(choices)} papers"
        return {
            "subject": shortened(titles[0], SUBJECT_LENGTH),
            "preheader": shortened(" · ".join(titles[1:]) or papers, 120),
            "count": f"{papers} for you, chosen from {self.pool_size}",
            "address": str(reader.email),
            "since": date_format(reader.confirmed_at or reader.created_at, "j F Y"),
            "preferences": links.preferences_url(reader),
            "leave": links.leave_url(reader),
            "less_often": links.less_often_url(reader),
            "pause": links.pause_url(reader),
            "web": settings.SITE_URL + reverse("web_copy", args=[digest.uid]),
        }

    def _headers(self, digest: Digest) -> dict[str, str]:
        """RFC 2369 and RFC 8058 (leaving in one click), RFC 2919 (the list's name), Gmail's Feedback-ID."""
        host = urlsplit(settings.SITE_URL).hostname
        return {
            "Message-ID": message_id(digest.uid),
            **unsubscribing(links.one_click_url(digest.subscriber)),
            "List-Id": f"{settings.SITE_NAME}, {self.edition.get_kind_display()} <{self.edition.kind}.{host}>",
            "Feedback-ID": f"{self.edition.date}:{self.edition.kind}:digest:{host}",
        }

    def _items(self, choices: Sequence[Choice], part: str) -> str:
        cards = zip(self._cards_of(choices), choices, strict=True)
        return Filled.of([getattr(card, part).fill({"reason": choice.reason}) for card, choice in cards])

    def _cards_of(self, choices: Iterable[Choice]) -> list[Card]:
        wanted = [choice.paper for choice in choices]
        if new := set(wanted) - self._cards.keys():
            self._cards |= {paper.pk: card(paper) for paper in Paper.objects.filter(pk__in=new)}
        return [self._cards[pk] for pk in wanted]

    @cached_property
    def _html_shell(self) -> Slotted:
        return Slotted(inlined(self._shell("body.html"), document=True), escape)

    @cached_property
    def _text_shell(self) -> Slotted:
        return Slotted(self._shell("body.txt"))

    def _shell(self, template: str) -> str:
        return render_to_string(
            f"emails/digest/{template}",
            {
                "edition": self.edition,
                "site_name": settings.SITE_NAME,
                "site_url": settings.SITE_URL,
                "postal_address": settings.POSTAL_ADDRESS,
                "slot": Slots(*READER_SLOTS),
            },
        )


def card(paper: Paper) -> Card:
    """A paper's card in both parts, with a slot for the reason."""
    context = {
        "paper": paper,
        "authors": authors_line(paper.authors),
        "summary": summary(paper.abstract, SUMMARY_LENGTH),
        "page": settings.SITE_URL + reverse("paper", args=[paper.pk, paper.slug]),
        "slot": Slots("reason"),
    }
    return Card(
        title=paper.title,
        html=Slotted(inlined(render_to_string("emails/digest/card.html", context), document=False), escape),
        text=Slotted(render_to_string("emails/digest/card.txt", context)),
    )


def authors_line(names: Sequence[str]) -> str:
    """The first few authors and the last, who is often the one readers know."""
    if len(names) <= AUTHORS:
        return ", ".join(names)
    return f"{', '.join(names[: AUTHORS - 1])}, … {names[-1]}"


def shortened(text: str, length: int) -> str:
    """At most `length` characters, cut between words."""
    if len(text) <= length:
        return text
    return text[: length - 1].rsplit(" ", 1)[0].rstrip(" ,.;:–-") + "…"


def inlined(html: str, *, document: bool) -> str:
    """Styles from the mail's style sheet onto the elements themselves."""
    inliner = css_inline.CSSInliner(extra_css=stylesheet(), keep_style_tags=True, load_remote_stylesheets=False)
    return inliner.inline(html) if document else inliner.inline_fragment(html, stylesheet())


def stylesheet() -> str:
    return render_to_string("emails/digest/style.css")
