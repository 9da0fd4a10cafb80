"""Counting for limits: in Redis for all web servers and workers together, in the database where Redis is gone.

Each place counts for itself: when Redis goes or comes back, a count may begin anew, which at most doubles a limit
once. It never stands open, and never turns an honest person away for want of a counter.
"""

from collections.abc import Sequence
from datetime import datetime

import redis
from django.conf import settings
from django.db import transaction
from django.utils.crypto import salted_hmac

from subscribers import shared
from subscribers.abuse.slots import NO_LIMIT, SLOTS, Limit, within
from subscribers.models import Tally

# Looks at all limits, then counts in all or in none. KEYS: one hash per limit, its fields being slots. ARGV: the cost
# and the number of slots, then for each limit its present slot, its most, and the milliseconds that it lives on.
# Returns the place of the first limit that is full, from 1; 0 where none is. The clock is the caller's.
TAKE = """
local cost, slots = tonumber(ARGV[1]), tonumber(ARGV[2])
for i, key in ipairs(KEYS) do
  local first, sum = tonumber(ARGV[3 * i]) - slots, 0
  local fields = redis.call('HGETALL', key)
  for f = 1, #fields, 2 do
    if tonumber(fields[f]) >= first then sum = sum + tonumber(fields[f + 1])
    else redis.call('HDEL', key, fields[f]) end
  end
  if sum + cost > tonumber(ARGV[3 * i + 1]) then return i end
end
for i, key in ipairs(KEYS) do
  redis.call('HINCRBY', key, ARGV[3 * i], cost)
  redis.call('PEXPIRE', key, ARGV[3 * i + 2])
end
return 0
"""


def take(limits: Sequence[Limit], at: datetime, cost: int = 1) -> Limit | None:
    """Count in all these limits, if each has room for `cost`; else in none. Returns the first that has no room."""
    try:
        place = shared.ask(lambda client: client.eval(TAKE, len(limits), *_words(limits, at, cost)))
    except redis.RedisError:
        return _take_from_database(limits, at, cost)
    return limits[int(place) - 1] if place else None


def note(limit: Limit, at: datetime, cost: int = 1) -> None:
    """Count something that has no limit."""
    take([Limit(limit.name, limit.key, NO_LIMIT, limit.window)], at, cost)


def seen(limit: Limit, at: datetime) -> int:
    """How much was counted within the window that ends now."""
    try:
        found = shared.ask(lambda client: client.hgetall(_key(limit)))
        slots = {str(slot): int(count) for slot, count in found.items()}
    except redis.RedisError:
        row = Tally.objects.filter(key=_key(limit)).first()
        slots = row.slots if row else {}
    return sum(within(slots, limit, at).values())


def hashed(text: str) -> str:
    """What may stand in a key for an address or a network: nobody can tell them from it without SECRET_KEY."""
    return salted_hmac("subscribers.abuse", text, algorithm="sha256").hexdigest()


def _words(limits: Sequence[Limit], at: datetime, cost: int) -> list[str | int]:
    words: list[str | int] = [*(_key(limit) for limit in limits), cost, SLOTS]
    for limit in limits:
        words += [limit.slot(at), limit.most, int((limit.ends(at) - at).total_seconds() * 1000)]
    return words


@transaction.atomic
def _take_from_database(limits: Sequence[Limit], at: datetime, cost: int) -> Limit | None:
    # In one order for everybody: two that wait for each other would wait for ever.
    for limit in sorted(limits, key=_key):
        Tally.objects.get_or_create(key=_key(limit), defaults={"until": limit.ends(at)})
    keys = [_key(limit) for limit in limits]
    rows = {row.key: row for row in Tally.objects.select_for_update().filter(key__in=keys).order_by("key")}
    for limit in limits:
        if sum(within(rows[_key(limit)].slots, limit, at).values()) + cost > limit.most:
            return limit
    for limit in limits:
        row, slot = rows[_key(limit)], str(limit.slot(at))
        row.slots = within(row.slots, limit, at)
        row.slots[slot] = row.slots.get(slot, 0) + cost
        row.until = limit.ends(at)
        row.save()
    return None


def _key(limit: Limit) -> str:
    return f"{settings.REDIS_PREFIX}:{limit.name}:{limit.key}"
