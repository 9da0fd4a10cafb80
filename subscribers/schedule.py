"""When a reader's next digest is due: local wall-clock time to UTC. Pure."""

from calendar import day_name
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from django.db.models import TextChoices


def place_of(zone: str) -> str:
    """A zone's name for people: its city, or UTC."""
    return zone.rpartition("/")[2].replace("_", " ")


@cache  # it reads a whole directory tree
def known_zones() -> frozenset[str]:
    """The IANA zones, without this machine's own "localtime" and without "Factory", which is no time at all."""
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


EVERY_DAY = 0b1111111
MONDAY_TO_FRIDAY = 0b0011111


def weekday_mask(days: Iterable[int]) -> int:
    """ISO 8601 weekdays as bits: Monday is the lowest."""
    return sum(1 << (day - 1) for day in set(days))


def weekdays_in(mask: int) -> list[int]:
    """The ISO 8601 weekdays of a mask, from Monday on."""
    return [day for day in range(1, 8) if mask >> (day - 1) & 1]


class Cadence(TextChoices):
    DAILY = "daily", "every day"
    WEEKLY = "weekly", "every week"
    MONTHLY = "monthly", "every month"


@dataclass(frozen=True)
class Schedule:
    """A cadence at a local hour in an IANA zone; `weekday` is ISO 8601's, for the weekly cadence.

    The daily cadence keeps to the days of `weekdays`, a mask as weekday_mask gives it with at least one day.
    The monthly digest goes out on the first of the month.
    """

    cadence: Cadence
    local_hour: int
    weekday: int
    zone: str
    weekdays: int = EVERY_DAY

    def __str__(self) -> str:
        """As one says it: "every Monday at 8:00, Berlin time"."""
        days = {
            Cadence.DAILY: days_in_words(self.weekdays),
            Cadence.WEEKLY: f"every {day_name[self.weekday - 1]}",
            Cadence.MONTHLY: "on the first of each month",
        }[self.cadence]
        return f"{days} at {self.local_hour}:00, {place_of(self.zone)} time"

    def next_after(self, moment: datetime) -> datetime:
        """The first slot after `moment` (aware), in UTC."""
        return next(slot for day in self._days_from(moment) if (slot := self.slot_on(day)) > moment)

    def first_on(self, day: date) -> datetime:
        """The first slot on this local day or later, in UTC."""
        return next(
            slot for near in self._days_from(self.slot_on(day)) if self.local_date(slot := self.slot_on(near)) >= day
        )

    def local_date(self, moment: datetime) -> date:
        """The date on the reader's calendar: the date of the edition that is due then."""
        return moment.astimezone(ZoneInfo(self.zone)).date()

    def slot_on(self, day: date) -> datetime:
        """The chosen hour of a local day, in UTC.

        An hour that the clock skips becomes the same distance after the skip; one that it repeats is
        the first of the two (PEP 495, fold=0).
        """
        local = datetime.combine(day, time(self.local_hour), tzinfo=ZoneInfo(self.zone))
        return local.astimezone(UTC)

    def _days_from(self, moment: datetime) -> Iterator[date]:
        # Two days early: a skipped day (Apia, 2011-12-30) moves a slot onto a neighbour's date.
        day = self.local_date(moment) - timedelta(days=2)
        while True:
            if self._is_mine(day):
                yield day
            day += timedelta(days=1)

    def _is_mine(self, day: date) -> bool:
        return {
            Cadence.DAILY: day.isoweekday() in weekdays_in(self.weekdays),
            Cadence.WEEKLY: day.isoweekday() == self.weekday,
            Cadence.MONTHLY: day.day == 1,
        }[self.cadence]


def days_in_words(mask: int) -> str:
    """Chosen weekdays as one says them: "every day", "Monday to Friday", "every Monday and Thursday"."""
    if mask == EVERY_DAY:
        return "every day"
    if mask == MONDAY_TO_FRIDAY:
        return "Monday to Friday"
    *others, last = [day_name[day - 1] for day in weekdays_in(mask)]
    return f"every {', '.join(others)} and {last}" if others else f"every {last}"


def in_words(moment: datetime, seen_from: datetime, zone: str) -> str:
    """When that is, as one says it: "in a few minutes", "tomorrow at 8:00", "on Monday 23 March at 8:00"."""
    if moment - seen_from <= timedelta(minutes=10):
        return "in a few minutes"
    local, today = (instant.astimezone(ZoneInfo(zone)) for instant in (moment, seen_from))
    clock = f"{local.hour}:{local.minute:02}"
    days = (local.date() - today.date()).days
    if days < 2:
        return f"{['today', 'tomorrow'][days]} at {clock}"
    return f"on {local:%A} {local.day} {local:%B} at {clock}"
