"""One digest per reader, cadence and local date, at the chosen hour, in every zone, whatever the clocks do."""

import shutil
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from subscribers.models import Subscriber
from subscribers.rescheduling import keep_the_hours
from subscribers.schedule import Cadence, Schedule, known_zones
from tests.conftest import NOW

TICK = timedelta(minutes=1)
DAY = timedelta(days=1)
FURTHEST_LATE = timedelta(hours=41)  # the longest that a journey below leaves the planner without a tick
ALL_ZONES = sorted(known_zones())
WHENS = {"local_hour": st.integers(0, 23), "weekday": st.integers(1, 7), "weekdays": st.integers(1, 127)}


def changes_of(zone: str, year: int) -> list[datetime]:
    """The days before which the zone's clocks were other than after."""
    days = [(datetime(year, 1, 1, tzinfo=UTC) + n * DAY).astimezone(ZoneInfo(zone)) for n in range(367)]
    return [later.astimezone(UTC) for before, later in pairwise(days) if before.utcoffset() != later.utcoffset()]


@st.composite
def moments_of_zones(draw: st.DrawFn) -> tuple[str, datetime]:
    """A zone and a moment, mostly near a change of its clocks."""
    zone, year = draw(st.sampled_from(ALL_ZONES)), draw(st.integers(2008, 2036))
    about = draw(st.sampled_from(changes_of(zone, year) or [datetime(year, 2, 27, tzinfo=UTC)]))
    return zone, about + timedelta(minutes=draw(st.integers(-4 * 1440, 4 * 1440)))


@st.composite
def schedules_and_moments(draw: st.DrawFn) -> tuple[Schedule, datetime]:
    zone, moment = draw(moments_of_zones())
    return draw(st.builds(Schedule, cadence=st.sampled_from(Cadence), zone=st.just(zone), **WHENS)), moment


class Reader:
    """What the planner does with one reader; the set of editions is the database's UNIQUE constraint."""

    def __init__(self, schedule: Schedule, moment: datetime) -> None:
        self.schedule = schedule
        self.due = schedule.next_after(moment)
        self.got: dict[tuple[str, date], tuple[datetime, datetime]] = {}

    def tick(self, at: datetime) -> int:
        if self.due > at:
            return 0
        slot = self.schedule.catch_up(self.due, at)
        edition = (self.schedule.cadence.value, self.schedule.local_date(slot))
        is_new = edition not in self.got
        self.got.setdefault(edition, (slot, at))
        self.due = self.schedule.next_after(at)
        return int(is_new)


def shown(schedule: Schedule, day: date) -> bool:
    """Whether the chosen hour is on the clock of that day: it is not where the clock jumps over it."""
    local = datetime.combine(day, time(schedule.local_hour), ZoneInfo(schedule.zone))
    return local.astimezone(UTC).astimezone(local.tzinfo).replace(tzinfo=None) == local.replace(tzinfo=None)


@given(schedules_and_moments(), st.integers(0, 59))
def test_every_digest_comes_at_the_chosen_hour_within_a_tick(given_: tuple[Schedule, datetime], second: int) -> None:
    schedule, moment = given_
    reader = Reader(schedule, moment)
    for _ in range(6):
        late = timedelta(seconds=second)  # how long after the slot the next tick happens to be
        assert reader.tick(reader.due - timedelta(microseconds=1)) == 0
        assert reader.tick(reader.due + late) == 1
    for (_, day), (slot, at) in reader.got.items():
        assert timedelta(0) <= at - slot < TICK
        local = slot.astimezone(ZoneInfo(schedule.zone))
        assert local.date() == day
        assert (local.hour, local.minute) == (schedule.local_hour, 0) or not shown(schedule, day)


@given(schedules_and_moments())
def test_no_local_date_is_left_out(given_: tuple[Schedule, datetime]) -> None:
    schedule, moment = given_
    reader = Reader(Schedule(Cadence.DAILY, schedule.local_hour, 1, schedule.zone), moment)
    while len(reader.got) < 8:
        reader.tick(reader.due)
    for (_, earlier), (_, later) in pairwise(reader.got):
        left_out = [earlier + n * DAY for n in range(1, (later - earlier).days)]
        assert not any(was_there(day, schedule.zone) for day in left_out)


def was_there(day: date, zone: str) -> bool:
    """Apia had no 30 December 2011."""
    noon = datetime.combine(day, time(12), ZoneInfo(zone))
    return noon.astimezone(UTC).astimezone(noon.tzinfo).date() == day


