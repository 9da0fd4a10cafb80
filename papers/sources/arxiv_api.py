"""arXiv's search: papers of some categories and days, or by their ids to learn what other sources do not know.

https://info.arxiv.org/help/api/user-manual.html
"""

from datetime import datetime
from urllib.parse import parse_qsl, urlencode, urlsplit
from xml.etree.ElementTree import Element

from papers import identity
from papers.records import PaperRecord
from papers.sources import fetching
from papers.sources.arxiv import PACE, categories_of, code_in
from papers.sources.markup import ARXIV, ATOM, child_text, from_xml
from papers.sources.shapes import Ask, Parsed, Reader, SourceError, Wish, count_of, moment, plain

SOURCE = "arxiv-api"
IDS = 100  # ids a request: an address must not grow beyond what servers take
PAGE = 200  # results a request: the service is slow with its maximum of 2,000
MAX_RESULTS = 30_000  # of one search, by arXiv's rule
_TOTAL = "{http://a9.com/-/spec/opensearch/1.1/}totalResults"


def asks(wish: Wish) -> list[Ask]:
    """By ids where some are wished for; else by categories and the days of submission."""
    if wish.ids:
        groups = [wish.ids[start : start + IDS] for start in range(0, len(wish.ids), IDS)]
        return [_ask(wish.base, id_list=",".join(group), max_results=str(IDS)) for group in groups]
    if not (wish.since or wish.until):
        return []
    categories = " OR ".join(f"cat:{name}" for name in categories_of(wish))
    until = wish.until or wish.today
    since = wish.since or until
    if since > until:
        raise SourceError("The first day is after the last.")
    days = f"submittedDate:[{since:%Y%m%d}0000 TO {until:%Y%m%d}2359]"
    order = {"sortBy": "submittedDate", "sortOrder": "ascending"}
    return [_ask(wish.base, search_query=f"({categories}) AND {days}", start="0", max_results=str(PAGE), **order)]


def download(ask: Ask, validators: fetching.Validators | None = None) -> fetching.Answer:
    """One answer. Raises SourceError."""
    return fetching.fetch(ask.url, PACE, validators)


def parse(content: bytes, ask: Ask, at: datetime) -> Parsed:
    """The papers found, and the next page's request. Raises SourceError, and nothing else."""
    root, repaired = from_xml(content)
    if root.tag != f"{ATOM}feed":
        raise SourceError("arXiv must answer with an Atom feed.")
    reader = Reader()
    if repaired:
        reader.skip("the answer", "letters that XML does not have were replaced")
    entries = root.findall(f"{ATOM}entry")
    for number, entry in enumerate(entries, start=1):
        if "/api/errors" in child_text(entry, f"{ATOM}id"):
            raise SourceError(f"arXiv refuses: {plain(child_text(entry, f'{ATOM}summary'))}.")
        try:
            reader.records.append(_record(entry, at, reader))
        except ValueError as error:
            reader.skip(f"entry {number}", error)
    total = count_of(child_text(root, _TOTAL)) or 0
    return reader.parsed(*_next(ask, len(entries), total))


def _record(entry: Element, at: datetime, reader: Reader) -> PaperRecord:
    arxiv_id = identity.arxiv_id(child_text(entry, f"{ATOM}id"))
    if not arxiv_id:
        raise ValueError("it has no arXiv id")
    primary = entry.find(f"{ARXIV}primary_category")
    terms = [element.get("term", "") for element in entry.findall(f"{ATOM}category")]
    published = child_text(entry, f"{ATOM}published")
    published_at = moment(published, at.date())
    if published and published_at is None:
        reader.skip(arxiv_id, f"{plain(published)} is no day of publication")
    return PaperRecord.from_source(
        title=child_text(entry, f"{ATOM}title"),
        abstract=child_text(entry, f"{ATOM}summary"),
        authors=[child_text(author, f"{ATOM}name") for author in entry.findall(f"{ATOM}author")],
        arxiv_id=arxiv_id,
        doi=child_text(entry, f"{ARXIV}doi"),
        categories=[primary.get("term", ""), *terms] if primary is not None else terms,
        code_url=code_in(child_text(entry, f"{ARXIV}comment")),
        published_at=published_at,
    )


def _next(ask: Ask, entries: int, total: int) -> list[Ask]:
    """The next page, where there is one; a page that brought nothing ends the search."""
    options = dict(parse_qsl(urlsplit(ask.url).query))
    start = count_of(options.get("start", ""))
    if start is None or not entries or start + entries >= min(total, MAX_RESULTS):
        return []
    return [_ask(ask.url.partition("?")[0], **{**options, "start": str(start + entries)})]


def _ask(base: str, **options: str) -> Ask:
    return Ask(f"{base}?{urlencode(options)}")
