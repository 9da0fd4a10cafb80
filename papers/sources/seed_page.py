"""The seed page's text, as a browser shows it: a banner, a day without a year, then title and abstract in turn.

The page's own text has lost the backslashes of its LaTeX; what can be told without guessing is put back.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path

from papers.records import ListingRecord, PaperRecord
from papers.sources.shapes import Parsed, Skipped, SourceError

SOURCE = "seed-page"
MAX_BYTES = 10_000_000  # a hundred such pages
LONGEST_TITLE = 300  # characters; a longer paragraph is an abstract
WRAPPED_AT = 200  # a page none of whose lines is longer was wrapped by an editor or a mail program
LEAP_YEARS_APART = 8  # years, at most: 1896 and 1904

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY = re.compile(
    r"(?P<month>Jan(?:uary)?|Feb(?:ruary)?|Mar(?:ch)?|Apr(?:il)?|May|June?|July?|Aug(?:ust)?|Sept?(?:ember)?"
    r"|Oct(?:ober)?|Nov(?:ember)?|Dec(?:ember)?)\.? (?P<day>\d{1,2})(?:,? (?P<year>\d{4}))?",
    re.IGNORECASE | re.ASCII,
)
_BANNER = re.compile(
    r"new|get trending papers in your email inbox!?|subscribe|by ?ak(?: and the research community)?", re.IGNORECASE
)
_LOST_BACKSLASHES: list[tuple[re.Pattern[str], str]] = [
    (re.compile(r"\bmathcal (?=[A-Z])"), ""),
    (re.compile(r"(?<=\})(?:left|right)(?=[()\[\]])"), ""),
    (re.compile(r"(?:(?<=\d)|\b)sim ?(?=\d)"), "∼"),
    (re.compile(r"(?<=\d)times\b"), "×"),
    (re.compile(r"\bleq (?=\d)"), "≤ "),
    (re.compile(r"\bgeq (?=\d)"), "≥ "),
]


class SeedPageError(SourceError):
    """Nothing can be imported from this page; the message says why in the operator's words."""


@dataclass(frozen=True)
class _Paragraph:
    line: int
    text: str

    @property
    def may_be_title(self) -> bool:
        return len(self.text) <= LONGEST_TITLE

    @property
    def is_title(self) -> bool:
        return self.may_be_title and not self.text.endswith(".")

    @property
    def shown(self) -> str:
        return f"“{self.text[:60]}{'…' if len(self.text) > 60 else ''}”"