@given(schedules_and_moments(), st.integers(0, 40 * 1440))
def test_after_an_outage_there_is_one_digest_and_it_is_the_latest(
    given_: tuple[Schedule, datetime], minutes: int
) -> None:
    schedule, moment = given_
    reader = Reader(schedule, moment)
    back = reader.due + timedelta(minutes=minutes)
    assert [reader.tick(back), reader.tick(back)] == [1, 0]
    [(slot, _), *_] = reader.got.values()
    assert slot == schedule.latest(back)
    assert reader.due > back


@given(schedules_and_moments(), st.lists(st.integers(-3 * 60, 26 * 60), min_size=4, max_size=30))
def test_a_clock_that_is_set_back_and_forth_makes_no_two_of_one_date(
    given_: tuple[Schedule, datetime], steps: list[int]
) -> None:
    schedule, at = given_
    reader = Reader(schedule, at)
    for minutes in steps:
        at += timedelta(minutes=minutes)
        reader.tick(at)
        assert all(slot <= seen for slot, seen in reader.got.values())
    assert reader.due <= max([at, *(seen for _, seen in reader.got.values())]) + timedelta(days=33)


@given(schedules_and_moments(), st.lists(st.tuples(st.sampled_from(ALL_ZONES), st.integers(1, 40)), max_size=8))
def test_a_reader_who_travels_gets_no_two_of_one_date(
    given_: tuple[Schedule, datetime], journey: list[tuple[str, int]]
) -> None:
    schedule, at = given_
    reader = Reader(schedule, at)
    for zone, hours in journey:
        at += timedelta(hours=hours)
        reader.tick(at)
        when = (schedule.local_hour, schedule.weekday, zone, schedule.weekdays)
        reader.schedule = Schedule(schedule.cadence, *when)
        reader.due = reader.schedule.next_after(at)
    while reader.tick(reader.due) == 0:  # the same date once more in the west: no second one
        assert reader.due - at < timedelta(days=70)
    assert all(at - slot < FURTHEST_LATE for slot, at in reader.got.values())


@given(schedules_and_moments())
def test_the_latest_and_the_next_slot_are_neighbours(given_: tuple[Schedule, datetime]) -> None:
    schedule, moment = given_
    latest = schedule.latest(moment)
    assert latest <= moment < schedule.next_after(moment)
    assert schedule.next_after(latest) > moment
    assert schedule.nearest(latest) == latest


def test_what_was_promised_off_the_rhythm_is_kept() -> None:
    schedule = Schedule(Cadence.DAILY, 8, 1, "UTC")
    promised = NOW.replace(hour=9, minute=30)
    assert schedule.catch_up(promised, promised + TICK) == promised
    assert schedule.catch_up(promised, promised + DAY) == NOW.replace(hour=8) + DAY


class TestANewZoneDatabase:
    @pytest.fixture
    def berlin_goes_east(self, tmp_path: Path) -> Iterator[None]:
        """From now on the zone database says that Berlin has Moscow's time."""
        folders = [Path(folder) for folder in zoneinfo.TZPATH]
        moscow = next(folder / "Europe/Moscow" for folder in folders if (folder / "Europe/Moscow").exists())
        (tmp_path / "Europe").mkdir()
        shutil.copy(moscow, tmp_path / "Europe" / "Berlin")
        zoneinfo.reset_tzpath([tmp_path, *folders])
        ZoneInfo.clear_cache()
        yield
        zoneinfo.reset_tzpath(folders)
        ZoneInfo.clear_cache()

    def test_moves_what_is_planned_to_the_chosen_hour(self, alice: Subscriber, berlin_goes_east: None) -> None:
        Subscriber.objects.update(next_digest_at=datetime(2026, 3, 21, 7, tzinfo=UTC))  # 8:00 by the old rules
        assert keep_the_hours(NOW) == 1
        alice.refresh_from_db()
        assert alice.next_digest_at == datetime(2026, 3, 21, 5, tzinfo=UTC)
        assert keep_the_hours(NOW) == 0

    def test_leaves_a_first_digest_alone(self, alice: Subscriber, berlin_goes_east: None) -> None:
        Subscriber.objects.update(next_digest_at=NOW + timedelta(seconds=30))
        assert keep_the_hours(NOW) == 0


def test_without_a_change_nobody_is_moved(alice: Subscriber) -> None:
    Subscriber.objects.update(next_digest_at=alice.schedule.next_after(NOW))
    assert keep_the_hours(NOW) == 0
