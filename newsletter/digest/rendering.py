"""A digest as a mail: what readers of an edition share is rendered once, the rest is joined in.

docs/email.md tells how, and what it costs.
"""

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from operator import attrgetter
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.conf import settings
from django.core.mail.message import EmailAlternative
from django.urls import reverse

from newsletter.digest.cards import REASON_LENGTH, Card, plain
from newsletter.digest.choice import Choice
from newsletter.digest.sheets import Part, Sheet
from newsletter.digest.slots import Encode
from newsletter.models import Digest, Edition
from papers.models import Paper
from papers.text import cut
from subscribers import links
from subscribers.emails import Mail, envelope, message_id, named, unsubscribing
from subscribers.models import Subscriber

HTML_LIMIT = 90_000  # octets; Gmail clips at 102 KB, and with the end goes the link to unsubscribe
# Octets at most that one reader's own words and links add to the shell, and to a card beside the reason.
READERS_OWN, ITEMS_OWN = 6_000, 600
LONGEST_ESCAPE = 6  # octets that one character may become: "&nbsp;"
PREHEADER_LENGTH = 120  # characters
SOMEBODY = UUID(int=0)
SOME_KEY = "-" * 22

Kind = Callable[[Any], Any]  # of a part: takes it out of a sheet, or of a card
TEXT, HTML = attrgetter("text"), attrgetter("html")


@dataclass(frozen=True)
class Rendered:
    """A digest as whoever builds the message needs it."""

    subject: str
    text: str
    html: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class Copy:
    """One reader's copy before it is joined: the sheet, what goes into its slots, and the papers with their reasons."""

    sheet: Sheet
    values: Mapping[str, str]  # the reader's own words, escaped where they stand
    ready: Mapping[str, str]  # addresses of ours
    cards: Sequence[Card]
    choices: Sequence[Choice]
    reasons: Sequence[str]

    def text(self, shown: int) -> str:
        return "".join(self._filled(TEXT, shown, self.ready))

    def html(self, shown: int) -> str:
        return "".join(self._filled(HTML, shown, self.ready))

    def encoded(self, shown: int, encode: Encode) -> tuple[list[Any], list[Any]]:
        """Text and HTML as somebody wants them encoded, each to be joined."""
        ready = {name: encode(value) for name, value in self.ready.items()}
        return self._filled(TEXT, shown, ready, encode), self._filled(HTML, shown, ready, encode)

    def fits(self) -> int:
        """How many of the papers the HTML part has room for; one always."""
        shown = len(self.cards)
        at_most = self.sheet.html.octets + READERS_OWN + shown * ITEMS_OWN
        at_most += sum([card.html.octets for card in self.cards]) + LONGEST_ESCAPE * sum(map(len, self.reasons))
        if at_most <= HTML_LIMIT:
            return shown
        while shown > 1 and len(self.html(shown).encode()) > HTML_LIMIT:
            shown -= 1
        return shown

    def _filled(self, kind: Kind, shown: int, ready: Mapping[str, Any], encode: Encode = str) -> list[Any]:
        part: Part = kind(self.sheet)
        cards = self.cards[:shown]
        left = len(self.cards) - len(cards)
        more = part.more.fill({"words": self.sheet.more(left), "web": self.ready["web"]}) if left else ""
        values = {**self.values, **ready, "more": encode("".join(more))}
        pieces, nothing, web = part.head.fill(values, encode), encode(""), ready["web"]
        for place, (card, choice, reason) in enumerate(zip(cards, self.choices, self.reasons, strict=False), start=1):
            slots = {"label": nothing, "why": nothing, "web": web, "place": in_path(place, encode)}
            if choice.is_labelled:
                slots["label"] = part.label(reason, encode)
            else:
                slots["why"] = part.why(reason, encode)
            pieces += kind(card).fill(slots, encode)
        return pieces + part.foot.fill(values, encode)


class DigestMail(Mail):
    """The mail of one digest. Its parts are joined when somebody asks for them: as texts, or encoded for the wire."""

    def __init__(self, copy: Copy, **options: Any) -> None:
        super().__init__(**options)
        del self.body, self.alternatives
        self._copy, self._shown = copy, copy.fits()

    @cached_property
    def body(self) -> str:
        return self._copy.text(self._shown)

    @cached_property
    def alternatives(self) -> list[EmailAlternative]:
        return [EmailAlternative(self._copy.html(self._shown), "text/html")]

    @property
    def is_joined(self) -> bool:
        """Whether it has its texts, which are then what it says: somebody may have changed them."""
        return not {"body", "alternatives"}.isdisjoint(vars(self))

    def encoded(self, encode: Encode) -> tuple[list[Any], list[Any]]:
        """Text and HTML, each in encoded pieces to be joined: of texts put together, `encode` must give the same."""
        return self._copy.encoded(self._shown, encode)

    def __getstate__(self) -> dict[str, Any]:
        """A mail with its texts, for backends that put mails in a queue."""
        return {**vars(self), "body": self.body, "alternatives": self.alternatives, "_copy": None}


