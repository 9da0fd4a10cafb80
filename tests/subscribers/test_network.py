import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from subscribers.network import client_network, parsed


def network(remote: str, forwarded: str = "") -> str:
    return client_network(RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR=forwarded))


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_an_address_is_cut_to_its_network(remote: str, expected: str) -> None:
    assert network(remote) == expected


def test_without_proxies_nobody_believes_a_forwarded_header() -> None:
    assert network("203.0.113.7", "198.51.100.1") == "203.0.113.0/24"


@pytest.mark.parametrize(
    ("hops", "forwarded", "expected"),
    [
        (1, "6.6.6.6, 198.51.100.9", "198.51.100.0/24"),
        (2, "6.6.6.6, 198.51.100.9, 10.0.0.1", "198.51.100.0/24"),
        (2, "198.51.100.9", ""),
        (1, "nonsense", ""),
    ],
)
def test_proxies_are_counted_from_the_right(settings: Settings, hops: int, forwarded: str, expected: str) -> None:
    settings.PROXY_HOPS = hops
    assert network("10.0.0.2", forwarded) == expected


@given(st.text())
def test_no_header_is_too_strange(text: str) -> None:
    address = parsed(text)
    assert address is None or address.version in (4, 6)
