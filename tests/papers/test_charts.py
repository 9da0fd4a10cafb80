"""Charts of numbers over time stay small, inside their frame and true at both ends."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from papers.charts import HEIGHT, LOW, MOST_POINTS, SPARK_HEIGHT, SPARK_WIDTH, WIDTH, Row, chart, spark, thinned
from papers.models import Reading
from papers.views.papers import chart_of

NOW = datetime(2026, 3, 20, tzinfo=UTC)


def rows(*numbers: int) -> list[Row]:
    return [(NOW + timedelta(days=n), number) for n, number in enumerate(numbers)]


def test_one_row_makes_no_line() -> None:
    assert spark(rows(3)) == ""
    assert chart(rows(3)) is None


def test_upvotes_that_nobody_gave_make_no_chart() -> None:
    assert chart_of([Reading(taken_at=NOW, upvotes=0), Reading(taken_at=NOW, upvotes=0)]) is None


def test_no_row_is_no_chart() -> None:
    assert chart([]) is None
    assert spark([]) == ""


def test_the_highest_number_is_never_left_out() -> None:
    drawn = chart(rows(*range(100), 5_000, *range(100, 300)))
    assert drawn
    assert (drawn.top, len(drawn.rows)) == (5_000, MOST_POINTS)
    assert drawn.dots == [], "so many dots would hide the line"


def test_a_line_rises_from_the_first_row_to_the_last() -> None:
    assert spark(rows(0, 5, 10)) == f"0,{SPARK_HEIGHT} {SPARK_WIDTH // 2},8 {SPARK_WIDTH},0"
    low = chart(rows(0, 5, 10), LOW)
    assert low
    assert low.line == f"0,{LOW} {WIDTH // 2},{LOW // 2} {WIDTH},0"


@given(st.lists(st.integers(0, 10**9), min_size=2, max_size=300).filter(any))
def test_a_chart_stays_in_its_frame_and_keeps_both_ends(numbers: list[int]) -> None:
    counted = rows(*numbers)
    drawn = chart(counted)
    assert drawn
    points = [tuple(map(int, point.split(","))) for point in drawn.line.split()]
    assert all(0 <= x <= WIDTH and 0 <= y <= HEIGHT for x, y in points)
    assert len(points) <= MOST_POINTS
    assert (drawn.rows[0], drawn.rows[-1]) == (counted[0], counted[-1])
    assert len(spark(counted)) < 100


@given(st.integers(2, 500), st.integers(2, 60))
def test_thinning_keeps_the_order(count: int, most: int) -> None:
    kept = thinned(rows(*range(count)), most)
    numbers = [number for _, number, *_ in kept]
    assert numbers == sorted(set(numbers))
    assert len(numbers) == min(count, most)
