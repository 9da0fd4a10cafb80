"""How fast mail goes to a provider and to one recipient domain, for all workers together.

A token bucket for each, in Redis. Where the provider or a domain asks to slow down (429, 421), its rate is halved, and
grows back in equal steps: additive increase, multiplicative decrease, as TCP does it. Digests leave a part of every
bucket to letters, so that a confirmation never waits behind them. With Redis gone each worker process keeps to its own
share of the rate, and to the slow-downs it was told of itself.

    throttle.mails({domain: 20}, Lane.DIGESTS, at)      # how many of so many mails each domain takes, and when the rest
    throttle.calls(20, Lane.DIGESTS, at)                # how many of so many calls the provider takes now
    throttle.heed([(domain, outcome)], at)              # after answers

The clock is the caller's, and never runs backwards in a bucket.
"""

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

import redis
from django.conf import settings
from django.utils import timezone

from newsletter.delivery.wire.outcomes import Kind, Outcome
from subscribers import shared

RESERVED = 0.2  # of each bucket, for letters
RECOVERY = 600  # seconds in which a rate grows back by its whole limit
FIRST_CUT = 50.0  # a second, at most, once asked to slow down
SLOWEST = 0.2  # a second
CALM = 5  # seconds in which a rate is cut only once, however many workers are told to slow down
KEEP = 3600  # seconds that a bucket nobody asks for is remembered
MOST_DOMAINS = 5000  # that a process remembers by itself
UNLIMITED = 100_000.0  # a second

# What providers say that an account may do, in calls a second; those that say nothing are called as fast as we can.
PROVIDER_RATES = {
    # Our choice: out of the sandbox each account has its own (docs.aws.amazon.com/ses/latest/dg/quotas.html), and this
    # has long been the initial one.
    "amazon_ses": 14,
    "brevo": 1000,  # developers.brevo.com/docs/api-limits
    "mailersend": 2,  # developers.mailersend.com/general.html#rate-limits: 120 a minute
    "mailtrap": 15,  # docs.mailtrap.io/developers/rate-limits: 150 in ten seconds
    "resend": 2,  # resend.com/docs/api-reference/rate-limit
}

# KEYS: one hash a bucket. ARGV: the time, the queue that those who must wait stand in, if any, then for each bucket how
# many tokens are wanted, its limit, its size, and how much of it is not for this lane. Takes as many as there are of
# each; returns for each how many, the seconds until the next, and between two. An unlimited bucket that nobody has
# asked to slow down is not kept at all.
SHARE = """
local now, answer = tonumber(ARGV[1]), {}
for i, key in ipairs(KEYS) do
  local wanted, limit = tonumber(ARGV[4 * i - 1]), tonumber(ARGV[4 * i])
  local size, kept = tonumber(ARGV[4 * i + 1]), tonumber(ARGV[4 * i + 2])
  local was = redis.call('HMGET', key, 'tokens', 'at', 'rate', 'shut', ARGV[2])
  local given, wait, rate = wanted, 0, limit
  if was[2] or limit < UNLIMITED then
    local at, shut = tonumber(was[2]) or now, tonumber(was[4]) or 0
    local passed = math.max(0, now - at)
    rate = math.min(limit, (tonumber(was[3]) or limit) + passed * limit / RECOVERY)
    local tokens = math.min(size, (tonumber(was[1]) or size) + passed * rate)
    given = math.max(0, math.min(wanted, math.floor(tokens - kept + 1e-6)))
    if shut > now then given = 0 end
    tokens = tokens - given
    if given < wanted then
      local first = math.max(now + (1 + kept - tokens) / rate, shut)
      if ARGV[2] ~= '' then
        first = math.max(first, tonumber(was[5]) or 0)
        redis.call('HSET', key, ARGV[2], string.format('%.6f', first + (wanted - given) / rate))
      end
      wait = first - now
    end
    redis.call('HSET', key, 'tokens', string.format('%.6f', tokens), 'at', string.format('%.6f', math.max(at, now)),
      'rate', string.format('%.6f', rate))
    redis.call('EXPIRE', key, KEEP)
  end
  answer[i] = {given, string.format('%.6f', wait), string.format('%.6f', 1 / rate)}
end
return answer
"""
for _name, _value in {"RECOVERY": RECOVERY, "KEEP": KEEP, "UNLIMITED": UNLIMITED}.items():
    SHARE = SHARE.replace(_name, str(_value))

