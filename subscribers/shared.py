"""What our programs remember together, in Redis: asked with little patience, and not again right after silence."""

import logging
from collections.abc import Callable
from contextlib import suppress
from functools import cache
from time import monotonic
from typing import TypeVar

import redis
from django.conf import settings

Answer = TypeVar("Answer")
logger = logging.getLogger(__name__)

PATIENCE = 1  # seconds for Redis to answer
FORGIVING = 5  # seconds in which it is not asked again after it did not

_silent_until: dict[str, float] = {}


def ask(question: Callable[["redis.Redis"], Answer]) -> Answer:
    """What Redis says. Raises redis.RedisError, at once where it did not answer a moment ago."""
    url = settings.REDIS_URL
    if _silent_until.get(url, 0) > monotonic():
        raise redis.ConnectionError("Redis did not answer a moment ago.")
    try:
        return question(_client(url))
    except redis.RedisError as error:
        _silent_until[url] = monotonic() + FORGIVING
        logger.warning("Redis does not answer, every program counts for itself: %s", type(error).__name__)
        raise


def mark(name: str, seconds: int) -> bool:
    """Set a mark for so many seconds; False where somebody else has. With Redis gone everybody may."""
    try:
        return bool(ask(lambda client: client.set(f"{settings.REDIS_PREFIX}:{name}", 1, nx=True, ex=seconds)))
    except redis.RedisError:
        return True


def unmark(name: str) -> None:
    with suppress(redis.RedisError):
        ask(lambda client: client.delete(f"{settings.REDIS_PREFIX}:{name}"))


@cache
def _client(url: str) -> redis.Redis:
    return redis.from_url(url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, decode_responses=True)
