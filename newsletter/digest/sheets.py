"""What all readers of an edition who share a language have in common, rendered once."""

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import translation
from django.utils.safestring import mark_safe
from django.utils.translation import ngettext

from newsletter.digest.cards import Card, card
from newsletter.digest.notes import NOTE_LENGTH, as_mailed
from newsletter.digest.slots import Encode, Slots, Slotted, SlottedHtml
from newsletter.models import Edition
from papers.models import Paper
from papers.text import cut
from subscribers import links
from subscribers.schedule import day_in_words
from subscribers.styling import inlined, inlined_fragment

REASONS = 5_000  # that are remembered
READER_SLOTS = ("subject", "preheader", "count", "address", "since")
READY_SLOTS = ("more", "preferences", "leave_key", "web")  # filled texts, and addresses of ours


class Part:
    """One of the two parts of a mail: its shell and the small pieces that go into it or into a card."""

    def __init__(self, kind: str, edition: Edition) -> None:
        is_html = kind == "html"
        self._slotted = SlottedHtml if is_html else Slotted
        context = shell_context(edition)
        items = context["slot"]["items"]
        if is_html:  # rows of a table, in whose place nothing but a comment may stand
            items = context["slot"]["items"] = mark_safe(f"<!--{items}-->")  # noqa: S308 - letters alone
        shell = render_to_string(f"emails/digest/body.{kind}", context)
        head, _, foot = (inlined(shell) if is_html else shell).partition(items)
        self.head, self.foot = self._slotted(head, READY_SLOTS), self._slotted(foot, READY_SLOTS)
        self.octets = self.head.octets + self.foot.octets
        self.label = _said(self._piece(f"label.{kind}", "reason"))
        self.why = _said(self._piece(f"why.{kind}", "reason"))
        self.more = self._piece(f"more.{kind}", "words", "web")

    def _piece(self, name: str, *slots: str) -> Slotted:
        text = render_to_string(f"emails/digest/{name}", {"slot": Slots(*slots)})
        return self._slotted(inlined_fragment(text) if name.endswith("html") else text, READY_SLOTS)


def _said(slotted: Slotted) -> Callable[[str, Encode], Any]:
    """A reason in its place. Most are those of many readers: those are filled in and encoded once."""

    @lru_cache(maxsize=REASONS)
    def said(reason: str, encode: Encode) -> Any:
        return encode("".join(slotted.fill({"reason": reason})))

    return said


class Sheet:
    """An edition in one language: the shells of both parts, the cards so far, and the words that numbers go into."""

    def __init__(self, edition: Edition, pool_size: int, language: str) -> None:
        self._pool_size, self._language = pool_size, language
        with translation.override(language):
            self.html, self.text = Part("html", edition), Part("txt", edition)
        self._cards: dict[int, Card] = {}
        self._counts: dict[int, str] = {}
        self._days: dict[date, str] = {}

    def cards(self, papers: Sequence[int], rows: Mapping[int, Paper]) -> list[Card]:
        """The cards of these papers, in their order; `rows` has all of them by primary key."""
        if missing := [pk for pk in papers if pk not in self._cards]:
            with translation.override(self._language):
                self._cards |= {pk: card(rows[pk]) for pk in missing}
        return [self._cards[pk] for pk in papers]

    def count(self, papers: int) -> str:
        """ "5 papers for you, from 54 recent ones": those of the pool, most of which were in yesterday's too."""
        if papers not in self._counts:
            with translation.override(self._language):
                some = ngettext("%(number)s paper for you", "%(number)s papers for you", papers)
                pool = ngettext("from %(number)s recent one", "from %(number)s recent ones", self._pool_size)
                words = f"{some % {'number': papers}}, {pool % {'number': self._pool_size}}"
            self._counts[papers] = words
        return self._counts[papers]

    def more(self, papers: int) -> str:
        """What the mail had no room for."""
        with translation.override(self._language):
            words = ngettext("%(number)s more paper on the web", "%(number)s more papers on the web", papers)
            return words % {"number": papers}

    def day(self, day: date) -> str:
        if day not in self._days:
            with translation.override(self._language):
                self._days[day] = day_in_words(day)
        return self._days[day]


def shell_context(edition: Edition) -> dict[str, Any]:
    """What the shell needs, with a slot for whatever is one reader's own."""
    slot = Slots("items", *READER_SLOTS, *READY_SLOTS)
    return {
        "edition": edition,
        "note": cut(as_mailed(edition.note), NOTE_LENGTH),
        "site_name": settings.SITE_NAME,
        "sender": settings.MAIL_FROM_NAME,
        "postal_address": settings.POSTAL_ADDRESS,
        "leave": links.absolute("leave", slot["leave_key"]),
        "less_often": links.absolute("less_often", slot["leave_key"]),
        "pause": links.absolute("pause", slot["leave_key"]),
        "slot": slot,
    }
