"""An operator's own table of papers: CSV with a head, or a JSON object a line.

Columns: title, abstract, authors (apart by ;), arxiv_id, doi, categories (apart by spaces), url, pdf_url, code_url,
published, day (of its listing), place, upvotes, comments, stars. Only the title must be there. A row that is no paper
is skipped, a value that is none is left out, and both are reported.
Markup becomes text as with every source (papers/text.py).
"""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from papers import identity
from papers.records import CATEGORY, ListingRecord, PaperRecord, web_address
from papers.sources.shapes import (
    FIRST_DAY,
    FIRST_PUBLISHED,
    Parsed,
    Reader,
    SourceError,
    count_of,
    from_json,
    instant,
    moment,
    plain,
    reading_of,
    why_not,
)
from papers.text import cut, without_entities

SOURCE = "table"
SUFFIXES = {".csv", ".tsv", ".jsonl", ".ndjson"}
MAX_BYTES = 200_000_000
COUNTS = ("upvotes", "comments", "stars")
COLUMNS = [
    *("title", "abstract", "authors", "arxiv_id", "doi", "categories", "url", "pdf_url", "code_url"),
    *("published", "day", "place", *COUNTS),
]
MAX_PLACE = 100_000
LONGEST_SHOWN = 60  # characters of a value that was left out
PARTS_SHOWN = 3


