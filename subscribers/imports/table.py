"""A file's bytes to the rows of its table, one at a time: any size in the memory of one row. Pure.

A row that makes no sense is somebody else's to refuse. A file whose quotation marks make no sense is refused as a
whole, because after such a place nobody knows which lines are rows and which are somebody's words.
"""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

LONGEST_LINE = 100_000  # bytes
LONGEST_ROW = 100  # lines: a quotation mark that nobody closed swallows no more
MOST_COLUMNS = 100
NEEDED = ("email", "consent_at", "consent_source")
COLUMNS = (
    *NEEDED,
    *("status", "topics", "cadence", "weekday", "weekdays", "local_hour", "zone", "digest_size", "language"),
)
NOT_UTF8 = "is not UTF-8: save the table as “CSV UTF-8”"
HAS_NUL = "has a character that is not allowed, a NUL"
OTHER_NAMES = {
    "e_mail": "email",
    "email_address": "email",
    "consent_date": "consent_at",
    "topic": "topics",
    "frequency": "cadence",
    "hour": "local_hour",
    "timezone": "zone",
    "time_zone": "zone",
    "size": "digest_size",
    "lang": "language",
}


class FileFault(Exception):  # noqa: N818 - said as the operator reads it
    """Why a file cannot be read at all, in words."""


@dataclass(frozen=True)
class Row:
    """What stands in one row, under the names of COLUMNS, and the line on which it begins."""

    line: int
    cells: dict[str, str]
    extra: int = 0  # cells that have no column
    fault: str = ""  # what of it is no text


@dataclass(frozen=True)
class Head:
    columns: tuple[str, ...]
    delimiter: str

    @property
    def unread(self) -> list[str]:
        """Columns that mean nothing to us."""
        return [name for name in self.columns if name not in COLUMNS]


class Table:
    """Rows from a byte of the file on. After each, `position` and `line` say where the next one begins.

    `read` gives the file's bytes from a position. Raises FileFault, and so does iterating.
    """

    def __init__(self, read: Callable[[int], Iterable[bytes]], position: int = 0, line: int = 0) -> None:
        self.position, self.line = 0, 0
        self._row_began = 0
        self._fault = ""
        self.head = self._head_of(read(0))
        if position:
            self.position, self.line = position, line
        self._rows = csv.reader(self._texts(read(self.position)), delimiter=self.head.delimiter, strict=True)

    def __iter__(self) -> Iterator[Row]:
        width = len(self.head.columns)
        while True:
            self._row_began, self._fault = self.line, ""
            try:
                cells = next(self._rows)
            except StopIteration:
                return
            except csv.Error as error:
                raise FileFault(
                    f"The row on line {self._row_began + 1}: a quotation mark is not closed, or stands where none may."
                ) from error
            if any(map(str.strip, cells)):
                extra = sum(1 for cell in cells[width:] if cell.strip())
                named = dict(zip(self.head.columns, cells, strict=False))
                yield Row(self._row_began + 1, named, extra, self._fault)

    def _head_of(self, pieces: Iterable[bytes]) -> Head:
        texts = self._texts(pieces)
        for first in texts:
            text = first.removeprefix("\ufeff")
            if not text.strip():
                continue
            if self._fault:
                raise FileFault(f"The first line {self._fault}.")
            delimiter = max(",;\t", key=text.count)
            try:
                return checked(next(csv.reader([text], delimiter=delimiter, strict=True)), delimiter)
            except csv.Error as error:
                raise FileFault("The names of the columns must stand on one line.") from error
        raise FileFault("The file is empty.")

    def _texts(self, pieces: Iterable[bytes]) -> Iterator[str]:
        """Lines as text, with a mark in place of what is none."""
        for number, line in enumerate(lines(pieces), start=self.line + 1):
            if len(line) > LONGEST_LINE:
                raise FileFault(f"Line {number} is longer than {LONGEST_LINE:,} bytes.")
            self.position += len(line)
            self.line += 1
            if self.line - self._row_began > LONGEST_ROW:
                raise FileFault(f"The row on line {self._row_began + 1} never ends: a quotation mark is not closed.")
            try:
                text = line.decode()
            except UnicodeDecodeError:
                self._fault, text = NOT_UTF8, line.decode(errors="replace")
            if "\0" in text:
                self._fault = self._fault or HAS_NUL
            yield text


def lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Lines with their ends, whichever of the three kinds. What is too long comes in pieces that are too long, too."""
    rest = b""
    for piece in pieces:
        found = (rest + piece).splitlines(keepends=True)
        # The last may go on in the next piece; a CR may turn out to be the first half of its end.
        rest = found.pop() if found and not found[-1].endswith(b"\n") else b""
        if len(rest) > LONGEST_LINE + 1:
            found, rest = [*found, rest], b""
        yield from found
    if rest:
        yield rest


def checked(names: list[str], delimiter: str) -> Head:
    """The head under our names. Raises FileFault where it is none."""
    if len(names) > MOST_COLUMNS:
        raise FileFault(f"The table has {len(names):,} columns; there can be {MOST_COLUMNS}.")
    columns = tuple(map(column, names))
    if missing := [name for name in NEEDED if name not in columns]:
        raise FileFault(
            f"The first line must name the columns. Missing: {', '.join(missing)}. "
            "Nobody is imported without proof of when and where they agreed."
        )
    if twice := [name for name in COLUMNS if columns.count(name) > 1]:
        raise FileFault(f"The column {twice[0]} is there more than once.")
    return Head(columns, delimiter)


def column(name: str) -> str:
    """`E-Mail `, `Time zone` and `timezone` are names of ours."""
    plain = re.sub(r"[\W_]+", "_", name.casefold()).strip("_")
    return OTHER_NAMES.get(plain, plain)
