"""Charts of a paper's readings stay small, inside their frame and true at both ends."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from papers.charts import HEIGHT, MOST_POINTS, SPARK_HEIGHT, SPARK_WIDTH, WIDTH, chart, spark, thinned
from papers.models import Reading

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def readings(*upvotes: int) -> list[Reading]:
    return [Reading(taken_at=NOW + timedelta(days=n), upvotes=count) for n, count in enumerate(upvotes)]


def test_one_reading_is_a_dot_and_no_line() -> None:
    assert spark(readings(3)) == ""
    drawn = chart(readings(3))
    assert drawn
    assert (drawn.line, drawn.dots, drawn.top) == ("", [(0, 0)], 3)


def test_no_reading_is_no_chart() -> None:
    assert chart([]) is None
    assert spark([]) == ""


def test_a_line_rises_from_the_first_reading_to_the_last() -> None:
    assert spark(readings(0, 5, 10)) == f"0,{SPARK_HEIGHT} {SPARK_WIDTH // 2},8 {SPARK_WIDTH},0"


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=300))
def test_a_chart_stays_in_its_frame_and_keeps_both_ends(upvotes: list[int]) -> None:
    taken = readings(*upvotes)
    drawn = chart(taken)
    assert drawn
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in drawn.dots)
    assert len(drawn.dots) <= MOST_POINTS
    assert (drawn.readings[0], drawn.readings[-1]) == (taken[0], taken[-1])
    assert len(spark(taken)) < 100


@given(st.integers(2, 500), st.integers(2, 60))
def test_thinning_keeps_the_order(count: int, most: int) -> None:
    kept = thinned(readings(*range(count)), most)
    numbers = [one.upvotes for one in kept]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(count, most)
