"""The client's address is counted from our own proxies, and never believed from the client."""

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client, RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from newsletter.middleware.proxies import real_address
from subscribers.models import Subscriber
from tests.conftest import carry_out_requests


def seen(remote: str, **headers: str) -> str:
    """REMOTE_ADDR as a view finds it."""
    request = RequestFactory().get("/", REMOTE_ADDR=remote, **headers)
    real_address(lambda request: HttpResponse())(request)
    return str(request.META["REMOTE_ADDR"])


def test_without_proxies_nobody_believes_a_forwarded_header() -> None:
    assert seen("203.0.113.7", HTTP_X_FORWARDED_FOR="198.51.100.1") == "203.0.113.7"


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (1, "198.51.100.9", "198.51.100.9"),
        (1, "6.6.6.6, 198.51.100.9", "198.51.100.9"),
        (2, "6.6.6.6, 198.51.100.9, 10.0.0.1", "198.51.100.9"),
        (2, "6.6.6.6,2001:db8::1 , 10.0.0.1", "2001:db8::1"),
        (1, "6.6.6.6, 198.51.100.9:49152", "198.51.100.9"),
        (1, "[2001:db8::1]:49152", "2001:db8::1"),
        (1, "[2001:db8::1]", "2001:db8::1"),
        (1, "2001:db8::1", "2001:db8::1"),
        (2, "198.51.100.9", ""),
        (1, "", ""),
    ],
)
def test_proxies_are_counted_from_the_right(settings: Settings, hops: int, forwarded: str, expected: str) -> None:
    settings.PROXY_HOPS = hops
    assert seen("10.0.0.2", HTTP_X_FORWARDED_FOR=forwarded) == expected


def test_a_request_that_went_around_the_proxies_has_no_address(settings: Settings) -> None:
    settings.PROXY_HOPS = 1
    assert seen("10.0.0.2") == ""


@given(st.text() | st.from_regex(r"[\[\]:.0-9a-f]{0,20}", fullmatch=True))
def test_no_header_is_too_strange(text: str) -> None:
    request = HttpRequest()
    request.META["HTTP_X_FORWARDED_FOR"] = text
    assert real_address(lambda request: HttpResponse())(request).status_code == 200


@pytest.mark.django_db
def test_consent_is_noted_with_the_network_that_the_proxy_saw(client: Client, settings: Settings) -> None:
    settings.PROXY_HOPS, settings.SECURE_SSL_REDIRECT = 1, False
    form = {"email": "carol@example.org", "cadence": "daily", "local_hour": 8, "zone": "UTC"}
    client.post("/subscribe/", form, headers={"X-Forwarded-For": "6.6.6.6, 198.51.100.9"}, REMOTE_ADDR="10.0.0.2")
    carry_out_requests()
    assert Subscriber.objects.get().consents.get().network == "198.51.100.0/24"
