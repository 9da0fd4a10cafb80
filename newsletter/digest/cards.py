"""A paper in a mail: its card, rendered once for all readers of an edition who share a language."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from django.template.loader import render_to_string
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from newsletter.digest.slots import Slots, Slotted, SlottedHtml
from papers.models import Paper
from papers.summary import summary
from papers.text import ABSTRACT_LIMIT, cut, without_controls
from subscribers import links
from subscribers.styling import inlined_rows

SUBJECT_LENGTH = 60  # characters: what phones show
TITLE_LENGTH = 300
SUMMARY_LENGTH = 280
NAMES_LENGTH = 300
REASON_LENGTH = 200
URL_LENGTH = 300  # a longer one is no address of a paper
CARDS = 5_000  # that a process remembers: a few editions' papers, each as long as its words stay the same
AUTHORS = 4  # named before "and others"
CARD_SLOTS = ("label", "why", "web", "place")  # all of them filled texts, or of addresses of ours

# Where a provider's own language for templates would begin (docs/email.md), or a word in the code of RFC 2047 that a
# header is read by: a space there, and it is only text.
_MERGE_FIELD = re.compile(
    r"(?<=\{)(?=[{$%])|(?<=\*)(?=\|)|(?<=<)(?=%)|(?<=%)(?=[A-Za-z_][\w.]*%)|(?<=\[)(?=\[[A-Za-z_]{3,}[:\]])"
    r"|(?<==)(?=\?)"
)
_SUSPECT = re.compile(r"[{*<%\[]|=\?")
_WEB = re.compile(r"https?://\S+", re.IGNORECASE)
_RTL = re.compile(r"^[\W\d_]*[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")


@dataclass(frozen=True)
class Card:
    """One paper, as every reader of the edition sees it; label, reason and links to say something are the reader's."""

    title: str
    subject: str
    summary: str
    html: Slotted
    text: Slotted


def card(paper: Paper) -> Card:
    """A paper's card in both parts, in the language that is active."""
    return _rendered(get_language(), **card_context(paper))


@lru_cache(maxsize=CARDS)
def _rendered(_language: str | None, **texts: str) -> Card:
    context = {**texts, "slot": Slots(*CARD_SLOTS)}
    return Card(
        title=texts["title"],
        subject=cut(texts["title"], SUBJECT_LENGTH),
        summary=texts["summary"],
        html=SlottedHtml(inlined_rows(render_to_string("emails/digest/card.html", context)), CARD_SLOTS),
        text=Slotted(render_to_string("emails/digest/card.txt", context), CARD_SLOTS),
    )


def card_context(paper: Paper) -> dict[str, str]:
    """What a card says of its paper. Whatever a source or an editor wrote, it is plain text of bounded length here."""
    texts = {
        "title": cut(plain(paper.title), TITLE_LENGTH) or _("Untitled"),
        "authors": cut(plain(authors_line(paper.authors)), NAMES_LENGTH),
        "summary": claim(paper.title, paper.abstract[:ABSTRACT_LIMIT]),
    }
    urls = {"url": paper.url, "pdf_url": paper.pdf_url, "code_url": paper.code_url}
    return {
        **texts,
        **{f"{name}_direction": direction(text) for name, text in texts.items()},
        **{name: url if len(url) <= URL_LENGTH and _WEB.fullmatch(url) else "" for name, url in urls.items()},
        "page": links.absolute("paper", str(paper.pk), paper.slug),
    }


@lru_cache(maxsize=CARDS)  # each run asks anew: to find it takes longer than all else of a card
def claim(title: str, abstract: str) -> str:
    """What a paper says is new in it."""
    return plain(summary(abstract, SUMMARY_LENGTH, title=title))


def plain(text: str) -> str:
    """Text as it may stand in a subject, a body and a provider's request: no controls, merge fields, encoded words."""
    if not text.isprintable():
        text = " ".join(without_controls(text).split())
    return _MERGE_FIELD.sub(" ", text) if _SUSPECT.search(text) else text


def direction(text: str) -> str:
    """ "rtl" for a text whose first letter is Hebrew, Arabic or another written from the right, else ""."""
    return "rtl" if _RTL.match(text) else ""


def authors_line(names: Sequence[str]) -> str:
    """The first few authors and the last, who is often the one readers know."""
    if len(names) <= AUTHORS:
        return ", ".join(names)
    return f"{', '.join(names[: AUTHORS - 1])}, … {names[-1]}"
