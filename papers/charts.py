"""Small pictures of a paper's upvotes over time, as numbers for an SVG template. Pure.

They are drawn in the unit of the template's viewBox, and take their colours from the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from papers.models import Reading

SPARK_WIDTH, SPARK_HEIGHT = 48, 16
WIDTH, HEIGHT = 600, 160  # of the plot; words stand around it
MOST_POINTS = 60  # more cannot be told apart
SPARK_POINTS = 12


@dataclass(frozen=True)
class Chart:
    """Upvotes over time. `line` is an SVG polyline's points, `dots` one per reading, y downwards."""

    line: str
    dots: list[tuple[int, int]]
    top: int  # upvotes at the upper edge
    readings: list[Reading]

    @property
    def first(self) -> datetime:
        return self.readings[0].taken_at

    @property
    def last(self) -> datetime:
        return self.readings[-1].taken_at


def spark(readings: Sequence[Reading]) -> str:
    """The points of a line in SPARK_WIDTH × SPARK_HEIGHT; "" for fewer than two readings, oldest first."""
    return _joined(_points(thinned(readings, SPARK_POINTS), SPARK_WIDTH, SPARK_HEIGHT)) if len(readings) > 1 else ""


def chart(readings: Sequence[Reading]) -> Chart | None:
    """The chart of a paper's page; None without readings, oldest first."""
    if not readings:
        return None
    kept = thinned(readings, MOST_POINTS)
    dots = _points(kept, WIDTH, HEIGHT)
    return Chart(_joined(dots) if len(dots) > 1 else "", dots, _top(kept), kept)


def thinned(readings: Sequence[Reading], most: int) -> list[Reading]:
    """At most `most` of them, evenly, the first and the last among them."""
    if len(readings) <= most:
        return list(readings)
    step = (len(readings) - 1) / (most - 1)
    return [readings[round(number * step)] for number in range(most)]


def _points(readings: Sequence[Reading], width: int, height: int) -> list[tuple[int, int]]:
    begin = readings[0].taken_at
    span = (readings[-1].taken_at - begin).total_seconds() or 1
    top = _top(readings)
    return [
        (round((one.taken_at - begin).total_seconds() / span * width), round(height - one.upvotes / top * height))
        for one in readings
    ]


def _top(readings: Sequence[Reading]) -> int:
    return max(1, *(one.upvotes for one in readings)) if len(readings) > 1 else max(1, readings[0].upvotes)


def _joined(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
