"""Finding a reader by what an operator has in hand."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from django.core.exceptions import ValidationError

from newsletter.models import Digest
from subscribers.addresses import address_hash, clean_address
from subscribers.models import Letter, Subscriber, Suppression

SUPPRESSIONS_SHOWN = 20
MATCHES_SHOWN = 5  # of each kind, where an id is cut off; 8 letters of it are shared by few
HASH = re.compile(r"[0-9a-f]{12,64}")
BEGINNING = re.compile(r"[0-9a-f]{8,31}")  # of the id of a digest or letter
NUMBER = re.compile(r"[0-9]{1,11}")  # of a reader; a longer one is a hash
SAY = "Type a whole address, a reader's number, the beginning of the id of a digest or letter, or that of a hash."
CHUNK = 5_000  # readers between two words of how far it is


@dataclass(frozen=True)
class Match:
    """A reader, and by what they were found; `is_whole` where that is no beginning of something longer."""

    reader: Subscriber
    by: str
    is_whole: bool = True


def found(sought: str) -> tuple[list[Match], list[Suppression]]:
    """The reader, several where they share the beginning of an id, or the suppressions of a hash.

    Raises ValidationError where there is nothing of it.
    """
    sought = sought.removesuffix("…")  # as lists cut off an id or a hash
    ends, is_number = uids_beginning(sought), NUMBER.fullmatch(sought)
    matches = [*(by_number(sought) if is_number else ()), *(by_uids(*ends) if ends else ())]
    if matches:
        return matches, []
    if is_hash := HASH.fullmatch(sought.lower()):
        rows = Suppression.objects.filter(address_hash__startswith=sought.lower())[:SUPPRESSIONS_SHOWN]
        if rows:
            return [], list(rows)
    if ends or is_hash:
        raise ValidationError("No reader, digest or letter has this number or id, and no suppression this hash.")
    if is_number:
        raise ValidationError("No reader has this number.")
    if "@" not in sought:
        raise ValidationError(SAY)
    return [Match(by_address(sought), "address")], []


def by_number(sought: str) -> Iterator[Match]:
    if reader := Subscriber.objects.filter(pk=int(sought)).first():
        yield Match(reader, f"Reader {reader.pk}")


def by_uids(first: UUID, last: UUID) -> Iterator[Match]:
    """Whose digest, letter or own id lies between these; each is read along its index."""
    ends, is_whole = (first, last), first == last
    digests = Digest.objects.filter(uid__range=ends).select_related("subscriber", "edition")
    for digest in digests.order_by("uid")[:MATCHES_SHOWN]:
        yield Match(digest.subscriber, f"Digest {digest.uid}, {digest.edition}", is_whole)
    letters = Letter.objects.filter(uid__range=ends).select_related("subscriber")
    for letter in letters.order_by("uid")[:MATCHES_SHOWN]:
        yield Match(letter.subscriber, f"Letter {letter.uid}, {letter.get_kind_display()}", is_whole)
    for reader in Subscriber.objects.filter(uid__range=ends).order_by("uid")[:MATCHES_SHOWN]:
        yield Match(reader, f"Reader {reader.uid}", is_whole)


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
