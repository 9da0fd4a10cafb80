"""Whose request it is, where our own proxies stand before the site."""

import re
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

# Some proxies write the port too: 192.0.2.7:49152, [2001:db8::7]:49152 (RFC 7239, section 6, writes it so).
WITH_PORT = re.compile(r"\[(?P<v6>[^\]]*)\](:\d*)?|(?P<v4>[^:]*):\d*")


def real_address(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware that puts the client's address in REMOTE_ADDR, once and for everybody.

    It is the address that the outermost of our PROXY_HOPS proxies saw. Each proxy adds one entry at the right of
    X-Forwarded-For; what stands further left, the client may have written itself. Empty where fewer entries came
    than there are proxies: such a request went around them.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if hops := settings.PROXY_HOPS:
            entries = request.headers.get("X-Forwarded-For", "").split(",")
            request.META["REMOTE_ADDR"] = without_port(entries[-hops].strip()) if len(entries) >= hops else ""
        return get_response(request)

    return middleware


def without_port(entry: str) -> str:
    """The address of an entry in X-Forwarded-For."""
    found = WITH_PORT.fullmatch(entry)
    return found["v6"] or found["v4"] or "" if found else entry