# KEYS: the bucket. ARGV: the time, its limit, the seconds for which nothing more is taken.
SLOW_DOWN = """
local now, limit = tonumber(ARGV[1]), tonumber(ARGV[2])
local was = redis.call('HMGET', KEYS[1], 'rate', 'cut', 'shut')
if now - (tonumber(was[2]) or -1e9) >= CALM then
  local rate = math.max(SLOWEST, math.min((tonumber(was[1]) or limit) / 2, FIRST_CUT))
  redis.call('HSET', KEYS[1], 'rate', string.format('%.6f', rate), 'cut', string.format('%.6f', now), 'tokens', '0')
end
redis.call('HSETNX', KEYS[1], 'at', string.format('%.6f', now))
local shut = math.max(tonumber(was[3]) or 0, now + tonumber(ARGV[3]))
redis.call('HSET', KEYS[1], 'shut', string.format('%.6f', shut))
redis.call('EXPIRE', KEYS[1], KEEP)
"""
for _name, _value in {"CALM": CALM, "SLOWEST": SLOWEST, "FIRST_CUT": FIRST_CUT, "KEEP": KEEP}.items():
    SLOW_DOWN = SLOW_DOWN.replace(_name, str(_value))


class Lane(Enum):
    LETTERS = "letters"
    DIGESTS = "digests"


@dataclass(frozen=True)
class Limit:
    """What one bucket may give: so many a second, and a second's worth at once."""

    name: str
    rate: float

    @property
    def size(self) -> float:
        return max(self.rate, 1 / (1 - RESERVED))  # a digest too must fit in

    def kept(self, lane: Lane) -> float:
        return self.size * RESERVED if lane is Lane.DIGESTS else 0


@dataclass(frozen=True)
class Share:
    """How many of those that were asked for may go now; the next after `wait`, and each further one `apart`."""

    given: int
    wait: timedelta
    apart: timedelta


@dataclass
class Bucket:
    """The same in this process alone, for when Redis is gone."""

    tokens: float
    at: float
    rate: float
    cut: float = float("-inf")
    shut: float = 0
    queues: dict[str, float] = field(default_factory=dict)  # when the next who comes has a turn

    def pour(self, limit: Limit, now: float) -> None:
        passed = max(0.0, now - self.at)
        self.rate = min(limit.rate, self.rate + passed * limit.rate / RECOVERY)
        self.tokens = min(limit.size, self.tokens + passed * self.rate)
        self.at = max(self.at, now)

    def share(self, wanted: int, kept: float, queue: str) -> Share:
        given = 0 if self.shut > self.at else max(0, min(wanted, math.floor(self.tokens - kept + 1e-6)))
        self.tokens -= given
        first = self.at
        if given < wanted:
            first = max(self.at + (1 + kept - self.tokens) / self.rate, self.shut, self.queues.get(queue, 0))
            if queue:
                self.queues[queue] = first + (wanted - given) / self.rate
        return Share(given, timedelta(seconds=first - self.at), timedelta(seconds=1 / self.rate))

    def slow_down(self, now: float, seconds: float) -> None:
        if now - self.cut >= CALM:
            self.rate, self.cut, self.tokens = max(SLOWEST, min(self.rate / 2, FIRST_CUT)), now, 0
        self.shut = max(self.shut, now + seconds)


_own: OrderedDict[str, Bucket] = OrderedDict()


def digests_per_second() -> float | None:
    """How many digests the provider takes when nothing slows them down; None where no limit is known."""
    rate = _of_provider().rate
    return None if rate == UNLIMITED else rate * (1 - RESERVED)


def calls(count: int, lane: Lane, at: datetime) -> Share:
    """Take the right to call the provider, up to so many times."""
    [share] = _share_out([(_of_provider(), count)], lane, at)
    return share


def wait_for_call(lane: Lane, until: float, sleep: Callable[[float], object]) -> timedelta:
    """Take the right to one call, and wait for it up to then (monotonic). Returns the wait that remains; zero where the
    call may be made.
    """
    while not (share := calls(1, lane, timezone.now())).given:
        seconds = share.wait.total_seconds()
        if time.monotonic() + seconds > until:
            return share.wait
        sleep(seconds)
    return timedelta(0)