def download(path: Path) -> bytes:
    """The page's bytes. Raises SeedPageError where there is no such file or it is no page's size."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise SeedPageError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB: that is no page of papers.")
        return path.read_bytes()
    except OSError as error:
        raise SeedPageError(f"{path} cannot be read: {error.strerror or error}.") from error


def parse(content: bytes, *, today: date, year: int | None = None, day: date | None = None) -> Parsed:
    """Read a page. Its day has no year: `year`, else the most recent such day that is not after `today`.

    `day` is used whatever the page says. Raises SeedPageError, and nothing else, where no paper can be
    read, or a paper is of no day.
    """
    text, skipped = _decode(content)
    reader = _Reader(skipped, lambda found: day or _day_of(found, today, year), day)
    reader.read(_paragraphs(text))
    if not reader.records:
        raise SeedPageError("No paper can be read from this page: " + _first_reasons(reader.skipped))
    return Parsed(tuple(reader.records), tuple(reader.skipped))


class _Reader:
    """Goes through the paragraphs once, holding the title that waits for its abstract."""

    def __init__(self, skipped: list[Skipped], day_of: Callable[[re.Match[str]], date], day: date | None) -> None:
        self.records: list[PaperRecord] = []
        self.skipped = skipped
        self._day_of = day_of
        self._day = day
        self._place = 0
        self._title: _Paragraph | None = None
        self._lines_by_work: dict[tuple[str, date], int] = {}

    def read(self, paragraphs: list[_Paragraph]) -> None:
        for paragraph in paragraphs:
            if found := _DAY.fullmatch(paragraph.text):
                self._give_up_title()
                self._turn_to(self._day_of(found))
            elif not _BANNER.fullmatch(paragraph.text):
                self._take(paragraph)
        self._give_up_title()

    def _turn_to(self, day: date) -> None:
        if day != self._day:
            self._day, self._place = day, 0

    def _take(self, paragraph: _Paragraph) -> None:
        if self._title is None and not paragraph.may_be_title:
            self._skip(paragraph, f"an abstract without a title before it, {paragraph.shown}")
        elif self._title is None or paragraph.is_title:
            self._give_up_title()
            self._title = paragraph
        else:
            self._keep(self._title, paragraph)
            self._title = None

    def _give_up_title(self) -> None:
        if self._title:
            self._skip(self._title, f"no abstract follows the title {self._title.shown}")
        self._title = None

    def _keep(self, title: _Paragraph, abstract: _Paragraph) -> None:
        if self._day is None:
            raise SeedPageError("The page names no day (such as “Mar 20”) before its first paper: give it with --day.")
        try:
            record = PaperRecord.from_source(title=_restored(title.text), abstract=_restored(abstract.text))
        except ValueError:
            self._skip(title, f"a title without a letter, {title.shown}")
            return
        first_line = self._lines_by_work.setdefault((record.title_key, self._day), title.line)
        if first_line != title.line:
            self._skip(title, f"{title.shown} is on line {first_line} already")
            return
        self._place += 1
        self.records.append(replace(record, listing=ListingRecord(SOURCE, self._day, self._place)))

    def _skip(self, paragraph: _Paragraph, why: str) -> None:
        self.skipped.append(Skipped(f"line {paragraph.line}", why))


def _decode(content: bytes) -> tuple[str, list[Skipped]]:
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return content.decode("utf-16", errors="replace"), []
    if b"\0" in content:
        raise SeedPageError("This is not a text file.")
    try:
        text, skipped = content.decode("utf-8-sig"), []
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        text = content.decode("cp1252", errors="replace")
        skipped = [
            Skipped(f"line {line}", "not UTF-8: the page was read as Windows-1252, so some letters may be wrong")
        ]
    if re.match(r"\s*<(?:!doctype|html)", text, re.IGNORECASE):
        raise SeedPageError("This is HTML: save the page as plain text, as the browser shows it.")
    return text, skipped


def _paragraphs(text: str) -> list[_Paragraph]:
    """One per line, as browsers copy a page; lines that stand together are one where the copy was wrapped."""
    lines = [" ".join(line.split()) for line in re.split(r"\r\n|\n|\r", text)]
    # A browser's invisible characters would hide a day or a banner.
    lines = [line.strip("\ufeff\u200b\u200e\u200f ") for line in lines]
    if max(map(len, lines)) > WRAPPED_AT or "" not in [line.strip() for line in lines[1:-1]]:
        return [_Paragraph(number, line) for number, line in enumerate(lines, start=1) if line]
    joined: list[_Paragraph] = []
    for number, line in enumerate(lines, start=1):
        if line and number > 1 and lines[number - 2]:
            joined[-1] = replace(joined[-1], text=f"{joined[-1].text} {line}")
        elif line:
            joined.append(_Paragraph(number, line))
    return joined


def _day_of(found: re.Match[str], today: date, year: int | None) -> date:
    month = _MONTHS.index(found["month"][:3].lower()) + 1
    given = int(found["year"]) if found["year"] else year
    try:
        if given is not None:
            day = date(given, month, int(found["day"]))
        else:
            day = _most_recent(month, int(found["day"]), today)
    except (ValueError, StopIteration) as error:
        raise SeedPageError(
            f"The page's day, “{found[0]}”, is not in the calendar of {given or today.year}."
        ) from error
    # A page of tomorrow is a page from east of here; later ones are a mistyped year.
    if day > today + timedelta(days=1):
        raise SeedPageError(f"The page's day, {day:%d %B %Y}, is in the future: check --year.")
    return day


def _most_recent(month: int, day: int, today: date) -> date:
    """Raises StopIteration for a day that is in no calendar."""
    years = range(today.year, today.year - LEAP_YEARS_APART - 1, -1)
    return next(found for year in years if (found := _valid(year, month, day)) and found <= today)


def _valid(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _restored(text: str) -> str:
    for pattern, replacement in _LOST_BACKSLASHES:
        text = pattern.sub(replacement, text)
    return text


def _first_reasons(skipped: list[Skipped]) -> str:
    if not skipped:
        return "it is empty."
    rest = f" (and {len(skipped) - 3} more)" if len(skipped) > 3 else ""
    return "; ".join(map(str, skipped[:3])) + rest + "."
