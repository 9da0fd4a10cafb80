"""Finding a reader by what an operator has in hand."""

import re
from collections.abc import Callable
from uuid import UUID

from django.core.exceptions import ValidationError

from newsletter.models import Digest
from subscribers.addresses import address_hash, clean_address
from subscribers.models import Letter, Subscriber, Suppression

SUPPRESSIONS_SHOWN = 20
HASH = re.compile(r"[0-9a-f]{12,64}")
BEGINNING = re.compile(r"[0-9a-f]{8,31}")  # of the id of a digest or letter
NUMBER = re.compile(r"[0-9]{1,11}")  # of a reader; a longer one is a hash
SAY = "Type a whole address, a reader's number, the id of a digest or letter, or the beginning of a hash."
CHUNK = 5_000  # readers between two words of how far it is


def found(sought: str) -> tuple[Subscriber | None, list[Suppression]]:
    """The reader, or the suppressions of a hash. Raises ValidationError where there is neither."""
    sought = sought.removesuffix("…")  # as lists cut a hash off
    if uid := uid_in(sought):
        if reader := by_uid(uid):
            return reader, []
        raise ValidationError("No reader, digest or letter has this id.")
    if HASH.fullmatch(sought.lower()):
        rows = Suppression.objects.filter(address_hash__startswith=sought.lower())[:SUPPRESSIONS_SHOWN]
        if rows:
            return None, list(rows)
        raise ValidationError("No suppression has this hash.")
    if NUMBER.fullmatch(sought):
        if reader := Subscriber.objects.filter(pk=int(sought)).first():
            return reader, []
        raise ValidationError("No reader has this number.")
    if "@" not in sought:
        raise ValidationError(SAY)
    return by_address(sought), []


def by_address(address: str) -> Subscriber:
    """Raises ValidationError, in an operator's words, for what is no address, and for one that nobody has."""
    if reader := Subscriber.objects.filter(email=clean_address(address)).first():
        return reader
    raise ValidationError("Nobody has subscribed with this address.")


def uid_in(sought: str) -> UUID | None:
    """An id as we show it, or the Message-ID of a digest."""
    try:
        return UUID(sought.strip("<>").partition("@")[0])
    except ValueError:
        return None


def uids_beginning(sought: str) -> tuple[UUID, UUID] | None:
    """The first and the last id that begin so, as lists cut them off; twice the same where it is a whole one."""
    if uid := uid_in(sought):
        return uid, uid
    digits = sought.removesuffix("…").replace("-", "").lower()
    if not BEGINNING.fullmatch(digits):
        return None
    return UUID(digits.ljust(32, "0")), UUID(digits.ljust(32, "f"))


def by_uid(uid: UUID) -> Subscriber | None:
    for rows in (Digest.objects.filter(uid=uid), Letter.objects.filter(uid=uid)):
        if mail := rows.select_related("subscriber").first():
            return mail.subscriber
    return Subscriber.objects.filter(uid=uid).first()


def by_hash(beginning: str, follow: Callable[[int], object]) -> Subscriber | None:
    """The reader whose address has this hash, which is stored nowhere: asks all of them, in flat memory.

    `follow` is told how many were asked.
    """
    rows = Subscriber.objects.exclude(email=None).order_by().values_list("pk", "email")
    for number, (pk, email) in enumerate(rows.iterator(chunk_size=CHUNK), start=1):
        if number % CHUNK == 0:
            follow(number)
        if address_hash(str(email)).startswith(beginning):
            return Subscriber.objects.filter(pk=pk).first()
    return None
