"""arXiv's OAI-PMH service: everything that changed in some days, page by page. The way to fill an empty database.

https://info.arxiv.org/help/oa/index.html, https://www.openarchives.org/OAI/2.0/openarchivesprotocol.htm.
Datestamps are of the last change, so a back-fill brings old papers too; none of them is listed for it.
"""

from dataclasses import replace
from datetime import datetime, timedelta
from urllib.parse import urlencode
from xml.etree.ElementTree import Element

from papers import identity
from papers.records import PaperRecord
from papers.sources import fetching
from papers.sources.arxiv import PACE, categories_of, code_in
from papers.sources.markup import child_text, from_xml
from papers.sources.shapes import Ask, Parsed, Reader, SourceError, Wish, moment, plain

SOURCE = "arxiv-oai"
DAYS_BACK = 2  # where nobody names a day: yesterday's changes are there today
_OAI = "{http://www.openarchives.org/OAI/2.0/}"
_ARXIV = "{http://arxiv.org/OAI/arXiv/}"
# Archives with sets of their own; the rest belong to the set "physics".
_SETS = {"cs", "econ", "eess", "math", "q-bio", "q-fin", "stat"}
_LONGEST_TOKEN = 2_000


def asks(wish: Wish) -> list[Ask]:
    """One request for each archive of the categories, by the days of change."""
    categories = tuple(categories_of(wish))
    until = wish.until or wish.today
    since = wish.since or until - timedelta(days=DAYS_BACK)
    if since > until:
        raise SourceError("The first day is after the last.")
    days = {"from": since.isoformat(), **({"until": wish.until.isoformat()} if wish.until else {})}
    sets = dict.fromkeys(_set_of(name) for name in categories)
    return [
        Ask(
            f"{wish.base}?{urlencode({'verb': 'ListRecords', 'metadataPrefix': 'arXiv', 'set': one, **days})}",
            fresh=True,
            categories=tuple(name for name in categories if _set_of(name) == one),
        )
        for one in sets
    ]


def download(ask: Ask, validators: fetching.Validators | None = None) -> fetching.Answer:
    """One answer. Raises SourceError."""
    return fetching.fetch(ask.url, PACE, validators)


def parse(content: bytes, ask: Ask, at: datetime) -> Parsed:
    """The papers of one page that are in the categories asked for, and the next page. Raises SourceError only."""
    root, repaired = from_xml(content)
    if root.tag != f"{_OAI}OAI-PMH":
        raise SourceError("This is no answer by OAI-PMH.")
    reader = Reader()
    if repaired:
        reader.skip("the answer", "letters that XML does not have were replaced")
    for error in root.findall(f"{_OAI}error"):
        if error.get("code") != "noRecordsMatch":  # a quiet day
            raise SourceError(f"arXiv refuses: {plain(error.get('code'))} {plain(error.text or '')}".strip() + ".")
    for number, row in enumerate(root.iter(f"{_OAI}record"), start=1):
        try:
            record = _record(row, at, reader)
        except ValueError as error:
            reader.skip(f"record {number}", error)
            continue
        if record and _is_wanted(record, ask.categories):
            reader.records.append(record)
    token = (root.findtext(f"{_OAI}ListRecords/{_OAI}resumptionToken") or "").strip()
    if len(token) > _LONGEST_TOKEN:
        raise SourceError("arXiv sends a resumption token that is none.")
    return reader.parsed(*([_resumed(ask, token)] if token else []))


def _record(row: Element, at: datetime, reader: Reader) -> PaperRecord | None:
    """The paper, or None for one that was deleted, which brings no data."""
    header = row.find(f"{_OAI}header")
    if header is not None and header.get("status") == "deleted":
        return None
    found = row.find(f"{_OAI}metadata/{_ARXIV}arXiv")
    if found is None:
        raise ValueError("it has no metadata")
    arxiv_id = identity.arxiv_id(child_text(found, f"{_ARXIV}id"))
    if not arxiv_id:
        raise ValueError("it has no arXiv id")
    created = child_text(found, f"{_ARXIV}created")
    published_at = moment(created, at.date())
    if created and published_at is None:
        reader.skip(arxiv_id, f"{plain(created)} is no day of publication")
    return PaperRecord.from_source(
        title=child_text(found, f"{_ARXIV}title"),
        abstract=child_text(found, f"{_ARXIV}abstract"),
        authors=[_name(author) for author in found.iterfind(f"{_ARXIV}authors/{_ARXIV}author")],
        arxiv_id=arxiv_id,
        doi=next(iter(child_text(found, f"{_ARXIV}doi").split()), ""),
        categories=child_text(found, f"{_ARXIV}categories").split(),
        code_url=code_in(child_text(found, f"{_ARXIV}comments")),
        published_at=published_at,
    )


def _name(author: Element) -> str:
    return " ".join(child_text(author, f"{_ARXIV}{part}") for part in ("forenames", "keyname", "suffix"))


def _is_wanted(record: PaperRecord, categories: tuple[str, ...]) -> bool:
    """A set is a whole archive; `cs` wants all of it."""
    return any(name == one or name.startswith(f"{one}.") for name in record.categories for one in categories)


def _resumed(ask: Ask, token: str) -> Ask:
    options = urlencode({"verb": "ListRecords", "resumptionToken": token})
    return replace(ask, url=f"{ask.url.partition('?')[0]}?{options}")


def _set_of(category: str) -> str:
    archive = category.partition(".")[0]
    return archive if archive in _SETS else "physics"
