"""A row of the table to a reader who may be let in, or to the reason why not. Pure."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ValidationError

from papers.models import Topic
from subscribers.addresses import clean_address
from subscribers.imports.table import COLUMNS, NEEDED, Row
from subscribers.models import Subscriber, Weekday
from subscribers.schedule import EVERY_DAY, Cadence, known_zones, weekday_mask
from subscribers.wishes import Wishes

Status = Subscriber.Status

WISHES = COLUMNS[len(NEEDED) + 1 :]
LONGEST_SOURCE = 1_000  # characters of consent_source
LONGEST_SHOWN = 100  # characters of a cell, in a reason
FIRST_YEAR = 1990  # before it nobody agreed to a newsletter by mail
BETWEEN_DAYS = re.compile(r"[\s;,|/]+")
# Two letters would do in English, but read worse.
DAY_NAMES = {day.label.lower()[:length]: day for day in Weekday for length in (3, len(day.label))}


class Outcome(StrEnum):
    """What comes of a row, for the counts; the reason in the report says more."""

    IMPORTED = "imported"
    UNSUBSCRIBED = "imported as unsubscribed"
    ADDRESS = "no address"
    CONSENT = "no proof of consent"
    MALFORMED = "not understood"
    DUPLICATE = "twice in the file"
    KNOWN = "known here already"
    SUPPRESSED = "suppressed"

    @classmethod
    def taken(cls) -> list["Outcome"]:
        """The rows that bring somebody in."""
        return [cls.IMPORTED, cls.UNSUBSCRIBED]


class Refused(Exception):  # noqa: N818 - said as the operator reads it
    """Why a row is not taken."""

    def __init__(self, outcome: Outcome, reason: str) -> None:
        super().__init__(reason)
        self.outcome, self.reason = outcome, reason


@dataclass(frozen=True)
class Refusal:
    """A refused row, as the report shows it."""

    line: int
    address: str
    outcome: Outcome
    reason: str


@dataclass(frozen=True)
class Newcomer:
    """Somebody who may be let in, as far as the row itself says."""

    line: int
    email: str
    status: str
    consent_at: datetime | None
    consent_source: str
    wishes: Wishes

    @property
    def outcome(self) -> Outcome:
        return Outcome.IMPORTED if self.status == Status.ACTIVE else Outcome.UNSUBSCRIBED

    def refused(self, outcome: Outcome, reason: str) -> Refusal:
        return Refusal(self.line, self.email, outcome, reason)


class Asked:
    """What rows ask for. Topics are named by slug or by name, in any case."""

    def __init__(self, topics: Iterable[Topic]) -> None:
        self._known = {key.casefold(): topic for topic in topics for key in (topic.slug, topic.name)}
        # Most rows of a file ask for what others do.
        self._wishes = lru_cache(maxsize=10_000)(self._read)

    def wishes(self, cells: Mapping[str, str]) -> Wishes:
        """Raises Refused for what nobody can have."""
        return self._wishes(tuple(cells[name] for name in WISHES))

    def _read(self, texts: tuple[str, ...]) -> Wishes:
        return _wishes(dict(zip(WISHES, texts, strict=True)), self)

    def topics(self, text: str) -> tuple[Topic, ...]:
        """Raises Refused for a name that is none."""
        found = {}
        for name in filter(None, (part.strip() for part in text.split(";"))):
            topic = self._known.get(name.casefold())
            if topic is None:
                raise Refused(Outcome.MALFORMED, f"there is no topic “{shown(name)}”")
            found[topic.pk] = topic
        return tuple(found.values())


def read(row: Row, asked: Asked, at: datetime) -> Newcomer | Refusal:
    """Whom the row means, at this moment."""
    address = row.cells.get("email", "")
    try:
        return _newcomer(row, asked, at)
    except Refused as refused:
        return Refusal(row.line, shown(address), refused.outcome, refused.reason)


def _newcomer(row: Row, asked: Asked, at: datetime) -> Newcomer:
    if row.extra:
        raise Refused(Outcome.MALFORMED, "it has more cells than there are columns")
    if row.fault:
        raise Refused(Outcome.MALFORMED, f"it {row.fault}")
    cells = {name: row.cells.get(name, "").strip() for name in COLUMNS}
    email = _address(cells["email"])
    status = _one_of("status", cells, [Status.ACTIVE, Status.UNSUBSCRIBED], Status.ACTIVE)
    proof = _consent(cells, at) if status == Status.ACTIVE else _consent_if_any(cells, at)
    return Newcomer(row.line, email, status, *proof, asked.wishes(cells))


def _address(text: str) -> str:
    if not text:
        raise Refused(Outcome.ADDRESS, "there is no address")
    try:
        return clean_address(text)
    except ValidationError as error:
        raise Refused(Outcome.ADDRESS, error.messages[0]) from error


def _consent(cells: Mapping[str, str], at: datetime) -> tuple[datetime, str]:
    """When they agreed, and where or to which words. Nobody is mailed without both."""
    text, source = cells["consent_at"], cells["consent_source"]
    if not text:
        raise Refused(Outcome.CONSENT, "consent_at is empty: when did they agree?")
    if not source:
        raise Refused(Outcome.CONSENT, "consent_source is empty: on which page, or to which words, did they agree?")
    if len(source) > LONGEST_SOURCE:
        raise Refused(Outcome.CONSENT, f"consent_source is longer than {LONGEST_SOURCE:,} characters")
    try:
        moment = datetime.fromisoformat(text)
        moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise Refused(Outcome.CONSENT, f"consent_at is no date such as 2025-03-20: “{shown(text)}”") from error
    if moment > at:
        raise Refused(Outcome.CONSENT, f"consent_at lies in the future: “{shown(text)}”")
    if moment.year < FIRST_YEAR:
        raise Refused(Outcome.CONSENT, f"consent_at is too long ago to be true: “{shown(text)}”")
    return moment, source


def _consent_if_any(cells: Mapping[str, str], at: datetime) -> tuple[datetime | None, str]:
    """Whom we do not mail need not have agreed to it."""
    if not cells["consent_at"] and not cells["consent_source"]:
        return None, ""
    return _consent(cells, at)


def _wishes(cells: Mapping[str, str], asked: Asked) -> Wishes:
    plain = Wishes()
    zone = cells["zone"] or plain.zone
    if zone not in known_zones():
        raise Refused(Outcome.MALFORMED, f"“{shown(zone)}” is no IANA time zone such as Europe/Berlin")
    languages = [code for code, _ in settings.LANGUAGES]
    return Wishes(
        topics=asked.topics(cells["topics"]),
        cadence=Cadence(_one_of("cadence", cells, Cadence.values, plain.cadence)),
        local_hour=_number("local_hour", cells, range(24), plain.local_hour),
        weekday=_weekday(cells["weekday"]),
        weekdays=_weekdays(cells["weekdays"]),
        zone=zone,
        digest_size=_number("digest_size", cells, range(1, 21), plain.digest_size),
        language=_one_of("language", cells, languages, plain.language),
    )


def _one_of(name: str, cells: Mapping[str, str], choices: list[str], default: str) -> str:
    text = cells[name]
    value = text.lower() or default
    if value not in choices:
        raise Refused(Outcome.MALFORMED, f"{name} must be {' or '.join(choices)}, not “{shown(text)}”")
    return value


def _number(name: str, cells: Mapping[str, str], allowed: range, default: int) -> int:
    text = cells[name]
    if not text:
        return default
    # A spreadsheet may have made a time of an hour.
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 4 else -1
    if name == "local_hour" and re.fullmatch(r"\d{1,2}:00", text, re.ASCII):
        number = int(text[:-3])
    if number not in allowed:
        reason = f"{name} must be a number from {allowed.start} to {allowed.stop - 1}, not “{shown(text)}”"
        raise Refused(Outcome.MALFORMED, reason)
    return number


def _weekday(text: str) -> int:
    return _day(text) if text else Weekday.MONDAY


def _weekdays(text: str) -> int:
    return weekday_mask(_day(name) for name in BETWEEN_DAYS.split(text) if name) or EVERY_DAY


def _day(text: str) -> int:
    """ISO 8601's number of a weekday, given as that or as an English name."""
    if text in {"1", "2", "3", "4", "5", "6", "7"}:
        return int(text)
    try:
        return DAY_NAMES[text.lower()]
    except KeyError as error:
        raise Refused(
            Outcome.MALFORMED, f"“{shown(text)}” is no weekday: write Monday, Mon or 1, to Sunday, Sun or 7"
        ) from error


def shown(text: str) -> str:
    """No more of a cell than a reader of the report can use, in characters that any program can store."""
    plain = "".join(char if char.isprintable() else "�" for char in text.strip()[: LONGEST_SHOWN + 1])
    return f"{plain[:LONGEST_SHOWN]}…" if len(plain) > LONGEST_SHOWN else plain
