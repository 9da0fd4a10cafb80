"""What all pages behind a secret link have in common."""

from collections.abc import Callable
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscribers.links import BadLink

TokenView = Callable[[HttpRequest, str], HttpResponse]
# The address is a secret: it must not leave by a Referer, stay in a cache or be found by a search.
PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def private(response: HttpResponse) -> HttpResponse:
    for name, value in PRIVATE.items():
        response[name] = value
    return response


def token_page(view: TokenView) -> TokenView:
    """A page behind a secret link: a bad link is answered in words, and nothing tells the address on.

    No CSRF token is asked for: who could forge the request would have to know the link, and a browser
    that sends no Referer sends `Origin: null` with a form, which Django's check refuses.
    """

    @csrf_exempt
    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        try:
            response = view(request, token)
        except BadLink as error:
            response = render(request, "subscribers/bad_link.html", {"words": error}, status=error.status)
        return private(response)

    return guarded


reads_and_posts = require_http_methods(["GET", "HEAD", "POST"])
