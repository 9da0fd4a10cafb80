"""Where crawlers have nothing to look for."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from papers.views.caching import public_page

# Behind most of these is a link of one reader's; the rest are without end, or for programs.
CLOSED = (
    "admin",
    "inbox",
    "sample",
    "digests",
    "subscribe",
    "confirm",
    "preferences",
    "address",
    "back",
    "why",
    "erase",
    "leave",
    "undo",
    "less-often",
    "pause",
    "resume",
    "one-click",
    "search",
    "api",
)
# Something within them that is for everybody, by the names of its routes.
OPEN = ("subscribe", "api:openapi-view")


@public_page
def robots(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """robots.txt (RFC 9309): the longest rule that fits decides."""
    rules = [f"Allow: {reverse(name)}$" for name in OPEN] + [f"Disallow: /{name}/" for name in CLOSED]
    lines = ["User-agent: *", *rules, "", f"Sitemap: {settings.SITE_URL}{reverse('sitemap')}", ""]
    return HttpResponse("\n".join(lines), content_type="text/plain; charset=utf-8")
