"""A sliding window, counted in slots. Pure.

A window is cut into SLOTS slots by the clock, and what happened is counted per slot. What may have happened within
the window is the sum of all slots that touch it, so that no window of this length, wherever it begins, ever sees
more than a limit allows; in return a place may stay taken for one slot longer than the window.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

SLOTS = 12
NO_LIMIT = 2**31


@dataclass(frozen=True)
class Limit:
    """At most `most` within any `window` for what `key` names. An address stands in a key as a hash only."""

    name: str
    key: str
    most: int
    window: timedelta

    @property
    def slot_seconds(self) -> float:
        return self.window.total_seconds() / SLOTS

    def slot(self, at: datetime) -> int:
        """The number of the slot that this instant falls into."""
        return int(at.timestamp() // self.slot_seconds)

    def ends(self, at: datetime) -> datetime:
        """When what is counted now has no more say."""
        return at + self.window + timedelta(seconds=self.slot_seconds)


def within(slots: dict[str, int], limit: Limit, at: datetime) -> dict[str, int]:
    """The slots that touch the window which ends now, and any that a faster clock wrote."""
    first = limit.slot(at) - SLOTS
    return {slot: count for slot, count in slots.items() if int(slot) >= first}
