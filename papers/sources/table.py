"""An operator's own table of papers: CSV with a head, or a JSON object a line.

Columns: title, abstract, authors (apart by ;), arxiv_id, doi, categories (apart by spaces), url, pdf_url, code_url,
published, day (of its listing), place, upvotes, comments, stars. Only the title must be there; others are reported.
Markup becomes text as with every source (papers/text.py).
"""

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from pathlib import Path
from typing import Any

from papers.records import ListingRecord, PaperRecord
from papers.sources.shapes import Parsed, Reader, SourceError, count_of, from_json, moment, plain, reading_of
from papers.text import without_entities

SOURCE = "table"
SUFFIXES = {".csv", ".tsv", ".jsonl", ".ndjson"}
MAX_BYTES = 200_000_000
COLUMNS = [
    *("title", "abstract", "authors", "arxiv_id", "doi", "categories", "url", "pdf_url", "code_url"),
    *("published", "day", "place", "upvotes", "comments", "stars"),
]
MAX_PLACE = 100_000


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
    if isinstance(row.get("arxiv_id"), float):
        raise ValueError("write the arXiv id as a text: a number loses its last noughts")
    words = {name: _text(row.get(name)) for name in COLUMNS}
    days = {name: moment(words[name], at.date()) if words[name] else None for name in ("day", "published")}
    for name, found in days.items():
        if words[name] and found is None:
            reader.skip(where, f"the {name} “{plain(words[name])}” is none, such as 2026-03-20, and was left out")
    listed = days["day"].date() if days["day"] else day
    place = count_of(words["place"])
    place = place if place and place <= MAX_PLACE else None
    return PaperRecord.from_source(
        title=words["title"],
        abstract=words["abstract"],
        authors=_names(row.get("authors"), ";"),
        arxiv_id=words["arxiv_id"],
        doi=words["doi"],
        categories=_names(row.get("categories"), None),
        url=words["url"],
        pdf_url=words["pdf_url"],
        code_url=words["code_url"],
        published_at=days["published"],
        listing=ListingRecord(SOURCE, listed, place) if listed else None,
        reading=reading_of(at, words["upvotes"], words["comments"], words["stars"]),
    )


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
                reader.skip(f"line {line}", f"it has {len(row)} cells under {len(head)} columns: the rest was left out")
            yield f"line {line}", dict(zip(head, row, strict=False))


def _check(head: list[str], reader: Reader) -> None:
    if "title" not in head:
        raise SourceError(
            f"The table's first line must name its columns, and one of them “title”: {', '.join(COLUMNS)}."
        )
    if unknown := [name for name in head if name not in COLUMNS]:
        reader.skip("line 1", f"unknown columns, not read: {', '.join(unknown)}")


def _names(value: object, between: str | None) -> list[str]:
    """A list as JSON has it, or as a cell has it."""
    parts = value if isinstance(value, list) else without_entities(_text(value)).split(between)
    return [text.strip() for text in map(_text, parts) if text.strip()]


def _text(value: object) -> str:
    if isinstance(value, int) and count_of(value) is not None:
        return str(value)
    return value if isinstance(value, str) else ""
