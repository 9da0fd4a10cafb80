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
    unfit: str  # what an edition is or does that it is not for
    do: Callable[[EditionQuerySet, int], int]
    statuses: list[str]
    permission: str = CHANGE
    is_final: bool = False
    canary: str | None = None  # where it is one about the first copies: how these stand
    makes: str = ""  # the status by which it is known to have been done already

    def suits(self, edition: Edition) -> bool:
        return edition.status in self.statuses and self.canary in {None, edition.canary}

    def why_not(self, edition: Edition) -> str:
        """What to say where it changed nothing."""
        if edition.status == self.makes:
            return f"{edition} {self.done} already: nothing was changed."
        is_by_copies = self.canary is not None and edition.canary and edition.status in self.statuses
        stands = edition.get_canary_display() if is_by_copies else edition.state
        return f"{edition} {self.unfit} ({stands}): nothing was changed."


TURNS = {
    "approve": Turn(
        "Approve: let it go",
        "is approved",
        "does not wait for approval",
        lambda rows, _: rows.approve(),
        [HELD],
        APPROVE,
    ),
    "hold": Turn(
        "Hold until approved",
        "waits for approval",
        "cannot be held",
        lambda rows, _: rows.hold(),
        [OPEN],
        makes=HELD,
    ),
    "pause": Turn("Pause", "is paused", "cannot be paused", lambda rows, _: rows.pause(), [OPEN], makes=PAUSED),
    "resume": Turn("Resume", "goes on", "is not paused", lambda rows, _: rows.resume(), [PAUSED]),
    "canary": Turn(
        "Send some copies first",
        "sends some copies first",
        "cannot send some copies first",
        lambda rows, size: rows.send_some_first(size),
        [OPEN, HELD],
        canary=Edition.Canary.NONE,
    ),
    "follow": Turn(
        "Let all follow now",
        "goes to all now, whatever becomes of the first copies",
        "holds nothing back for its first copies",
        lambda rows, _: rows.let_all_follow(),
        [OPEN, HELD, PAUSED],
        canary=Edition.Canary.AHEAD,
    ),
    "cancel": Turn(
        "Cancel for good",
        "is cancelled for good",
        "cannot be cancelled",
        lambda rows, _: rows.cancel(),
        [OPEN, HELD, PAUSED],
        is_final=True,
        makes=Edition.Status.CANCELLED,
    ),
}


@transaction.atomic
def carry_out(turn: Turn, edition: Edition, user: Any, why: str, size: int) -> bool:
    """Do it and put it on record, both or neither; says whether it changed anything. The edition is read again."""
    before = audit.snapshot(edition)
    is_done = turn.do(Edition.objects.filter(pk=edition.pk), size) > 0
    edition.refresh_from_db()
    if is_done:
        audit.record(user, edition, turn.words, why, before)
    return is_done


def size_of(text: str) -> int:
    """How many copies go ahead; as the settings say where nothing is typed. Raises ValidationError."""
    if not text.strip():
        return size_asked_for()
    is_number = text.isascii() and text.isdecimal() and len(text) < 10
    if not (is_number and 1 <= int(text) <= MOST_AHEAD):
        raise ValidationError(f"From 1 to {MOST_AHEAD:,} copies can go ahead: nothing was changed.")
    return int(text)
