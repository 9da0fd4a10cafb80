import pytest
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from subscribers.network import client_network, parsed


def network(remote: str) -> str:
    return client_network(RequestFactory().get("/", REMOTE_ADDR=remote, HTTP_X_FORWARDED_FOR="198.51.100.1"))


@pytest.mark.parametrize(
    ("remote", "expected"),
    [
        ("203.0.113.77", "203.0.113.0/24"),
        ("::ffff:203.0.113.77", "203.0.113.0/24"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", ""),
        ("unix:", ""),
        ("nonsense", ""),
    ],
)
def test_an_address_is_cut_to_its_network(remote: str, expected: str) -> None:
    assert network(remote) == expected


@given(st.text())
def test_no_header_is_too_strange(text: str) -> None:
    address = parsed(text)
    assert address is None or address.version in (4, 6)
