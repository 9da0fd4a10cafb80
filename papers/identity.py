"""When two records are the same work. Pure.

The rule: the arXiv id without its version where there is one, else the DOI, else title and first author.
So versions, cross-lists and the same paper from two sources are one Paper. A title alone (some pages
name no authors) matches a paper of that title by anybody; two different arXiv ids are never the same work.
"""

import re
import unicodedata
from collections.abc import Sequence
from hashlib import sha256

from django.utils.text import slugify

# https://info.arxiv.org/help/arxiv_identifier.html: 2508.13426 since April 2007, hep-th/9901001 before.
# The subject class of an old id (math.GT/0309136) is no part of it.
_ARXIV = re.compile(
    r"(?:^|arxiv(?:\.org)?[:/.](?:abs/|pdf/|html/)?)"
    r"(?:(?P<new>\d{4}\.\d{4,5})|(?P<archive>[a-z]+(?:-[a-z]+)?)(?:\.[a-z]{2})?/(?P<number>\d{7}))"
    r"(?:v\d+)?(?:\.pdf)?/?$",
    re.IGNORECASE | re.ASCII,
)
# The same within a text, where anything may stand around it; of a new id the month must be one.
_ARXIV_IN_TEXT = re.compile(
    r"(?<!\d)(?P<new>\d{2}(?:0[1-9]|1[0-2])\.\d{4,5})(?!\d)"
    r"|(?<![\w-])(?P<archive>[a-z]{2,8}(?:-[a-z]{2,5})?)(?:\.[a-z]{2})?/(?P<number>\d{7})(?!\d)",
    re.IGNORECASE | re.ASCII,
)
_DOI = re.compile(r"^(?:https?://(?:dx\.)?doi\.org/|doi:\s*)?(10\.\d{4,9}/\S{1,200})$", re.IGNORECASE | re.ASCII)


def arxiv_id(text: str) -> str | None:
    """The arXiv id, without version, of an id, `arXiv:` reference, OAI identifier, arXiv DOI or URL."""
    found = _ARXIV.search(text.strip())
    if not found:
        return None
    return found["new"] or f"{found['archive'].lower()}/{found['number']}"


def arxiv_ids(text: str) -> list[str]:
    """The arXiv ids in a text, without versions, each once, in their order: among links, commas, words."""
    found = (match["new"] or f"{match['archive'].lower()}/{match['number']}" for match in _ARXIV_IN_TEXT.finditer(text))
    return list(dict.fromkeys(found))


def doi(text: str) -> str | None:
    """A DOI in lower case without its resolver: DOIs do not tell letters' case apart (DOI Handbook, 2.4)."""
    found = _DOI.match(text.strip().rstrip(".,;"))
    return found[1].lower() if found else None


def title_key(title: str) -> str:
    """64 hexadecimal digits that are the same for titles that differ in case, accents or punctuation only."""
    return sha256(_folded(title).encode()).hexdigest()


def author_key(name: str) -> str:
    """`ada-lovelace` for `Ada Lovelace`, `Lovelace, Ada` and `ADA LOVÉLACE`: how a name stands in an address.

    Letters of any script; "" where there is none. Initials stay initials: `A. Lovelace` may be somebody else.
    """
    family, comma, given = name.partition(",")
    spoken = f"{given} {family}" if comma else name
    decomposed = unicodedata.normalize("NFKD", spoken)
    return slugify("".join(char for char in decomposed if not unicodedata.combining(char)), allow_unicode=True)


def first_author_key(authors: Sequence[str]) -> str:
    """The first author's family name, folded, of `Ada Lovelace` and of `Lovelace, Ada`; "" for nobody."""
    if not authors:
        return ""
    family, comma, _given = authors[0].partition(",")
    name = family if comma else authors[0].split()[-1:]
    return _folded("".join(name))[:100]


def _folded(text: str) -> str:
    decomposed = unicodedata.normalize("NFKD", text).casefold()
    letters = "".join(char for char in decomposed if char.isalnum())
    # A title of signs alone is still a title.
    return letters or decomposed.strip()