def download(path: Path) -> bytes:
    """The file's bytes. Raises SourceError where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SourceError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB: cut it in pieces.")
        return path.read_bytes()
    except OSError as error:
        raise SourceError(f"{path} cannot be read: {error.strerror or error}.") from error


def parse(content: bytes, at: datetime, day: date | None = None) -> Parsed:
    """The rows' papers; a listing and a reading where a row has one. Raises SourceError, and nothing else.

    `day` lists papers whose rows name no day.
    """
    text = _decoded(content)
    reader = Reader()
    is_json = text.lstrip()[:1] == "{"
    for where, row in _json_rows(text, reader) if is_json else _csv_rows(text, reader):
        try:
            reader.records.append(_record(row, where, at, day, reader))
        except ValueError as error:
            reader.skip(where, error)
    if not reader.records:
        reasons = "; ".join(map(str, reader.skipped[:3])) or "it is empty"
        raise SourceError(f"No paper can be read from this table: {reasons}.")
    return reader.parsed()


def _record(row: Mapping[str, Any], where: str, at: datetime, day: date | None, reader: Reader) -> PaperRecord:
    """Raises ValueError where the row is no paper; what the paper does without is reported."""
    if isinstance(row.get("arxiv_id"), float):
        raise ValueError("write the arXiv id as a text: a number loses its last noughts")
    faults = {name: fault for name in COLUMNS if (fault := _fault(name, row.get(name), at.date()))}
    if "title" in faults:
        raise ValueError(faults["title"])
    words = {name: "" if name in faults else _text(row.get(name)) for name in COLUMNS}
    listed = moment(words["day"], at.date())
    listed_on = listed.date() if listed else day
    place = None if "place" in faults else count_of(row.get("place"))
    if place and not listed_on:
        faults["place"] = f"the place “{place}” is of no day"
    record = PaperRecord.from_source(
        title=words["title"],
        abstract=words["abstract"],
        authors=_names(row.get("authors"), ";"),
        arxiv_id=words["arxiv_id"],
        doi=words["doi"],
        categories=_names(row.get("categories"), None),
        url=words["url"],
        pdf_url=words["pdf_url"],
        code_url=words["code_url"],
        published_at=moment(words["published"], at.date()),
        listing=ListingRecord(SOURCE, listed_on, place) if listed_on else None,
        reading=reading_of(at, *(row.get(name) for name in COUNTS)),
    )
    for name, fault in faults.items():
        instead = f": {day} was asked for" if name == "day" and day else ""
        reader.leave_out(where, f"{fault}, and was left out{instead}")
    return record


def _fault(name: str, value: object, today: date) -> str:
    """What is wrong with a value that was given, in words; "" where nothing is."""
    if value is None or value in ("", [], {}) or (isinstance(value, str) and not value.strip()):
        return ""
    if name in PARTS:
        between, is_one, why = PARTS[name]
        parts = [part for part in _parts(value, between) if not isinstance(part, str) or part.strip()]
        odd = [part for part in parts if not isinstance(part, str) or not is_one(part)]
        return f"of the {name} {', '.join(map(_shown, odd[:PARTS_SHOWN]))} {why}" if odd else ""
    if name in FIRST:
        found = instant(_text(value))
        why = why_not(found.date(), today, FIRST[name]) if found else "is none, such as 2026-03-20"
    else:
        fits, why_none = FITTING[name]
        why = "" if fits(value) else why_none
    return f"the {name} {_shown(value)} {why}" if why else ""


def _shown(value: object) -> str:
    if isinstance(value, list | dict):  # as deep as it likes
        return "“[…]”" if isinstance(value, list) else "“{…}”"
    return f"“{cut(plain(value), LONGEST_SHOWN)}”"


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-16" if content.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise SourceError(f"Line {line} is not UTF-8: save the table as UTF-8.") from error


def _json_rows(text: str, reader: Reader) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = from_json(line)
        except SourceError as error:
            reader.skip(f"line {number}", error)
            continue
        if isinstance(row, dict):
            yield f"line {number}", row
        else:
            reader.skip(f"line {number}", "it is no object")


def _csv_rows(text: str, reader: Reader) -> Iterator[tuple[str, Mapping[str, Any]]]:
    first = text.partition("\n")[0]
    rows = csv.reader(io.StringIO(text, newline=""), delimiter=max(",;\t", key=first.count))
    head: list[str] = []
    while True:
        line = rows.line_num + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as error:
            reader.skip(f"line {line}", error)
            continue
        if not head:
            head = [name.strip().lower() for name in row]
            _check(head, reader)
        elif any(map(str.strip, row)):
            if len(row) > len(head):
                over = f"it has {len(row)} cells under {len(head)} columns: the rest was left out"
                reader.leave_out(f"line {line}", over)
            yield f"line {line}", dict(zip(head, row, strict=False))


def _check(head: list[str], reader: Reader) -> None:
    if "title" not in head:
        raise SourceError(
            f"The table's first line must name its columns, and one of them “title”: {', '.join(COLUMNS)}."
        )
    if unknown := [name for name in head if name not in COLUMNS]:
        reader.leave_out("line 1", f"unknown columns, not read: {', '.join(unknown)}")


def _parts(value: object, between: str | None) -> list[object]:
    """A list as JSON has it, or as a cell has it."""
    if isinstance(value, str):
        return [*without_entities(value).split(between)]
    return value if isinstance(value, list) else [value]


def _names(value: object, between: str | None) -> list[str]:
    return [part.strip() for part in _parts(value, between) if isinstance(part, str) and part.strip()]


def _text(value: object) -> str:
    if isinstance(value, int) and count_of(value) is not None:
        return str(value)
    return value if isinstance(value, str) else ""


def _is_text(value: object) -> bool:
    return isinstance(value, str)


def _is_address(value: object) -> bool:
    return bool(web_address(_text(value)))


FIRST = {"day": FIRST_DAY, "published": FIRST_PUBLISHED}
# Of what is made of parts: what is between them, what each must be, and what is said of those that are not.
PARTS: dict[str, tuple[str | None, Callable[[str], object], str]] = {
    "authors": (";", _is_text, "is no name"),
    "categories": (None, lambda part: CATEGORY.fullmatch(part.strip()), "is none of arXiv's"),
}
# What any other value must be, and what is said of one that is not.
FITTING: dict[str, tuple[Callable[[object], object], str]] = {
    "title": (_is_text, "is no text"),
    "abstract": (_is_text, "is no text"),
    "arxiv_id": (lambda value: identity.arxiv_id(_text(value)), "is no arXiv id"),
    "doi": (lambda value: identity.doi(_text(value)) or identity.arxiv_id(_text(value)), "is no DOI"),
    **dict.fromkeys(("url", "pdf_url", "code_url"), (_is_address, "is no address of the web")),
    "place": (lambda value: 0 < (count_of(value) or 0) <= MAX_PLACE, f"is no number from 1 to {MAX_PLACE:,}"),
    **dict.fromkeys(COUNTS, (lambda value: count_of(value) is not None, "is no count")),
}
