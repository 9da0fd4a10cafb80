"""Small pictures of a number over time, as coordinates for an SVG template. Pure.

They are drawn in the unit of the template's viewBox, and take their colours from the page.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

SPARK_WIDTH, SPARK_HEIGHT = 48, 16
WIDTH, HEIGHT, LOW = 600, 160, 120  # of the plot, and of one among others; words stand around it
MOST_POINTS = 60  # more cannot be told apart
MOST_DOTS = 20  # more would hide the line
SPARK_POINTS = 12

# When it was counted, and the number; what else was counted then stands in the table beside the picture.
Row = tuple[datetime, int, *tuple[int, ...]]


@dataclass(frozen=True)
class Chart:
    """`line` is an SVG polyline's points, `dots` one per row while they are few, y downwards; `top` the number at the
    upper edge; `rows` what is drawn.
    """

    line: str
    dots: list[tuple[int, int]]
    top: int
    rows: list[Row]

    @property
    def first(self) -> datetime:
        return self.rows[0][0]

    @property
    def last(self) -> datetime:
        return self.rows[-1][0]


def spark(rows: Sequence[Row]) -> str:
    """The points of a line in SPARK_WIDTH × SPARK_HEIGHT; "" for fewer than two rows, oldest first."""
    return _joined(_points(thinned(rows, SPARK_POINTS), SPARK_WIDTH, SPARK_HEIGHT)) if len(rows) > 1 else ""


def chart(rows: Sequence[Row], height: int = HEIGHT) -> Chart | None:
    """The chart of rows, oldest first; None where one or none makes no line."""
    if len(rows) < 2:
        return None
    kept = thinned(rows, MOST_POINTS)
    points = _points(kept, WIDTH, height)
    return Chart(_joined(points), points if len(points) <= MOST_DOTS else [], _top(kept), kept)


def thinned(rows: Sequence[Row], most: int) -> list[Row]:
    """At most `most` of them, evenly: the first, the last, and in place of its neighbour the highest."""
    if len(rows) <= most:
        return list(rows)
    step = (len(rows) - 1) / (most - 1)
    places = [round(number * step) for number in range(most)]
    highest = max(range(len(rows)), key=lambda place: rows[place][1])
    if most > 2 and highest not in places:
        places[min(max(round(highest / step), 1), most - 2)] = highest
    return [rows[place] for place in places]


def _points(rows: Sequence[Row], width: int, height: int) -> list[tuple[int, int]]:
    begin, top = rows[0][0], _top(rows)
    span = (rows[-1][0] - begin).total_seconds() or 1
    return [
        (round((at - begin).total_seconds() / span * width), round(height - number / top * height))
        for at, number, *_ in rows
    ]


def _top(rows: Sequence[Row]) -> int:
    return max(1, *(row[1] for row in rows))


def _joined(points: Sequence[tuple[int, int]]) -> str:
    return " ".join(f"{x},{y}" for x, y in points)
