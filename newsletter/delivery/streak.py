"""Whether it is us whom the provider refuses, and not one address after the other.

A relay that is closed to us refuses each message as it does one whose reader does not exist. Only a row tells: so many
refusals, to several domains, and nothing taken in between. A run at a slow pace has few of them, so the row goes on
over the runs of all workers, in Redis; with Redis gone, over those of each process.

    streak = Streak()               # of one run
    streak.hear(outcome, domain)    # after each answer
    streak.tell(at)                 # at its end, when it holds no mail any more

One worker may be refused all that it has, such as a bad import, while another's mail is taken. That stops nothing:

- A run whose mail was taken ends the row, and leaves when; one that was refused since before then adds nothing.
- A run that still has mail in hand may have had some taken. A long row waits for it: the last one to end clears the row
  or pulls the brake. But it waits no longer than a lease, within which a run that works has ended.
"""

import hashlib
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

REFUSALS, DOMAINS = 20, 3  # so many, by so many domains: it is not the readers' addresses
KEEP = timedelta(days=1)  # after its last refusal a row is forgotten

# KEYS: a row, and when mail was taken. ARGV: since when a run was refused, then domains, each with its count. Adds to
# the row, unless mail was taken meanwhile; returns it.
ADD = """
if (tonumber(redis.call('GET', KEYS[2])) or 0) > tonumber(ARGV[1]) then return {} end
redis.call('HSETNX', KEYS[1], 'since', ARGV[1])
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], KEEP)
return redis.call('HGETALL', KEYS[1])
""".replace("KEEP", str(KEEP // timedelta(seconds=1)))


@dataclass
class Row:
    """Refusals in a row: since when, and how many by domain."""

    since: float
    counts: Counter[str] = field(default_factory=Counter)

    @property
    def is_long(self) -> bool:
        """Too long for chance."""
        return self.counts.total() >= REFUSALS and len(self.counts) >= DOMAINS


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

    def hear(self, outcome: Outcome, domain: str) -> None:
        if outcome.kind is Kind.REFUSED:
            self._row = self._row or Row(timezone.now().timestamp())
            self._row.counts[domain] += 1
            self._reason = outcome.reason
        else:
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
                _forget()  # who releases the brake has looked


def is_in_hand(at: datetime) -> bool:
    """Whether a worker holds mail."""
    return Digest.objects.filter(status__in=Digest.Status.held(), lease_until__gt=at).exists()


@dataclass
class Own:
    """The same in this process alone, for when Redis is gone."""

    taken: float = 0
    row: Row | None = None

    def add(self, row: Row) -> Row:
        if self.taken > row.since:
            return Row(row.since)
        if self.row is None or row.since - self.row.since > KEEP.total_seconds():
            self.row = Row(row.since)
        self.row.counts += row.counts
        return self.row


_own: defaultdict[str, Own] = defaultdict(Own)


def _add(row: Row) -> Row:
    """The whole row with this one in it; an empty one where mail was taken since this one began."""
    key = _key()
    words: list[str | float] = [row.since]
    for domain, count in row.counts.items():
        words += [domain, count]
    try:
        found = shared.ask(lambda client: client.eval(ADD, 2, key, f"{key}:taken", *words))
    except redis.RedisError:
        return _own[key].add(row)
    _own[key].row = None
    counts = dict(zip(found[::2], map(float, found[1::2]), strict=True))
    since = counts.pop("since", row.since)
    return Row(since, Counter({domain: int(count) for domain, count in counts.items()}))


def _end(at: datetime) -> None:
    """Mail was taken. One round trip for a run that works; one without mail makes none."""
    key = _key()
    _own[key] = Own(at.timestamp())

    def tell(client: redis.Redis) -> None:
        # First when, so that no older row comes in between; and no transaction, so that the row ends also where Redis
        # has no room for more.
        both = client.pipeline(transaction=False)
        both.set(f"{key}:taken", at.timestamp(), ex=KEEP)
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
