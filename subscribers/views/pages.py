"""What all pages behind a secret link have in common."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec
from urllib.parse import unquote_to_bytes

from django.conf import settings
from django.core.exceptions import BadRequest
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from subscribers.links import BadLink, ExpiredLink
from subscribers.models import Subscriber

P = ParamSpec("P")
View = Callable[[HttpRequest], HttpResponse]
TokenView = Callable[[HttpRequest, str], HttpResponse]
# The address is a secret: it must not leave by a Referer, stay in a cache or be found by a search.
PRIVATE = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


def private_page(view: Callable[P, HttpResponse]) -> Callable[P, HttpResponse]:
    """A page whose address is a secret, whatever it answers."""

    @wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        response = view(*args, **kwargs)
        for name, value in PRIVATE.items():
            response[name] = value
        return response

    return guarded


def token_page(view: TokenView) -> TokenView:
    """A page behind a secret link: a bad link is answered in words, and nothing tells the address on.

    No CSRF token is asked for: who could forge the request would have to know the link, and a browser
    that sends no Referer sends `Origin: null` with a form, which Django's check refuses.

    It speaks the browser's language until the view has `speak_to` its reader; afterwards, whatever happened, what was
    spoken before.
    """

    @csrf_exempt
    @private_page
    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        with translation.override(translation.get_language_from_request(request)):
            try:
                return view(request, token)
            except BadLink as error:
                if error.subscriber:
                    speak_to(error.subscriber)
                context = {"words": error, "is_old": error.status == ExpiredLink.status}
                return render(request, "subscribers/bad_link.html", context, status=error.status)

    return guarded


def speak_to(subscriber: Subscriber) -> Subscriber:
    """Go on in this reader's language, up to the end of the token page. Returns the reader."""
    translation.activate(subscriber.language)
    return subscriber


def in_its_language(view: View) -> View:
    """A page for everybody, in the language that its own address names (?language=de), else in English.

    Nothing else decides, so that any cache may keep it.
    """

    @wraps(view)
    def spoken(request: HttpRequest) -> HttpResponse:
        with translation.override(known_language(request.GET.get("language"))):
            return view(request)

    return spoken


def known_language(name: str | None) -> str:
    """The language of this name, where we have it."""
    return name if name in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def posted_here(request: HttpRequest) -> bool:
    """Whether a form was posted from a page of this site, as far as the browser says.

    Browsers send Sec-Fetch-Site or Origin with every post (https://www.w3.org/TR/fetch-metadata/); what sends neither
    is no browser, and has nobody's cookies to abuse. So public pages do without a CSRF token, and without a cookie.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    origin = request.headers.get("Origin")
    return origin is None or origin in {f"{request.scheme}://{request.get_host()}", *settings.CSRF_TRUSTED_ORIGINS}


def posted_from_embed(request: HttpRequest) -> bool:
    """Whether a page of another site posted this, one that the operator lets show the form (docs/embed.md)."""
    return request.headers.get("Origin") in settings.EMBED_ORIGINS


def reads_and_posts(view: Callable[Concatenate[HttpRequest, P], HttpResponse]) -> Callable[..., HttpResponse]:
    """GET, HEAD and POST. A form that is not UTF-8 is refused whole: it would be stored as what nobody typed.

    Raises BadRequest, which Django answers with the page for it.
    """

    @require_http_methods(["GET", "HEAD", "POST"])
    @wraps(view)
    def guarded(request: HttpRequest, *args: P.args, **kwargs: P.kwargs) -> HttpResponse:
        if request.content_type == "application/x-www-form-urlencoded":
            try:
                unquote_to_bytes(request.body).decode()
            except UnicodeDecodeError:
                raise BadRequest("A form that is not UTF-8.") from None
        return view(request, *args, **kwargs)

    return guarded
