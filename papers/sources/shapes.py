"""What all sources have in common: what is wanted, what is asked, and what was read. Pure.

A source over the network is a module with `asks` (which requests a wish needs), `download` (one request, at
the edge) and `parse` (bytes into records). A source in a file has `download` and `parse`.
"""

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any

from papers.records import PaperRecord, ReadingRecord
from papers.text import cut, without_controls

# arXiv, the oldest of our sources, began in August 1991; older papers come with a table at most.
FIRST_DAY = date(1991, 8, 1)
FIRST_PUBLISHED = date(1900, 1, 1)
MAX_COUNT = 100_000_000  # of upvotes or stars; more is no count
WORDS = 200  # characters of a reason


class SourceError(ValueError):
    """Nothing can be read from this source; the message says why in the operator's words."""


@dataclass(frozen=True)
class Wish:
    """What a run wants: days, categories, papers. A source ignores what it cannot be asked for.

    `since` and `until` are inclusive, and None where nobody named any. `reread` are days whose papers'
    popularity is due to be read again.
    """

    base: str
    today: date
    since: date | None = None
    until: date | None = None
    categories: tuple[str, ...] = ()
    view: str = ""
    reread: tuple[date, ...] = ()
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class Ask:
    """One request. `day` is the day it asks for; `fresh` wants the answer even if it has not changed."""

    url: str
    day: date | None = None
    fresh: bool = False
    categories: tuple[str, ...] = ()


@dataclass(frozen=True)
class Skipped:
    """What was not read: where, and why."""

    where: str
    why: str

    def __str__(self) -> str:
        return f"{self.where}: {self.why}"


@dataclass(frozen=True)
class Parsed:
    """The papers in the source's order, what was skipped, and what must be asked to have the rest.

    `left_out` is what papers of an operator's file, which they can mend, had to do without.
    """

    records: tuple[PaperRecord, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    follow: tuple[Ask, ...] = ()
    left_out: tuple[Skipped, ...] = ()

    @property
    def days(self) -> list[date]:
        """The days on which the source showed them, in order."""
        return sorted({record.listing.day for record in self.records if record.listing})


@dataclass
class Reader:
    """Collects what `parse` reads: one bad entry costs that entry, and is reported."""

    records: list[PaperRecord] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    left_out: list[Skipped] = field(default_factory=list)

    def skip(self, where: object, why: object) -> None:
        """Report something skipped. Both texts may come from the source, so they are made plain."""
        self.skipped.append(Skipped(plain(where), plain(why)))

    def leave_out(self, where: object, what: object) -> None:
        """Report what a paper that is taken does without; made plain as well."""
        self.left_out.append(Skipped(plain(where), plain(what)))

    def parsed(self, *follow: Ask) -> Parsed:
        return Parsed(tuple(self.records), tuple(self.skipped), follow, tuple(self.left_out))


def plain(text: object) -> str:
    """A stranger's text, short and without controls, fit for a report and a database."""
    return cut(" ".join(without_controls(str(text)[: 4 * WORDS]).split()), WORDS)


def from_json(content: bytes | str) -> Any:
    """Raises SourceError, and nothing else."""
    try:
        return json.loads(content)
    except (ValueError, RecursionError) as error:
        raise SourceError(f"This is not JSON: {plain(error)}.") from error


def text_of(row: Mapping[str, Any], key: str) -> str:
    """The text under `key`; "" where there is none, or something that is no text."""
    value = row.get(key)
    return value if isinstance(value, str) else ""


def count_of(value: object) -> int | None:
    """A count of people or stars, or None for anything that is not one."""
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit() and len(value) < 20:
        value = int(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if 0 <= value <= MAX_COUNT else None


def reading_of(at: datetime, upvotes: object, comments: object, stars: object) -> ReadingRecord | None:
    """A reading where anything was counted."""
    counts = count_of(upvotes), count_of(comments), count_of(stars)
    if counts == (None, None, None):
        return None
    return ReadingRecord(at, counts[0] or 0, counts[1] or 0, counts[2])


def moment(text: str, today: date) -> datetime | None:
    """An ISO 8601 instant or day (which begins in UTC), with its own offset; None if it is none.

    Years in which no paper can have been published (0, 9999) are none: one would lead every list for ever.
    """
    found = instant(text)
    return found if found and is_possible(found.date(), today) else None


def instant(text: str) -> datetime | None:
    """The same of any year."""
    try:
        found = datetime.fromisoformat(text.strip())
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def why_not(day: date, today: date, first: date) -> str:
    """Why a paper cannot be of that day, in words; "" where it can."""
    if is_possible(day, today, first):
        return ""
    return "is still to come" if day > today else f"is before {first:%B %Y}"


def is_possible(day: date, today: date, first: date = FIRST_PUBLISHED) -> bool:
    """Whether a paper can be of that day; tomorrow has begun east of here."""
    return first <= day <= today + timedelta(days=1)
