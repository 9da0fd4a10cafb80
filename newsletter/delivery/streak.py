"""Whether it is us whom the provider refuses, and not one address after the other.

A relay that is closed to us refuses each message as it does one whose reader does not exist. Only a row tells: so many
refusals, of several domains, and nothing taken since the first of them. A run at a slow pace has few, so the row goes
on over the runs of all workers, in Redis; with Redis gone, over those of each process.

    streak = Streak()               # of one run
    streak.hear(outcome, domain)    # after each answer
    streak.tell(at)                 # at its end

- Nothing but mail that was taken ends the row, and whoever has mail taken says so, once a second at most.
- One worker may be refused all that it has while others wait for their answers. So a row stops all mail only once it
  has been too long for as long as an answer is waited for.
- A reader who never got a mail of ours may have no address that is one, as those of a bad import: where others had
  mail, it takes ten times as many of these.
- Letters do not count, because strangers can have them sent to any address. But they are remembered: what the row
  refused surely was not sent. Once it has stopped all mail, or nothing was taken for a while, they are owed again.
"""

import hashlib
import logging
import time
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import inf

import redis
from django.conf import settings
from django.utils import timezone

from newsletter.delivery import keys
from newsletter.delivery.outcomes import Kind, Outcome
from newsletter.delivery.stopping import halt
from newsletter.models import Brake
from subscribers import shared
from subscribers.models import Letter
from subscribers.models.letters import MAX_ATTEMPTS

log = logging.getLogger(__name__)

REFUSALS, NEWCOMERS, DOMAINS = 20, 200, 3  # so many, of so many domains: it is not the readers' addresses
KEEP = timedelta(days=1)  # after its last refusal a row is forgotten
SAYING = 1.0  # seconds between two times that a run says that its mail is taken
OWED_AGAIN = "the provider refused whatever we sent"
READER, NEWCOMER, LETTER = "reader ", "newcomer ", "letter "  # before a domain, or a letter's key, in a row

