"""What every source hands over: records, cleaned once, here. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from typing import Self
from urllib.parse import urlsplit

from papers import identity
from papers.text import ABSTRACT_LIMIT, NAME_LIMIT, TITLE_LIMIT, clean

MAX_AUTHORS = 500  # the largest collaborations name thousands
URL_LIMIT = 500
# arXiv's own form; its feeds mix in ACM and MSC codes, which are no categories.
CATEGORY = re.compile(r"[a-z-]+(\.[A-Za-z-]+)?")
_CODE = re.compile(r"https?://(?:www\.)?(?:github|gitlab|bitbucket)\.(?:com|org)/[\w.-]+/[\w.-]*\w", re.ASCII)


@dataclass(frozen=True)
class ListingRecord:
    """That `source` showed the paper on `day`, at `place` from 1 where the source has an order."""

    source: str
    day: date
    place: int | None = None


@dataclass(frozen=True)
class ReadingRecord:
    """Popularity at an instant (aware); `stars` are all stars of the code repository, None if unknown."""

    taken_at: datetime
    upvotes: int = 0
    comments: int = 0
    stars: int | None = None


@dataclass(frozen=True, kw_only=True)
class PaperRecord:
    """A paper as one source shows it. Make it with `from_source`, which cleans what it is given."""

    title: str
    abstract: str = ""
    authors: tuple[str, ...] = ()
    arxiv_id: str | None = None
    doi: str | None = None
    categories: tuple[str, ...] = ()
    url: str = ""
    pdf_url: str = ""
    code_url: str = ""
    published_at: datetime | None = None
    listing: ListingRecord | None = None
    reading: ReadingRecord | None = None
    # A new version of an old paper: of use only where the paper is known already.
    only_known: bool = False

    @classmethod
    def from_source(  # noqa: PLR0913 - one keyword per field of a record
        cls,
        *,
        title: str,
        abstract: str = "",
        authors: Iterable[str] = (),
        arxiv_id: str = "",
        doi: str = "",
        categories: Iterable[str] = (),
        url: str = "",
        pdf_url: str = "",
        code_url: str = "",
        published_at: datetime | None = None,
        listing: ListingRecord | None = None,
        reading: ReadingRecord | None = None,
        only_known: bool = False,
    ) -> Self:
        """Clean text, normal ids, safe addresses. Raises ValueError for a title without a letter or digit."""
        plain_title, plain_abstract = clean(title, TITLE_LIMIT), clean(abstract, ABSTRACT_LIMIT)
        if not any(char.isalnum() for char in plain_title):
            raise ValueError("The title has no letter in it.")
        arxiv = identity.arxiv_id(arxiv_id) or identity.arxiv_id(doi)
        names = (clean(name, NAME_LIMIT) for name in authors)
        return cls(
            title=plain_title,
            abstract=plain_abstract,
            authors=tuple(name for name in names if name)[:MAX_AUTHORS],
            arxiv_id=arxiv,
            doi=None if identity.arxiv_id(doi) else identity.doi(doi),
            categories=tuple(dict.fromkeys(name for name in categories if CATEGORY.fullmatch(name))),
            url=web_address(url) or (f"https://arxiv.org/abs/{arxiv}" if arxiv else ""),
            pdf_url=web_address(pdf_url) or (f"https://arxiv.org/pdf/{arxiv}" if arxiv else ""),
            code_url=web_address(code_url) or code_address(plain_abstract),
            published_at=published_at,
            listing=listing,
            reading=reading,
            only_known=only_known,
        )

    @property
    def title_key(self) -> str:
        return identity.title_key(self.title)

    @property
    def first_author_key(self) -> str:
        return identity.first_author_key(self.authors)


def web_address(text: str) -> str:
    """The address, by https, if it is one of the web that a mail may link to, else ""."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        plain = text.isprintable() and " " not in text and parts.username is None and parts.port in {None, 80, 443}
    except ValueError:
        return ""
    if not plain or parts.scheme not in {"http", "https"} or not parts.hostname:
        return ""
    secure = parts._replace(scheme="https", netloc=parts.netloc.removesuffix(":80")).geturl()
    return secure if len(secure) <= URL_LIMIT else ""


def code_address(text: str) -> str:
    """The first code repository that a text names, else ""."""
    found = _CODE.search(text)
    return web_address(found[0]) if found else ""