class Renderer:
    """Renders the digests of one edition. `pool_size` is the number of papers it was chosen from."""

    def __init__(self, edition: Edition, pool_size: int) -> None:
        self.edition = edition
        self.pool_size = pool_size
        self._sheets: dict[str, Sheet] = {}
        self._papers: dict[int, Paper] = {}
        host = urlsplit(settings.SITE_URL).hostname
        name = f"{settings.SITE_NAME}, {edition.get_kind_display()}"
        self._headers = {
            "List-Id": named("List-Id", name, f"{edition.kind}.{host}"),
            "Feedback-ID": f"{edition.date}:{edition.kind}:digest:{host}",
        }
        # Addresses are looked up once: reversing a route costs more than all of a reader's digest.
        self._web, self._web_end = links.absolute("web_copy", "KEY").split("KEY")
        self._keys = links.DigestKeys()
        self._preferences = links.PreferencesUrls()
        self._leave, self._leave_end = links.absolute("one_click", SOME_KEY).split(SOME_KEY)

    def read(self, papers: Collection[int]) -> bool:
        """Read papers at once that the next digests show; whether all of them are there."""
        if missing := [pk for pk in papers if pk not in self._papers]:
            self._papers |= Paper.objects.in_bulk(missing)
        return all(pk in self._papers for pk in missing)

    def render(self, digest: Digest, choices: Sequence[Choice]) -> Rendered:
        """Subject, both parts and headers of one digest. Papers that HTML_LIMIT leaves no room for are on the web."""
        copy = self._copy(digest, choices)
        shown = copy.fits()
        return Rendered(
            subject=copy.values["subject"],
            text=copy.text(shown),
            html=copy.html(shown),
            headers=self._headers_of(digest),
        )

    def message(self, digest: Digest, choices: Sequence[Choice]) -> DigestMail:
        """The mail of one digest. Raises UnsafeHeader where a header would carry control characters."""
        copy = self._copy(digest, choices)
        own = envelope(
            to=str(digest.subscriber.email),
            subject=copy.values["subject"],
            headers=self._headers_of(digest),
            metadata={"digest": str(digest.uid)},
        )
        return DigestMail(copy, **own)

    def html(self, digest: Digest, choices: Sequence[Choice]) -> str:
        """The HTML part alone with all its papers, for reading in a browser.

        Its address is passed on as mails are: so it makes no fresh link that could show or change anything of its
        reader, and does not spell their address out.
        """
        copy = self._copy(digest, choices)
        return replace(
            copy,
            values={**copy.values, "address": hinted(copy.values["address"])},
            ready={**copy.ready, "preferences": links.absolute("send_preferences_link")},
        ).html(len(choices))

    def example(self, choices: Sequence[Choice], language: str) -> str:
        """The HTML part as nobody gets it: its address is made up, and all its links for readers lead to the form."""
        return harmless(self._copy(of_nobody(language), choices).html(len(choices)))

    def specimen(self, choices: Sequence[Choice], language: str) -> Rendered:
        """Subject and both parts as long as they would be mailed, but as nobody gets them, as above."""
        copy = self._copy(of_nobody(language), choices)
        shown = copy.fits()
        return Rendered(copy.values["subject"], harmless(copy.text(shown)), harmless(copy.html(shown)), {})

    def _copy(self, digest: Digest, choices: Sequence[Choice]) -> Copy:
        reader = digest.subscriber
        if (sheet := self._sheets.get(reader.language)) is None:
            sheet = self._sheets[reader.language] = Sheet(self.edition, self.pool_size, reader.language)
        papers = [choice.paper for choice in choices]
        self.read(papers)
        cards = sheet.cards(papers, self._papers)
        others = " · ".join([card.title for card in cards[1:4]])
        values = {
            "subject": cards[0].subject,
            "preheader": cut(others or cards[0].summary, PREHEADER_LENGTH),
            "count": sheet.count(len(cards)),
            "address": str(reader.email),
            "since": sheet.day((reader.confirmed_at or reader.created_at).date()),
        }
        ready = {
            "preferences": self._preferences.of(reader),
            "leave_key": reader.leave_key,
            "web": f"{self._web}{self._keys.of(digest.uid)}{self._web_end}",
        }
        return Copy(sheet, values, ready, cards, choices, [in_short(choice.reason) for choice in choices])

    def _headers_of(self, digest: Digest) -> dict[str, str]:
        """RFC 2369 and RFC 8058 (leaving in one click), RFC 2919 (the list's name), Gmail's Feedback-ID."""
        return {
            "Message-ID": message_id(digest.uid),
            "Content-Language": digest.subscriber.language,
            **unsubscribing(f"{self._leave}{digest.subscriber.leave_key}{self._leave_end}"),
            **self._headers,
        }


@lru_cache
def in_path(place: int, encode: Encode) -> Any:
    return encode(str(place))


@lru_cache(maxsize=5_000)  # most reasons are those of many
def in_short(reason: str) -> str:
    return plain(cut(reason, REASON_LENGTH))


def hinted(email: str) -> str:
    """An address that its owner recognises, and nobody else can use: "c…@example.org"."""
    local, _, domain = email.rpartition("@")
    return f"{local[:1]}…@{domain}"


def of_nobody(language: str) -> Digest:
    return Digest(
        uid=SOMEBODY,
        subscriber=Subscriber(uid=SOMEBODY, email="you@lab.org", leave_key=SOME_KEY, language=language),
    )


def harmless(part: str) -> str:
    """A part with every link that would be one reader's own leading to the form."""
    keys = [links.written(SOMEBODY), SOME_KEY, reverse("send_preferences_link")]
    own = "|".join(map(re.escape, keys))
    return re.sub(rf'https?://[^"\s<>]*(?:{own})[^"\s<>]*', links.absolute("subscribe"), part)
