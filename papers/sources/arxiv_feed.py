"""arXiv's feed of new papers, Atom or RSS: one request covers all categories, once a day.

https://info.arxiv.org/help/rss.html. It is empty at weekends and holidays: a quiet day, not a fault.
"""

import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from xml.etree.ElementTree import Element

from papers import identity
from papers.records import ListingRecord, PaperRecord
from papers.sources import fetching
from papers.sources.arxiv import PACE, categories_of, names_of
from papers.sources.markup import children, from_xml, local
from papers.sources.shapes import FIRST_DAY, Ask, Parsed, Reader, SourceError, Wish, is_possible, moment, plain

SOURCE = "arxiv"
MAX_ENTRIES = 20_000  # the feed says 2,000 a category at most
_HEAD = re.compile(r"^\s*arXiv:\S+\s+Announce Type:\s*(?P<kind>[a-z-]+)\s*(?:Abstract:\s*)?", re.IGNORECASE)
_KINDS = {"new", "cross", "replace", "replace-cross"}


def asks(wish: Wish) -> list[Ask]:
    """One request for all categories. Raises SourceError for days: the feed knows only the last one."""
    if wish.since or wish.until:
        raise SourceError("The feed has only the last announcement; for other days fetch from arxiv-oai.")
    return [Ask(wish.base.rstrip("/") + "/" + "+".join(categories_of(wish)))]


def download(ask: Ask, validators: fetching.Validators | None = None) -> fetching.Answer:
    """One answer. Raises SourceError."""
    return fetching.fetch(ask.url, PACE, validators)


def parse(content: bytes, ask: Ask, at: datetime) -> Parsed:  # noqa: ARG001 - every source's signature
    """The papers that were announced. Raises SourceError, and nothing else, for what is no feed."""
    root, repaired = from_xml(content)
    if local(root.tag) not in {"feed", "rss", "RDF"}:
        raise SourceError(f"This is no feed: it begins with <{plain(local(root.tag))}>.")
    reader = Reader()
    if repaired:
        reader.skip("the feed", "letters that XML does not have were replaced")
    entries = [element for element in root.iter() if local(element.tag) in {"entry", "item"}]
    for number, entry in enumerate(entries[:MAX_ENTRIES], start=1):
        try:
            reader.records.append(_record(entry, at, reader))
        except ValueError as error:
            reader.skip(f"entry {number}", error)
    if len(entries) > MAX_ENTRIES:
        reader.skip("the rest", f"more than {MAX_ENTRIES:,} entries")
    return reader.parsed()


def _record(entry: Element, at: datetime, reader: Reader) -> PaperRecord:
    words = {name: _first(entry, name) for name in ("id", "guid", "title", "summary", "description", "published")}
    arxiv_id = identity.arxiv_id(words["id"] or words["guid"])
    if not arxiv_id:
        raise ValueError("it has no arXiv id")
    text = words["summary"] or words["description"]
    head = _HEAD.match(text)
    kind = _first(entry, "announce_type").lower() or (head["kind"].lower() if head else "")
    if kind not in _KINDS:
        raise ValueError(f"“{plain(kind)}” is no kind of announcement")
    announced = _announced(words["published"] or _first(entry, "pubDate"), at)
    if announced is None:
        reader.skip(arxiv_id, "it has no day of announcement, so today is taken")
    is_first = kind in {"new", "cross"}
    day = announced.date() if announced else at.date()
    return PaperRecord.from_source(
        title=words["title"],
        abstract=text[head.end() :] if head else text,
        authors=[name for creator in children(entry, "creator") for name in names_of(creator.text or "")],
        arxiv_id=arxiv_id,
        categories=[child.get("term") or child.text or "" for child in children(entry, "category")],
        published_at=announced if kind == "new" else None,
        # A new version is no news: it is no listing, and of no use to whoever does not know the paper.
        listing=ListingRecord(SOURCE, day) if is_first else None,
        only_known=not is_first,
    )


def _first(entry: Element, name: str) -> str:
    return next(("".join(child.itertext()).strip() for child in children(entry, name)), "")


def _announced(text: str, at: datetime) -> datetime | None:
    """The announcement with arXiv's own offset: its date there is the day of the list."""
    found = moment(text, at.date())
    if found is None:
        try:
            found = parsedate_to_datetime(text)
        except (ValueError, TypeError, OverflowError):
            return None
        found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found if is_possible(found.date(), at.date(), FIRST_DAY) else None
