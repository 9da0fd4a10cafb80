"""Signed tickets that say when a form was fetched: a form that is filled in within a second was filled in by no person.

A ticket is good once, from an age on and up to another. It names nobody, and by itself refuses nobody.
"""

import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from django.core.signing import BadSignature, Signer

from subscribers.abuse.counting import hashed, take
from subscribers.abuse.slots import Limit

LONGEST = 200  # characters; ours have about 80


class Standing(Enum):
    """What is to be said of a ticket."""

    GOOD = "good"
    MISSING = "missing"
    FOREIGN = "not one of ours, or not complete"
    YOUNG = "younger than a person takes"
    OLD = "too old"
    USED = "used before"


@dataclass(frozen=True)
class Tickets:
    """All tickets of one purpose; those of another are foreign here."""

    purpose: str
    youngest: timedelta
    oldest: timedelta

    def issue(self, at: datetime) -> str:
        return self._signer.sign(f"{secrets.token_hex(8)}-{int(at.timestamp())}")

    def standing(self, ticket: str, at: datetime) -> Standing:
        """What this ticket is worth now; looking uses it up no more than it was."""
        if not ticket:
            return Standing.MISSING
        if len(ticket) > LONGEST:
            return Standing.FOREIGN
        try:
            issued = int(self._signer.unsign(ticket).partition("-")[2])
        except (BadSignature, ValueError):
            return Standing.FOREIGN
        age = at.timestamp() - issued
        if age < self.youngest.total_seconds():
            return Standing.YOUNG
        return Standing.OLD if age > self.oldest.total_seconds() else Standing.GOOD

    def redeem(self, ticket: str, at: datetime) -> Standing:
        """As above, and a good one is used up."""
        standing = self.standing(ticket, at)
        if standing is Standing.GOOD and not use_up(f"ticket:{self.purpose}", ticket, self.oldest, at):
            return Standing.USED
        return standing

    @property
    def _signer(self) -> Signer:
        return Signer(salt=f"subscribers.ticket.{self.purpose}", sep=".")


def use_up(what: str, token: str, lifetime: timedelta, at: datetime) -> bool:
    """Use something that is good once within its lifetime; False where it was used before."""
    return take([Limit(what, hashed(token), 1, lifetime)], at) is None


# Of a form, fetched with the page or when the form gets the focus.
FORM = Tickets("form", timedelta(seconds=2), timedelta(days=1))
# Of a form that asked for patience, for readers without JavaScript.
PATIENCE = Tickets("patience", timedelta(seconds=10), timedelta(hours=1))
