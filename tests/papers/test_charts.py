"""Charts of a paper's readings stay small, inside their frame and true at both ends."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from papers.charts import HEIGHT, MOST_POINTS, SPARK_HEIGHT, SPARK_WIDTH, WIDTH, chart, spark, thinned
from papers.models import Reading

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def readings(*upvotes: int) -> list[Reading]:
    return [Reading(taken_at=NOW + timedelta(days=n), upvotes=count) for n, count in enumerate(upvotes)]


def test_one_reading_makes_no_line() -> None:
    assert spark(readings(3)) == ""
    assert chart(readings(3)) is None


def test_upvotes_that_nobody_gave_make_no_chart() -> None:
    assert chart(readings(0, 0)) is None


def test_no_reading_is_no_chart() -> None:
    assert chart([]) is None
    assert spark([]) == ""


def test_the_highest_reading_is_never_left_out() -> None:
    drawn = chart(readings(*range(100), 5_000, *range(100, 300)))
    assert drawn
    assert (drawn.top, len(drawn.readings)) == (5_000, MOST_POINTS)
    assert drawn.dots == [], "so many dots would hide the line"


def test_a_line_rises_from_the_first_reading_to_the_last() -> None:
    assert spark(readings(0, 5, 10)) == f"0,{SPARK_HEIGHT} {SPARK_WIDTH // 2},8 {SPARK_WIDTH},0"


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=300).filter(any))
def test_a_chart_stays_in_its_frame_and_keeps_both_ends(upvotes: list[int]) -> None:
    taken = readings(*upvotes)
    drawn = chart(taken)
    assert drawn
    points = [tuple(map(int, point.split(","))) for point in drawn.line.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert len(points) <= MOST_POINTS
    assert (drawn.readings[0], drawn.readings[-1]) == (taken[0], taken[-1])
    assert len(spark(taken)) < 100


@given(st.integers(2, 500), st.integers(2, 60))
def test_thinning_keeps_the_order(count: int, most: int) -> None:
    kept = thinned(readings(*range(count)), most)
    numbers = [one.upvotes for one in kept]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(count, most)
