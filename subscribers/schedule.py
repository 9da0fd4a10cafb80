"""When a reader's next digest is due: local wall-clock time to UTC. Pure."""

import logging
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from django.db.models import TextChoices
from django.utils.dates import WEEKDAYS
from django.utils.formats import date_format
from django.utils.translation import gettext, pgettext
from django.utils.translation import gettext_lazy as _

log = logging.getLogger(__name__)


def place_of(zone: str) -> str:
    """A zone's name for people: its city, or UTC."""
    return zone.rpartition("/")[2].replace("_", " ")


@cache  # it reads a whole directory tree
def known_zones() -> frozenset[str]:
    """The IANA zones, without this machine's own "localtime" and without "Factory", which is no time at all."""
    return frozenset(available_timezones() - {"localtime", "posixrules", "Factory"})


def rules_of(zone: str) -> tzinfo:
    """A zone's clocks. Names leave the zone database of a machine (Debian keeps old ones apart since 2024): that one
    reader's hour is then by UTC, and nobody else's mail waits for it.
    """
    try:
        return ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError):
        log.warning("this machine does not know the time zone %.64s: its readers have UTC", zone)
        return UTC


EVERY_DAY = 0b1111111
MONDAY_TO_FRIDAY = 0b0011111


def weekday_mask(days: Iterable[int]) -> int:
    """ISO 8601 weekdays as bits: Monday is the lowest."""
    return sum(1 << (day - 1) for day in set(days))


def weekdays_in(mask: int) -> list[int]:
    """The ISO 8601 weekdays of a mask, from Monday on."""
    return [day for day in range(1, 8) if mask >> (day - 1) & 1]


class Cadence(TextChoices):
    DAILY = "daily", _("every day")
    WEEKLY = "weekly", _("every week")
    MONTHLY = "monthly", _("every month")


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
        """As one says it in the language that is spoken now: "every Monday at 8:00, Berlin time"."""
        days = {
            Cadence.DAILY: days_in_words(self.weekdays),
            Cadence.WEEKLY: days_in_words(weekday_mask([self.weekday])),
            Cadence.MONTHLY: gettext("on the first of each month"),
        }[self.cadence]
        # Translators: "days" is one of "every day", "every Monday", "on the first of each month" and the like.
        words = gettext("%(days)s at %(time)s, %(place)s time")
        return words % {"days": days, "time": clock(self.local_hour), "place": place_of(self.zone)}

    def next_after(self, moment: datetime) -> datetime:
        """The first slot after `moment` (aware), in UTC."""
        return next(slot for day in self._days_about(moment) if (slot := self.slot_on(day)) > moment)

    def latest(self, moment: datetime) -> datetime:
        """The last slot at `moment` or before, in UTC."""
        days = self._days_from(self.local_date(moment) + timedelta(days=2), -1)
        return next(slot for day in days if (slot := self.slot_on(day)) <= moment)

    def nearest(self, moment: datetime) -> datetime:
        """The slot that lies nearest to `moment`, before or after, in UTC."""
        return min(self.latest(moment), self.next_after(moment), key=lambda slot: abs(slot - moment))

    def catch_up(self, due: datetime, at: datetime) -> datetime:
        """Which slot is served when the one at `due` is found at `at`: of several that were missed, the last alone.

        A reader whom an outage cost three daily editions gets one, not three; and what is due off the rhythm, as the
        first digest is, is served as it was promised.
        """
        return max(due, self.latest(at))

    def first_on(self, day: date) -> datetime:
        """The first slot on this local day or later, in UTC."""
        return next(
            slot for near in self._days_about(self.slot_on(day)) if self.local_date(slot := self.slot_on(near)) >= day
        )

    def local_date(self, moment: datetime) -> date:
        """The date on the reader's calendar: the date of the edition that is due then."""
        return moment.astimezone(rules_of(self.zone)).date()

    def slot_on(self, day: date) -> datetime:
        """The chosen hour of a local day, in UTC.

        An hour that the clock skips becomes the same distance after the skip; one that it repeats is
        the first of the two (PEP 495, fold=0).
        """
        local = datetime.combine(day, time(self.local_hour), tzinfo=rules_of(self.zone))
        return local.astimezone(UTC)

    def _days_about(self, moment: datetime) -> Iterator[date]:
        # Two days early: a skipped day (Apia, 2011-12-30) moves a slot onto a neighbour's date.
        return self._days_from(self.local_date(moment) - timedelta(days=2), 1)

    def _days_from(self, day: date, step: int) -> Iterator[date]:
        while True:
            if self._is_mine(day):
                yield day
            day += timedelta(days=step)

    def _is_mine(self, day: date) -> bool:
        return {
            Cadence.DAILY: day.isoweekday() in weekdays_in(self.weekdays),
            Cadence.WEEKLY: day.isoweekday() == self.weekday,
            Cadence.MONTHLY: day.day == 1,
        }[self.cadence]


def days_in_words(mask: int) -> str:
    """Chosen weekdays as one says them: "every day", "Monday to Friday", "every Monday and Thursday"."""
    if mask == EVERY_DAY:
        return gettext("every day")
    if mask == MONDAY_TO_FRIDAY:
        return gettext("Monday to Friday")
    *others, last = [str(WEEKDAYS[day - 1]) for day in weekdays_in(mask)]
    if not others:
        return gettext("every %(day)s") % {"day": last}
    return gettext("every %(days)s and %(last_day)s") % {"days": listed(others), "last_day": last}


def listed(words: Iterable[str]) -> str:
    """Words in a row, without an "and" before the last."""
    return pgettext("between the words of a list", ", ").join(words)


def clock(hour: int, minute: int = 0) -> str:
    """A time of day as one writes it: 8:00, 8 Uhr, 8 h."""
    if minute:
        # Translators: the time of day, by the clock of 24 hours.
        return gettext("%(hour)d:%(minute)02d") % {"hour": hour, "minute": minute}
    # Translators: a full hour, by the clock of 24 hours.
    return gettext("%(hour)d:00") % {"hour": hour}


def day_in_words(day: date, form: str = "") -> str:
    """A day as one writes it: "23 March 2026"; in another form "23 March", "Monday 23 March", "Mon 23 March"."""
    return date_format(day, (_first_of_month if day.day == 1 else _any_day)(form))


def _any_day(form: str) -> str:
    return {
        # Translators: Django's date formats, https://docs.djangoproject.com/en/5.2/ref/templates/builtins/#date
        "": gettext("j F Y"),
        "no year": gettext("j F"),
        "weekday": gettext("l j F"),
        "short": gettext("D j F"),
    }[form]


def _first_of_month(form: str) -> str:
    return {
        # Translators: the same, where languages such as French write the first of a month differently.
        "": pgettext("first of a month", "j F Y"),
        "no year": pgettext("first of a month", "j F"),
        "weekday": pgettext("first of a month", "l j F"),
        "short": pgettext("first of a month", "D j F"),
    }[form]


def in_words(moment: datetime, seen_from: datetime, zone: str) -> str:
    """When that is, as one says it: "in a few minutes", "tomorrow at 8:00", "on Monday 23 March at 8:00"."""
    if moment - seen_from <= timedelta(minutes=10):
        return gettext("in a few minutes")
    local, today = (instant.astimezone(rules_of(zone)) for instant in (moment, seen_from))
    when = {"day": day_in_words(local.date(), "weekday"), "time": clock(local.hour, local.minute)}
    days = (local.date() - today.date()).days
    if days == 0:
        return gettext("today at %(time)s") % when
    if days == 1:
        return gettext("tomorrow at %(time)s") % when
    return gettext("on %(day)s at %(time)s") % when
