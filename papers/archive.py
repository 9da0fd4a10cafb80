"""The archive's days, weeks and months: what they are called, where they stand, and what comes next. Pure."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta
from enum import StrEnum

_WRITTEN = re.compile(r"(?P<year>\d{4})-(?:W(?P<week>\d{2})|(?P<month>\d{2})(?:-(?P<day>\d{2}))?)", re.ASCII)
FIRST_YEAR, LAST_YEAR = MINYEAR + 1, MAXYEAR - 1  # whose neighbours can still be dated


class Kind(StrEnum):
    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Period:
    """A day, an ISO 8601 week or a month: `first` and `last` are both in it."""

    kind: Kind
    first: date
    last: date

    @classmethod
    def day(cls, day: date) -> Period:
        return cls(Kind.DAY, day, day)

    @classmethod
    def week(cls, day: date) -> Period:
        """The week of a day, from Monday on."""
        monday = day - timedelta(days=day.weekday())
        return cls(Kind.WEEK, monday, monday + timedelta(days=6))

    @classmethod
    def month(cls, day: date) -> Period:
        """The month of a day."""
        length = calendar.monthrange(day.year, day.month)[1]
        return cls(Kind.MONTH, day.replace(day=1), day.replace(day=length))

    @classmethod
    def of(cls, kind: Kind, day: date) -> Period:
        return {Kind.DAY: cls.day, Kind.WEEK: cls.week, Kind.MONTH: cls.month}[kind](day)

    @classmethod
    def parse(cls, text: str) -> Period:
        """A day as `2025-07-18`, a week as `2025-W29`, a month as `2025-07`. Raises ValueError."""
        found = _WRITTEN.fullmatch(text)
        year, week, month, day = (int(part) if part else 0 for part in found.groups()) if found else (0, 0, 0, 0)
        try:
            if not FIRST_YEAR <= year <= LAST_YEAR:
                raise ValueError
            if week:
                return cls.week(date.fromisocalendar(year, week, 1))
            return cls.day(date(year, month, day)) if found and found["day"] else cls.month(date(year, month, 1))
        except ValueError:  # Python's own words for a 13th month are none of ours
            raise ValueError(f"{text!r} is no day, week or month of our time.") from None

    def __str__(self) -> str:
        """As `parse` reads it."""
        if self.kind == Kind.WEEK:
            year, week, _ = self.first.isocalendar()
            return f"{year:04}-W{week:02}"
        return self.first.isoformat()[: 10 if self.kind == Kind.DAY else 7]

    @property
    def name(self) -> str:
        """Its name for readers: `Friday 18 July 2025`, `Week of 14 July 2025` or `July 2025`."""
        if self.kind == Kind.MONTH:
            return f"{self.first:%B %Y}"
        day = f"{self.first.day} {self.first:%B %Y}"
        return f"{self.first:%A} {day}" if self.kind == Kind.DAY else f"Week of {day}"

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True)
class Square:
    """A day of the calendar; `shown` says that papers were listed on it."""

    day: date
    shown: bool

    @property
    def period(self) -> Period:
        return Period.day(self.day)


@dataclass(frozen=True)
class Week:
    """A row of the calendar, Monday first; days of the neighbouring months are None."""

    period: Period
    squares: list[Square | None]

    @property
    def shown(self) -> bool:
        return any(square and square.shown for square in self.squares)


def weeks_of_month(period: Period, shown: set[date]) -> list[Week]:
    """The calendar of the month in which `period` ends; `shown` are the days that have a list."""
    month = Period.month(period.last)
    return [
        Week(
            Period.week(week[0]),
            [Square(day, day in shown) if day in month else None for day in week],
        )
        for week in calendar.Calendar().monthdatescalendar(month.first.year, month.first.month)
    ]