# KEYS: a row. ARGV: now, then what to add to it, each with its count. Returns the row, which begins now at the latest:
# a worker's clock may be ahead.
ADD = """
local since = redis.call('HGET', KEYS[1], 'since') or ARGV[1]
redis.call('HSET', KEYS[1], 'since', math.min(since, ARGV[1]))
for i = 2, #ARGV, 2 do redis.call('HINCRBY', KEYS[1], ARGV[i], ARGV[i + 1]) end
redis.call('EXPIRE', KEYS[1], KEEP)
return redis.call('HGETALL', KEYS[1])
""".replace("KEEP", str(KEEP // timedelta(seconds=1)))
# The same of when it became too long; it may have ended meanwhile.
MARK = """
if redis.call('EXISTS', KEYS[1]) == 0 then return ARGV[1] end
local since = redis.call('HGET', KEYS[1], 'long_since') or ARGV[1]
redis.call('HSET', KEYS[1], 'long_since', math.min(since, ARGV[1]))
return redis.call('HGET', KEYS[1], 'long_since')
"""
READ = "return redis.call('HGETALL', KEYS[1])"
TAKE = "local row = redis.call('HGETALL', KEYS[1]) redis.call('DEL', KEYS[1]) return row"


@dataclass
class Row:
    """Refusals in a row: since when, in seconds of the clock, how many of which domain, and which letters."""

    since: float
    counts: Counter[str] = field(default_factory=Counter)
    long_since: float = inf

    @property
    def is_long(self) -> bool:
        """Too long for chance."""
        # First what is asked after each mail that goes well.
        return bool(self.counts) and (self._has(REFUSALS, READER) or self._has(NEWCOMERS, READER, NEWCOMER))

    def _has(self, most: int, *whose: str) -> bool:
        refused = {name: count for name, count in self.counts.items() if name.startswith(whose)}
        return sum(refused.values()) >= most and len({name.partition(" ")[2] for name in refused}) >= DOMAINS

    def owe_letters(self, at: datetime, attempts: int = MAX_ATTEMPTS) -> None:
        """Owe its letters again, but for those that were tried more often."""
        pks = [int(name.removeprefix(LETTER)) for name in self.counts if name.startswith(LETTER)]
        if owed := Letter.objects.filter(pk__in=pks, attempts__lte=attempts).owe_again(OWED_AGAIN, at):
            log.info("%d letters are owed again", owed)


class Streak:
    """What one run hears."""

    def __init__(self) -> None:
        self.works = False  # the provider has taken a message
        self._own = Row(0)
        self._untold: Counter[str] = Counter()  # of these, what is not in everybody's row
        self._reason = ""  # of the last refusal
        self._is_said, self._said_at = True, 0.0  # that mail was taken
        self._has_stopped = False

    @property
    def is_long(self) -> bool:
        """Whether to ask no further."""
        return self._has_stopped or self._own.is_long

    def hear(self, outcome: Outcome, domain: str, *, letter: Letter | None = None, is_newcomer: bool = False) -> None:
        if outcome.kind is Kind.ACCEPTED:
            self.works, self._is_said = True, False
            if self._own.counts:
                self._own, self._untold = Row(0), Counter()
            if time.monotonic() - self._said_at > SAYING:
                self._say(timezone.now())
        elif outcome.kind is Kind.REFUSED:
            is_first = not (self.works or self._own.counts)
            name = f"{LETTER}{letter.pk}" if letter else f"{NEWCOMER if is_newcomer else READER}{domain}"
            self._own.counts[name] += 1
            self._untold[name] += 1
            self._reason = outcome.reason
            if is_first or self._untold.total() >= REFUSALS:  # it may be the last that was missing
                self.tell(timezone.now())

    def tell(self, at: datetime) -> None:
        """Let it count for all. Stops all mail where the row is too long."""
        if not self._is_said:
            self._say(at)
        if not self._untold:
            return
        if Brake.objects.engaged().exists():  # its row was too long a moment ago
            Row(0, self._untold).owe_letters(at)
            self._untold = Counter()
            return
        row, self._untold = _add(self._untold, at), Counter()
        if row.is_long and is_over(_mark_long(at), at):
            self._has_stopped = True
            row.owe_letters(at)  # first: who is killed here finds the row as long as it was
            halt(Outcome(Kind.HALT, f"the provider refuses whatever we send: {self._reason}"))
            _take(at).owe_letters(at)  # what others have added meanwhile

    def _say(self, at: datetime) -> None:
        """Mail was taken."""
        self._is_said, self._said_at = True, time.monotonic()
        row = _read(at)
        if is_over(row.since, at):  # for a while nothing was taken: once more, and only once, whatever it was
            row.owe_letters(at, attempts=1)
            _take(at).owe_letters(at, attempts=1)
        else:
            _take(at)


def is_over(since: float, at: datetime) -> bool:
    """Whether what was under way then has its answer: whose mail was taken has said so."""
    return at.timestamp() - since >= settings.EMAIL_TIMEOUT


_alone: dict[str, Row] = {}  # the rows of this process, for when Redis is gone


def _add(news: Counter[str], at: datetime) -> Row:
    """Everybody's row, with this in it."""
    key, now, words = _key(), at.timestamp(), [word for pair in news.items() for word in pair]
    try:
        return _row(shared.ask(lambda client: client.eval(ADD, 1, key, now, *words)), at)
    except redis.RedisError:
        row = _alone.get(key, Row(now))
        if now - row.since > KEEP.total_seconds():
            row = Row(now)
        _alone[key] = Row(min(row.since, now), row.counts + news, row.long_since)
        return _alone[key]


def _mark_long(at: datetime) -> float:
    """Since when the row is too long; from now on, if it was not."""
    key, now = _key(), at.timestamp()
    try:
        return float(shared.ask(lambda client: client.eval(MARK, 1, key, now)))
    except redis.RedisError:
        row = _alone.setdefault(key, Row(now))
        row.long_since = min(row.long_since, now)
        return row.long_since


def _read(at: datetime) -> Row:
    return _found(READ, at) or _alone.get(_key(), Row(at.timestamp()))


def _take(at: datetime) -> Row:
    """The row, which ends."""
    alone = _alone.pop(_key(), Row(at.timestamp()))
    return _found(TAKE, at) or alone


def _found(how: str, at: datetime) -> Row | None:
    """Everybody's row, by a script; None where Redis is gone."""
    try:
        return _row(shared.ask(lambda client: client.eval(how, 1, _key())), at)
    except redis.RedisError:
        return None


def _row(words: list[str], at: datetime) -> Row:
    counts = dict(zip(words[::2], words[1::2], strict=True))
    since, long_since = counts.pop("since", at.timestamp()), counts.pop("long_since", inf)
    return Row(float(since), Counter({name: int(count) for name, count in counts.items()}), float(long_since))


def _key() -> str:
    """Each account has its own: another relay takes what this one refuses."""
    account = f"{keys.account()} {settings.EMAIL_HOST} {settings.EMAIL_HOST_USER}"
    return f"{settings.REDIS_PREFIX}:refused:{hashlib.sha256(account.encode()).hexdigest()[:16]}"
