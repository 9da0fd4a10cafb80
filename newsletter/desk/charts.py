"""A line over time, as numbers for an SVG template. Pure.

It is drawn in the unit of the template's viewBox, and takes its colours from the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

WIDTH, HEIGHT = 600, 120  # of the plot; words stand around it
MOST_POINTS = 60  # more cannot be told apart

Point = tuple[datetime, int]


@dataclass(frozen=True)
class Line:
    """`points` is an SVG polyline's, y downwards; `top` the number at the upper edge; `rows` what the table shows."""

    points: str
    top: int
    rows: list[Point]

    @property
    def first(self) -> datetime:
        return self.rows[0][0]

    @property
    def last(self) -> datetime:
        return self.rows[-1][0]


def line(counted: Sequence[Point]) -> Line | None:
    """Numbers over time, the oldest first; None where there are too few for a line."""
    if len(counted) < 2:
        return None
    rows = thinned(counted)
    begin, top = rows[0][0], max(1, *(number for _, number in rows))
    span = (rows[-1][0] - begin).total_seconds() or 1
    points = (
        f"{round((at - begin).total_seconds() / span * WIDTH)},{round(HEIGHT - number / top * HEIGHT)}"
        for at, number in rows
    )
    return Line(" ".join(points), top, rows)


def thinned(counted: Sequence[Point]) -> list[Point]:
    """At most MOST_POINTS of them, evenly, with the first and the last."""
    if len(counted) <= MOST_POINTS:
        return list(counted)
    step = (len(counted) - 1) / (MOST_POINTS - 1)
    return [counted[round(place * step)] for place in range(MOST_POINTS)]
