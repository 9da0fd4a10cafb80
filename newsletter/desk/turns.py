"""What is decided about an edition as a whole: one rule for its page, the list of editions and `manage.py edition`."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from newsletter import audit
from newsletter.delivery.canaries import size_asked_for
from newsletter.models import Edition, EditionQuerySet

CHANGE, APPROVE = "newsletter.change_edition", "newsletter.approve_edition"
OPEN, HELD, PAUSED = Edition.Status.OPEN, Edition.Status.HELD, Edition.Status.PAUSED
MOST_AHEAD = 100_000  # copies


@dataclass(frozen=True)
class Turn:
    """What may be decided about an edition in some states. `do` is given how many copies go ahead, and says of how many
    editions it changed anything."""

    words: str  # on the button
    done: str  # how the edition is then
    do: Callable[[EditionQuerySet, int], int]
    statuses: list[str]
    permission: str = CHANGE
    is_final: bool = False
    canary: str | None = None  # where it is one about the first copies: how these stand

    def suits(self, edition: Edition) -> bool:
        return edition.status in self.statuses and self.canary in {None, edition.canary}


TURNS = {
    "approve": Turn("Approve: let it go", "is approved", lambda rows, _: rows.approve(), [HELD], APPROVE),
    "hold": Turn("Hold until approved", "waits for approval", lambda rows, _: rows.hold(), [OPEN]),
    "pause": Turn("Pause", "is paused", lambda rows, _: rows.pause(), [OPEN]),
    "resume": Turn("Resume", "goes on", lambda rows, _: rows.resume(), [PAUSED]),
    "canary": Turn(
        "Send some copies first",
        "sends some copies first",
        lambda rows, size: rows.send_some_first(size),
        [OPEN, HELD],
        canary=Edition.Canary.NONE,
    ),
    "follow": Turn(
        "Let all follow now",
        "goes to all now, whatever becomes of the first copies",
        lambda rows, _: rows.let_all_follow(),
        [OPEN, HELD, PAUSED],
        canary=Edition.Canary.AHEAD,
    ),
    "cancel": Turn(
        "Cancel for good", "is cancelled for good", lambda rows, _: rows.cancel(), [OPEN, HELD, PAUSED], is_final=True
    ),
}


@transaction.atomic
def carry_out(turn: Turn, edition: Edition, user: Any, why: str, size: int) -> bool:
    """Do it and put it on record, both or neither; says whether it changed anything."""
    before = audit.snapshot(edition)
    if not turn.do(Edition.objects.filter(pk=edition.pk), size):
        return False
    edition.refresh_from_db()
    audit.record(user, edition, turn.words, why, before)
    return True


def size_of(text: str) -> int:
    """How many copies go ahead; as the settings say where nothing is typed. Raises ValidationError."""
    if not text.strip():
        return size_asked_for()
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    if not (is_number and 1 <= int(text) <= MOST_AHEAD):
        raise ValidationError(f"From 1 to {MOST_AHEAD:,} copies can go ahead: nothing was changed.")
    return int(text)
