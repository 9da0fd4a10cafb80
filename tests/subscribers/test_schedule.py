from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.schedule import Cadence, Schedule, in_words, weekday_mask, weekdays_in
from tests.conftest import NOW

# Ordinary zones and the odd ones: a shift of half an hour, quarters of hours, a date that never was,
# clocks that change at midnight, far west and far east.
ZONES = st.sampled_from(
    [
        "UTC",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Pacific/Apia",
        "Asia/Kathmandu",
        "America/Santiago",
        "Africa/Cairo",
        "Pacific/Kiritimati",
        "Pacific/Niue",
    ]
)
MOMENTS = st.datetimes(datetime(2008, 1, 1), datetime(2035, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - hypothesis adds it
SCHEDULES = st.builds(
    Schedule,
    cadence=st.sampled_from(Cadence),
    local_hour=st.integers(0, 23),
    weekday=st.integers(1, 7),
    zone=ZONES,
    weekdays=st.integers(1, 127),
)


def slots(schedule: Schedule, moment: datetime, count: int) -> list[datetime]:
    found = [moment]
    for _ in range(count):
        found.append(schedule.next_after(found[-1]))
    return found[1:]


@given(SCHEDULES, MOMENTS)
def test_a_slot_is_strictly_later_and_the_first_of_its_kind(schedule: Schedule, moment: datetime) -> None:
    slot = schedule.next_after(moment)
    assert moment < slot <= moment + timedelta(days=33)
    assert schedule.next_after(slot - timedelta(microseconds=1)) == slot


@given(SCHEDULES, MOMENTS)
def test_a_local_day_has_one_slot_at_most(schedule: Schedule, moment: datetime) -> None:
    days = [schedule.local_date(slot) for slot in slots(schedule, moment, 12)]
    assert len(set(days)) == len(days)


@given(MOMENTS, ZONES, st.integers(0, 23))
def test_every_local_day_that_was_has_a_daily_slot(moment: datetime, zone: str, hour: int) -> None:
    schedule = Schedule(Cadence.DAILY, hour, 1, zone)
    found = slots(schedule, moment, 5)
    for earlier, later in pairwise(schedule.local_date(slot) for slot in found):
        skipped = zone == "Pacific/Apia" and date(2011, 12, 30) - earlier == timedelta(days=1)
        assert later - earlier == timedelta(days=2 if skipped else 1)


@given(SCHEDULES, MOMENTS)
def test_the_hour_is_the_chosen_one_wherever_the_clock_shows_it(schedule: Schedule, moment: datetime) -> None:
    slot = schedule.next_after(moment)
    local = slot.astimezone(ZoneInfo(schedule.zone))
    chosen = local.replace(hour=schedule.local_hour, minute=0, fold=0)
    was_shown = chosen.astimezone(UTC).astimezone(ZoneInfo(schedule.zone)).replace(fold=0) == chosen.replace(fold=0)
    assert (local.hour, local.minute) == (schedule.local_hour, 0) or not was_shown


@given(SCHEDULES, MOMENTS)
def test_every_cadence_keeps_its_days(schedule: Schedule, moment: datetime) -> None:
    day = schedule.local_date(schedule.next_after(moment))
    if (schedule.zone, day) == ("Pacific/Apia", date(2011, 12, 31)):
        return  # Friday the 30th never was there, and its digest came on Saturday
    chosen = day.isoweekday() in weekdays_in(schedule.weekdays)
    kept = {"daily": chosen, "weekly": day.isoweekday() == schedule.weekday, "monthly": day.day == 1}
    assert kept[schedule.cadence]


@pytest.mark.parametrize(
    ("zone", "hour", "after", "expected"),
    [
        # 2:00 is skipped in Berlin on 29 March 2026: the digest comes at 3:00.
        ("Europe/Berlin", 2, datetime(2026, 3, 28, 12, tzinfo=UTC), datetime(2026, 3, 29, 1, tzinfo=UTC)),
        # 2:00 comes twice on 25 October: the first counts, and the second is not another.
        ("Europe/Berlin", 2, datetime(2026, 10, 24, 12, tzinfo=UTC), datetime(2026, 10, 25, 0, tzinfo=UTC)),
        ("Europe/Berlin", 2, datetime(2026, 10, 25, 0, tzinfo=UTC), datetime(2026, 10, 26, 1, tzinfo=UTC)),
        # Lord Howe shifts by half an hour: 2:00 becomes 2:30.
        ("Australia/Lord_Howe", 2, datetime(2026, 10, 3, 12, tzinfo=UTC), datetime(2026, 10, 3, 15, 30, tzinfo=UTC)),
    ],
)
def test_where_the_clock_jumps(zone: str, hour: int, after: datetime, expected: datetime) -> None:
    assert Schedule(Cadence.DAILY, hour, 1, zone).next_after(after) == expected


@pytest.mark.parametrize("gone", ["US/Erehwon", "", "../etc/passwd"])
def test_a_zone_that_this_machine_does_not_know_has_utc(gone: str) -> None:
    schedule = Schedule(Cadence.DAILY, 8, 1, gone)
    assert schedule.next_after(NOW) == replace(schedule, zone="UTC").next_after(NOW)


@pytest.mark.parametrize(
    ("hours", "words"),
    [(0.1, "in a few minutes"), (3, "today at 13:00"), (22, "tomorrow at 8:00"), (70, "on Monday 23 March at 8:00")],
)
def test_moments_are_said_as_people_say_them(hours: float, words: str) -> None:
    assert in_words(NOW + timedelta(hours=hours), NOW, "Europe/Berlin") == words


def test_a_rhythm_is_said_as_people_say_it() -> None:
    rhythms = [str(Schedule(cadence, 8, 1, "America/New_York")) for cadence in Cadence]
    assert rhythms == [
        "every day at 8:00, New York time",
        "every Monday at 8:00, New York time",
        "on the first of each month at 8:00, New York time",
    ]


@given(st.sets(st.integers(1, 7)))
def test_a_mask_keeps_its_weekdays(days: set[int]) -> None:
    assert set(weekdays_in(weekday_mask(days))) == days


@given(SCHEDULES, MOMENTS)
def test_all_chosen_weekdays_come_in_a_week(schedule: Schedule, moment: datetime) -> None:
    daily = replace(schedule, cadence=Cadence.DAILY, zone="UTC")
    found = slots(daily, moment, len(weekdays_in(daily.weekdays)))
    assert sorted(slot.isoweekday() for slot in found) == weekdays_in(daily.weekdays)
    assert found[-1] - moment <= timedelta(days=7)


@pytest.mark.parametrize(
    ("days", "words"),
    [
        ({1, 2, 3, 4, 5}, "Monday to Friday at 8:00, Berlin time"),
        ({1, 4}, "every Monday and Thursday at 8:00, Berlin time"),
        ({2, 4, 6}, "every Tuesday, Thursday and Saturday at 8:00, Berlin time"),
        ({7}, "every Sunday at 8:00, Berlin time"),
    ],
)
def test_chosen_days_are_said_as_people_say_them(days: set[int], words: str) -> None:
    assert str(Schedule(Cadence.DAILY, 8, 1, "Europe/Berlin", weekday_mask(days))) == words
