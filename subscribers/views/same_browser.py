"""Confirming in one click, where the link in the mail is opened in the browser that signed up.

The sign-up leaves a cookie for the confirmation's own path, the same for every state of an address. A page that finds
it there posts its form by itself; the request that confirms is still a POST, so what only fetches changes nothing.
"""

from datetime import timedelta

from django.conf import settings
from django.core.signing import BadSignature, TimestampSigner
from django.http import HttpRequest, HttpResponse
from django.utils.crypto import constant_time_compare

from subscribers.addresses import keyed_hash
from subscribers.models import Subscriber

COOKIE, PATH = "asked", "/confirm/"
KEPT = timedelta(days=1)


def remember(response: HttpResponse, email: str) -> HttpResponse:
    """Let this browser know that it asked for the address: by a signed hash, from which nobody can read it."""
    response.set_cookie(
        COOKIE,
        _signer().sign(_hash(email)),
        max_age=KEPT,
        path=PATH,
        secure=settings.SECURE_SITE,
        httponly=True,
        samesite="Lax",  # comes along when the link is followed from a webmail, and with nothing that a page embeds
    )
    return response


def asked_here(request: HttpRequest, subscriber: Subscriber) -> bool:
    """Whether this browser, not one that only looks ahead, asked for this very address within the last day."""
    if request.headers.get("Sec-Purpose") or request.headers.get("Purpose"):
        return False
    try:
        known = _signer().unsign(request.COOKIES.get(COOKIE, ""), max_age=KEPT)
    except BadSignature:
        return False
    return constant_time_compare(known, _hash(subscriber.email or ""))


def _hash(email: str) -> str:
    # Not the hash by which addresses are suppressed: that one is nobody's to see.
    return keyed_hash(f"asked here: {email}")


def _signer() -> TimestampSigner:
    return TimestampSigner(salt="subscribers.asked", sep=".")