def mails(counts: Mapping[str, int], lane: Lane, at: datetime) -> dict[str, Share]:
    """Take the right to send mails to each of these domains, up to so many. The rest have their turns in the lane's
    queue, so that those that come back at the time they were given need to come back only once. One call to Redis,
    however many domains.
    """
    limits = [(_of_domain(domain), count) for domain, count in counts.items()]
    return dict(zip(counts, _share_out(limits, lane, at, f"queue of {lane.value}"), strict=True))


def heed(answers: Iterable[tuple[str, Outcome]], at: datetime) -> bool:
    """Slow down where answers about mails to these domains ask for it: the whole provider, or the mail to one domain.

    Returns whether it was the provider.
    """
    asked: dict[Limit, float] = {}
    for domain, outcome in answers:
        if outcome.kind is Kind.LATER:
            limit = _of_domain(domain) if _is_about_domain(outcome) else _of_provider()
            # A time that nobody named is no reason to stand still.
            seconds = outcome.retry_after.total_seconds() if outcome.retry_after else 0
            asked[limit] = max(asked.get(limit, 0), seconds)
    for limit, seconds in asked.items():
        slow_down(limit, at, seconds)
    return _of_provider() in asked


def _is_about_domain(outcome: Outcome) -> bool:
    """A relay's 4xx to one recipient, other than 421, is about the recipient's domain; all else is about us."""
    return outcome.reason[:1] == "4" and outcome.reason[:3].isdigit() and outcome.reason[:3] != "421"


def slow_down(limit: Limit, at: datetime, seconds: float = 0) -> None:
    """Halve a rate, and let nothing at all be taken for so many seconds."""
    now = at.timestamp()
    _bucket(_share(limit), now).slow_down(now, seconds)  # remembered here too: Redis may go
    try:
        shared.ask(lambda client: client.eval(SLOW_DOWN, 1, _key(limit), now, limit.rate, seconds))
    except redis.RedisError:
        return


def _share_out(wanted: Sequence[tuple[Limit, int]], lane: Lane, at: datetime, queue: str = "") -> list[Share]:
    words: list[str | float] = [at.timestamp(), queue]
    for limit, count in wanted:
        words += [count, limit.rate, limit.size, limit.kept(lane)]
    keys = [_key(limit) for limit, _ in wanted]
    try:
        found = shared.ask(lambda client: client.eval(SHARE, len(keys), *keys, *words))
    except redis.RedisError:
        return [_share_alone(limit, lane, at.timestamp(), count, queue) for limit, count in wanted]
    return [
        Share(int(given), timedelta(seconds=float(wait)), timedelta(seconds=float(apart)))
        for given, wait, apart in found
    ]


def _share_alone(limit: Limit, lane: Lane, now: float, count: int, queue: str) -> Share:
    if limit.rate >= UNLIMITED and _key(limit) not in _own:
        return Share(count, timedelta(0), timedelta(0))
    mine = _share(limit)
    bucket = _bucket(mine, now)
    bucket.pour(mine, now)
    return bucket.share(count, mine.kept(lane), queue)


def _bucket(limit: Limit, now: float) -> Bucket:
    key = _key(limit)
    if key not in _own:
        _own[key] = Bucket(limit.size, now, limit.rate)
        if len(_own) > MOST_DOMAINS:
            _own.popitem(last=False)
    _own.move_to_end(key)
    return _own[key]


def _share(limit: Limit) -> Limit:
    """What one worker process may take by itself, so that all together stay below the limit."""
    return Limit(limit.name, limit.rate / settings.WORKER_PROCESSES)


def _of_provider() -> Limit:
    name = settings.EMAIL_BACKEND.removeprefix("anymail.backends.").partition(".")[0]
    rate = settings.SEND_PER_SECOND if settings.SEND_PER_SECOND is not None else PROVIDER_RATES.get(name, 0)
    return Limit(f"provider:{name}", rate or UNLIMITED)


def _of_domain(domain: str) -> Limit:
    rates = settings.DOMAINS_PER_SECOND
    return Limit(f"domain:{domain}", float(rates.get(domain, rates.get("*", 0))) or UNLIMITED)


def _key(limit: Limit) -> str:
    return f"{settings.REDIS_PREFIX}:throttle:{limit.name}"
