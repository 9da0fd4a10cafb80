"""What an operator may do for a reader, at their wish: one rule for the reader's page and for `manage.py reader`."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction

from newsletter import audit
from subscribers import leaving, signup
from subscribers.leaving import BY_OPERATOR
from subscribers.letters import A_DAY, ASKED_EVER
from subscribers.models import Letter, Subscriber
from subscribers.suppressing import reason_of

Status = Subscriber.Status
CHANGE, ERASE = "subscribers.change_subscriber", "subscribers.delete_subscriber"


@dataclass(frozen=True)
class Deed:
    """What an operator may do for readers in some states. `do` is told who does it, and says whether it changed
    anything."""

    words: str
    done: str
    statuses: list[str]
    do: Callable[[Subscriber, datetime, str], object]
    permission: str = CHANGE
    is_final: bool = False
    undone: str = "Nothing was changed: the reader has moved on since."


DEEDS = {
    "resend": Deed(
        "Send the confirmation again",
        "The confirmation is on its way.",
        [Status.PENDING],
        lambda reader, at, _: signup.resend_confirmation(reader, at),
        undone=f"Not sent: one is on its way already, or the reader has had as many as anybody may get, "
        f"{A_DAY[Letter.Kind.CONFIRMATION]} a day and {ASKED_EVER} in all.",
    ),
    "pause": Deed(
        "Pause",
        "Paused until the reader resumes.",
        [Status.ACTIVE],
        lambda reader, at, _: leaving.pause(reader, at, page=BY_OPERATOR),
    ),
    "resume": Deed(
        "Resume",
        "The digests come again.",
        [Status.PAUSED],
        lambda reader, at, _: leaving.resume(reader, at, page=BY_OPERATOR),
    ),
    "leave": Deed(
        "Unsubscribe",
        "Unsubscribed; a goodbye goes to who had confirmed.",
        Status.leavable(),
        lambda reader, at, _: leaving.leave(reader, at, BY_OPERATOR),
    ),
    "erase": Deed(
        "Erase everything",
        "Erased. A hash remains that keeps the address from being mailed.",
        [status for status in Status.values if status != Status.ERASED],
        lambda reader, at, who: leaving.erase(reader, at, BY_OPERATOR, who),
        permission=ERASE,
        is_final=True,
    ),
}


@transaction.atomic
def carry_out(deed: Deed, reader: Subscriber, at: datetime, user: Any, why: str) -> bool:
    """Do it and put it on record, both or neither; says whether it changed anything.

    Of who was erased the record keeps no former values. Raises ValidationError where no reason is given, or
    one with an address in it.
    """
    reason = reason_of(why)
    audit.check_why(reason)
    before = None if deed.is_final else audit.snapshot(reader)
    if reader.status not in deed.statuses or not deed.do(reader, at, user.get_username()):
        return False
    reader.refresh_from_db()
    audit.record(user, reader, deed.words, reason, before)
    return True
