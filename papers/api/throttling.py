"""How often one client may ask: counted in Redis for all web workers together, let through where Redis is gone."""

import logging
import time
from ipaddress import ip_address, ip_network

import redis
from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from ninja.throttling import BaseThrottle

logger = logging.getLogger(__name__)

WINDOW = 60  # seconds
# One home or office: an address of IPv4, a network of IPv6.
PREFIX = {4: 32, 6: 56}


class NetworkThrottle(BaseThrottle):
    """At most settings.API_REQUESTS_PER_MINUTE from one network, within each minute of the clock.

    REMOTE_ADDR is the client's also behind proxies: newsletter/middleware/proxies.py.
    """

    def allow_request(self, request: HttpRequest) -> bool:
        """A limit is a courtesy to others: where it cannot be counted, nobody is turned away."""
        key = f"api:{network(request.META.get('REMOTE_ADDR', ''))}:{int(time.time()) // WINDOW}"
        try:
            cache.add(key, 0, timeout=2 * WINDOW)
            return cache.incr(key) <= settings.API_REQUESTS_PER_MINUTE
        except (redis.RedisError, ValueError):  # ValueError: the key went between the two
            logger.warning("the API's limit cannot be counted: Redis does not answer")
            return True

    def wait(self) -> float:
        """Seconds until the next minute begins."""
        return WINDOW - time.time() % WINDOW


def network(address: str) -> str:
    """The network that shares one limit; all whose address is unknown share one too."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network((found, PREFIX[found.version]), strict=False))
