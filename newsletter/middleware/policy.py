"""What a page of ours may load, where it may post, and who may frame it (https://www.w3.org/TR/CSP3/)."""

from collections.abc import Callable

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "Content-Security-Policy"
RULES = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "style-src": "'self' 'unsafe-inline'",  # of error pages, of mails shown on a page, and of the proof of work
    "worker-src": "'self' blob:",  # the proof of work
    "object-src": "'none'",
    "base-uri": "'none'",
}
ITS_OWN = "/admin/"  # its theme evaluates expressions in attributes, which no policy worth the name lets it
FRAMED_BY = {"SAMEORIGIN": "'self'", "DENY": "'none'"}


def content_policy(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware that gives every page but the admin's the policy; a view with a stricter one keeps it.

    Who may frame a page is what its X-Frame-Options says, which older browsers read.
    """

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if not request.path_info.startswith(ITS_OWN) and HEADER not in response:
            framed = {"frame-ancestors": FRAMED_BY.get(response.get("X-Frame-Options", ""), "'none'")}
            response[HEADER] = "; ".join(f"{name} {places}" for name, places in (RULES | framed).items())
        return response

    return middleware
