"""When a paper's popularity is read again: on days 0, 1, 3, 7 and 14 after a day listed it.

Upvotes settle in one to two weeks. One request brings a whole day's papers, so a day is read, not a paper.
"""

from datetime import UTC, date, datetime, time, timedelta

from papers.models import Listing, Reading

STAGES = (0, 1, 3, 7, 14)  # days after the listing
# A stage that was missed, by an outage, is made up for until this long after the last.
GRACE = timedelta(days=7)


def days_due(source: str, today: date) -> tuple[date, ...]:
    """Days whose lists by `source` are due to be read again, latest first: at most 21, one query each."""
    earliest = today - timedelta(days=STAGES[-1]) - GRACE
    listed = Listing.objects.filter(source=source, day__gte=earliest, day__lte=today)
    days = listed.order_by("-day").values_list("day", flat=True).distinct()
    return tuple(day for day in days if _is_due(source, day, today))


def _is_due(source: str, day: date, today: date) -> bool:
    """Whether most of the day's papers have no reading since the stage began.

    Most, not all: a paper may be on two days' lists, and another may have vanished from its own.
    """
    stage = max(days for days in STAGES if days <= (today - day).days)
    begin = datetime.combine(day + timedelta(days=stage), time(), tzinfo=UTC)
    papers = Listing.objects.filter(source=source, day=day).values("paper")
    read = Reading.objects.filter(paper__in=papers, taken_at__gte=begin).values("paper").distinct().count()
    return read * 2 < papers.count()
