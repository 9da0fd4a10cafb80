"""One request at a time, and none too soon after another, over all workers of all machines.

The turn is one key in Redis: it is taken for a request, kept while that lasts, and expires the pace after its
end. A worker that dies with the turn loses it when its time is up. Without Redis nobody can know who else is
asking, so nobody asks: a paper may come a little later, but a source that bans us brings no more papers at all.
"""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from time import monotonic, sleep

import redis
from django.conf import settings

from papers.sources.shapes import SourceError

_LOOK_AGAIN = 0.25  # seconds, at most
_REDIS_SECONDS = 2
_MARGIN = 10  # seconds a turn outlasts the longest request
# Only the holder of a turn may say when it ends; two workers never talk across each other.
_END = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('pexpire', KEYS[1], ARGV[2]) end return 0"


class NoTurnError(SourceError):
    """The source is being asked by others, or Redis is gone; nothing was sent."""


@dataclass(frozen=True)
class Pace:
    """`name` is whom we are polite to; FETCH_EVERY says how many seconds pass from one request's end to the next."""

    name: str

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for the turn, FETCH_PATIENCE at most, and hold it. Raises NoTurnError."""
        token = secrets.token_hex(8)
        with self._redis() as client:
            self._take(client, token)
            try:
                yield
            finally:
                # With Redis gone meanwhile the turn ends by its own time.
                with suppress(redis.RedisError):
                    client.eval(_END, 1, self._key, token, str(max(int(settings.FETCH_EVERY[self.name] * 1000), 1)))

    def hold(self, seconds: float) -> None:
        """Let nobody ask for `seconds`: the source said so."""
        with self._redis() as client:
            client.set(self._key, "held", px=max(int(seconds * 1000), 1))

    @property
    def _key(self) -> str:
        return f"papers:pace:{self.name}"

    def _take(self, client: "redis.Redis", token: str) -> None:
        deadline = monotonic() + settings.FETCH_PATIENCE
        longest = int((settings.FETCH_SECONDS + _MARGIN) * 1000)
        while not client.set(self._key, token, nx=True, px=longest):
            left = client.pttl(self._key) / 1000
            if monotonic() + min(max(left, 0), _LOOK_AGAIN) > deadline:
                raise NoTurnError(f"{self.name} was busy for {settings.FETCH_PATIENCE} seconds.")
            sleep(min(max(left, 0.005), _LOOK_AGAIN))

    @contextmanager
    def _redis(self) -> Iterator["redis.Redis"]:
        timeouts = {"socket_timeout": _REDIS_SECONDS, "socket_connect_timeout": _REDIS_SECONDS}
        client = redis.from_url(settings.REDIS_URL, **timeouts)
        try:
            yield client
        except redis.RedisError as error:
            raise NoTurnError("Redis does not answer, so it cannot be known whether it is our turn to ask.") from error
        finally:
            client.close()
