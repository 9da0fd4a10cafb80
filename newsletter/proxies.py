"""Whose request it is, where our own proxies stand before the site."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase


def real_address(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware that puts the client's address in REMOTE_ADDR, once and for everybody.

    It is the address that the outermost of our PROXY_HOPS proxies saw. Each proxy adds one entry at the right of
    X-Forwarded-For; what stands further left, the client may have written itself. Empty where fewer entries came
    than there are proxies: such a request went around them.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if hops := settings.PROXY_HOPS:
            entries = request.headers.get("X-Forwarded-For", "").split(",")
            request.META["REMOTE_ADDR"] = entries[-hops].strip() if len(entries) >= hops else ""
        return get_response(request)

    return middleware
