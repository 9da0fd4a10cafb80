"""Whether it is us whom the provider refuses, and not one address after the other.

A relay that is closed to us refuses each message as it does one whose reader does not exist. Only a row tells: so many
refusals, to several domains, and nothing taken in between. A run at a slow pace has few of them, so the row goes on
over the runs of all workers, of digests and letters, in Redis; with Redis gone, over those of each process.

    streak = Streak()                       # of one run
    streak.hear(outcome, domain, letter)    # after each answer; a digest's without a letter
    streak.tell(at)                         # at its end, when it holds no mail any more

One worker may be refused all that it has, such as a bad import, while another's mail is taken. That stops nothing:

- A run whose mail was taken ends the row, and leaves when; one that was refused since before then adds nothing.
- A run that still has mail in hand may have had some taken. A long row waits for it: the last one to end clears the row
  or pulls the brake. But it waits no longer than a lease, within which a run that works has ended.

Nor may strangers stop it, who can have a letter go to any address that is refused: where mail was taken of late, only
refusals of addresses that had agreed to our mail count. Their letters are remembered all the same. What the row refused
surely was not sent, and once it has stopped all mail, its letters are owed again.
"""

import hashlib
import logging
from collections import Counter, defaultdict
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import redis
from django.conf import settings
from django.utils import timezone

from newsletter.delivery import keys
from newsletter.delivery.outcomes import Kind, Outcome
from newsletter.delivery.stopping import halt
from newsletter.models import Digest
from subscribers import shared
from subscribers.models import Letter

log = logging.getLogger(__name__)

REFUSALS, DOMAINS = 20, 3  # so many, by so many domains: it is not the readers' addresses
KEEP = timedelta(days=1)  # after its last refusal a row is forgotten
OF_LATE = timedelta(days=40)  # within which something is taken where all goes well, were it monthly digests
OWED_AGAIN = "the provider refused whatever we sent"
READER, STRANGER, LETTER = "reader ", "stranger ", "letter "  # before a domain, or a letter's key, in a row
UNPROVEN = [*Letter.Kind.asking(), Letter.Kind.MOVE_TO]  # go to whatever address somebody has typed

# KEYS: a row, and when mail was taken. ARGV: since when a run was refused, then fields, each with its count. Adds to
# the row, unless mail was taken meanwhile; returns when that was, and the row.
ADD = """
local taken = redis.call('GET', KEYS[2]) or '0'
if tonumber(taken) > tonumber(ARGV[1]) then return {taken, {}} end
redis.call('HSETNX', KEYS[1], 'since', ARGV[1])
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], KEEP)
return {taken, redis.call('HGETALL', KEYS[1])}
""".replace("KEEP", str(KEEP // timedelta(seconds=1)))


@dataclass
class Row:
    """Refusals in a row: since when, of whom, by domain, and which letters."""

    since: float
    counts: Counter[str] = field(default_factory=Counter)
    was_taken: bool = False  # mail, of late

    @property
    def is_long(self) -> bool:
        """Too long for chance."""
        whose = (READER,) if self.was_taken else (READER, STRANGER)
        counted = {name: count for name, count in self.counts.items() if name.startswith(whose)}
        return sum(counted.values()) >= REFUSALS and len({name.partition(" ")[2] for name in counted}) >= DOMAINS

    @property
    def letters(self) -> list[int]:
        return [int(name.removeprefix(LETTER)) for name in self.counts if name.startswith(LETTER)]


class Streak:
    """What one run hears. Its own row ends with any other answer, everybody's only with mail that was taken."""

    def __init__(self) -> None:
        self.works = False  # the provider has taken a message
        self._row: Row | None = None
        self._reason = ""  # of the last refusal

    @property
    def is_long(self) -> bool:
        """Whether to ask no further, by what this run has heard alone."""
        return not self.works and self._row is not None and self._row.is_long

    def hear(self, outcome: Outcome, domain: str, letter: Letter | None = None) -> None:
        if outcome.kind is Kind.REFUSED:
            self._row = self._row or Row(timezone.now().timestamp())
            if letter:
                self._row.counts[f"{LETTER}{letter.pk}"] = 1
            if letter is None or letter.reason != OWED_AGAIN:  # that it was refused before is no news
                whose = STRANGER if letter and letter.kind in UNPROVEN else READER
                self._row.counts[f"{whose}{domain}"] += 1
            self._reason = outcome.reason
        elif outcome.kind is not Kind.WAITS:
            self.works |= outcome.kind is Kind.ACCEPTED
            if not self.is_long:  # else only mail that is taken speaks against it
                self._row = None

    def tell(self, at: datetime) -> None:
        """Let it count for all. Stops all mail where the row has become too long."""
        if self.works:
            _end(at)
        elif self._row:
            row = _add(self._row)
            if row.is_long and not (at.timestamp() - row.since < settings.LEASE.total_seconds() and is_in_hand(at)):
                halt(Outcome(Kind.HALT, f"the provider refuses whatever we send: {self._reason}"))
                owed = Letter.objects.filter(pk__in=row.letters).owe_again(OWED_AGAIN, at)
                log.info("%d letters are owed again", owed)
                _forget()  # who releases the brake has looked


def is_in_hand(at: datetime) -> bool:
    """Whether a worker holds mail."""
    digests = Digest.objects.filter(status__in=Digest.Status.held(), lease_until__gt=at)
    return digests.exists() or Letter.objects.filter(status=Letter.Status.SENDING, not_before__gt=at).exists()


@dataclass
class Own:
    """The same in this process alone, for when Redis is gone."""

    taken: float = 0
    row: Row | None = None

    def add(self, row: Row) -> Row:
        if self.taken > row.since:
            return Row(row.since)
        if self.row is None or row.since - self.row.since > KEEP.total_seconds():
            self.row = Row(row.since, was_taken=self.taken > 0)
        self.row.counts += row.counts
        return self.row


_own: defaultdict[str, Own] = defaultdict(Own)


def _add(row: Row) -> Row:
    """The whole row with this one in it; an empty one where mail was taken since this one began."""
    key = _key()
    words: list[str | float] = [row.since]
    for name, count in row.counts.items():
        words += [name, count]
    try:
        taken, found = shared.ask(lambda client: client.eval(ADD, 2, key, f"{key}:taken", *words))
    except redis.RedisError:
        return _own[key].add(row)
    _own[key].row = None
    counts = dict(zip(found[::2], found[1::2], strict=True))
    since = float(counts.pop("since", row.since))
    return Row(since, Counter({name: int(count) for name, count in counts.items()}), was_taken=float(taken) > 0)


def _end(at: datetime) -> None:
    """Mail was taken. One round trip for a run that works; one without mail makes none."""
    key = _key()
    _own[key] = Own(at.timestamp())

    def tell(client: redis.Redis) -> None:
        # First when, so that no older row comes in between; and no transaction, so that the row ends also where Redis
        # has no room for more.
        both = client.pipeline(transaction=False)
        both.set(f"{key}:taken", at.timestamp(), ex=OF_LATE)
        both.delete(key)
        both.execute()

    with suppress(redis.RedisError):
        shared.ask(tell)


def _forget() -> None:
    key = _key()
    _own[key].row = None
    with suppress(redis.RedisError):
        shared.ask(lambda client: client.delete(key))


def _key() -> str:
    """Each account has its own: another relay takes what this one refuses."""
    account = f"{keys.account()} {settings.EMAIL_HOST} {settings.EMAIL_HOST_USER}"
    return f"{settings.REDIS_PREFIX}:refused:{hashlib.sha256(account.encode()).hexdigest()[:16]}"
