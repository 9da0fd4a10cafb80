"""Keeps everybody's hour when the zone database changes: a slot was worked out by the rules of an earlier day."""

from datetime import datetime, timedelta

from subscribers.models import Subscriber
from subscribers.schedule import Cadence, Schedule

SOON = timedelta(minutes=10)  # what is due so soon is left alone: it may be a first digest, off the rhythm
FURTHEST = timedelta(hours=3)  # no zone has moved its clocks by more at once, but across the date line
COLUMNS = ["cadence", "local_hour", "weekday", "zone", "weekdays"]


def keep_the_hours(at: datetime) -> int:
    """Move each next digest that is off its reader's hour by a change of clocks; returns how many moved.

    Readers of one schedule are due together, so this looks at the different schedules, not at the readers.
    """
    waiting = Subscriber.objects.mailable().filter(next_digest_at__gt=at + SOON).order_by()
    moved = 0
    for cadence, *when, due in waiting.values_list(*COLUMNS, "next_digest_at").distinct().iterator():
        right = Schedule(Cadence(cadence), *when).nearest(due)
        if timedelta(0) < abs(right - due) <= FURTHEST:
            same = dict(zip(COLUMNS, (cadence, *when), strict=True))
            moved += waiting.filter(**same, next_digest_at=due).update(next_digest_at=right)
    return moved
