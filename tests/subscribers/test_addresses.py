import pytest
from django.core.exceptions import ValidationError
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from subscribers.addresses import COMMON_DOMAINS, address_hash, clean_address, is_disposable, meant


@pytest.mark.parametrize(
    "written",
    [
        "Ann@Bücher.example",
        " ann@bücher.example ",
        "ann@xn--bcher-kva.example",
        "ann@bücher.example.",
        "ANN@BÜCHER.EXAMPLE",
    ],
)
def test_one_address_has_one_form(written: str) -> None:
    assert clean_address(written) == "ann@bücher.example"


@pytest.mark.parametrize(
    "written",
    [
        "",
        "ann",
        "ann@",
        "@example.org",
        "ann@localhost",
        "ann@host.invalid",
        "ann@host.test",
        "ann@[192.0.2.1]",
        "Ann <ann@example.org>",
        "ann@example.org, bob@example.org",
        "ann@example.org\nBcc: bob@example.org",
        "ann@example.org\r\n",
        "ann\x00@example.org",
        "ann@exam\u202eple.org",
        "ann\u2028@example.org",
        '"ann b"@example.org',
        "änn@example.org",
        "a" * 65 + "@example.org",
        "ann@" + "a." * 130 + "org",
        "ann@example.org" * 1000,
    ],
)
def test_what_is_not_one_address_is_refused(written: str) -> None:
    with pytest.raises(ValidationError):
        clean_address(written)


def test_the_demo_alone_takes_test_domains(settings: Settings) -> None:
    settings.DEMO = True
    assert clean_address("ann@host.test") == "ann@host.test"


@given(st.text(max_size=80) | st.emails())
def test_cleaning_answers_or_refuses_and_is_done_once(text: str) -> None:
    try:
        address = clean_address(text)
    except ValidationError:
        return
    assert clean_address(address) == address
    assert address.isprintable()
    assert len(address.encode("idna" if address.isascii() else "utf-8")) <= 320


def test_a_hash_depends_on_the_suppression_key_alone(settings: Settings) -> None:
    before = address_hash("ann@example.org")
    settings.SECRET_KEY = "rotated"
    assert address_hash("ann@example.org") == before
    settings.SUPPRESSION_KEY = "another"
    assert address_hash("ann@example.org") != before


@pytest.mark.parametrize(
    ("typed", "likelier"),
    [
        ("ann@gmial.com", "ann@gmail.com"),
        ("ann@gmail.co", "ann@gmail.com"),
        ("ann@gmal.com", "ann@gmail.com"),
        ("a.nn+x@hotmial.com", "a.nn+x@hotmail.com"),
        ("ann@outlok.con", "ann@outlook.com"),
        ("ann@yahoo.cm", "ann@yahoo.com"),
        ("ann@iclod.com", "ann@icloud.com"),
    ],
)
def test_a_slip_in_a_common_domain_is_seen(typed: str, likelier: str) -> None:
    assert meant(typed) == likelier


@pytest.mark.parametrize("domain", [*COMMON_DOMAINS, "hotmail.se", "yahoo.com.mx", "outlook.jp"])
def test_a_common_domain_is_never_questioned(domain: str) -> None:
    assert meant(f"ann@{domain}") is None


@pytest.mark.parametrize("domain", ["mit.edu", "aol.de", "lab.org", "gmu.edu", "main.com", "mailo.com", "ethz.ch"])
def test_a_domain_that_is_merely_short_is_never_questioned(domain: str) -> None:
    assert meant(f"ann@{domain}") is None


@pytest.mark.parametrize("domain", ["mailinator.com", "mail.mailinator.com", "dé.net"])
def test_a_throwaway_domain_is_known(domain: str) -> None:
    assert is_disposable(f"ann@{domain}")


@pytest.mark.parametrize("domain", ["gmail.com", "lab.org", "bücher.example"])
def test_a_lasting_domain_is_no_throwaway(domain: str) -> None:
    assert not is_disposable(f"ann@{domain}")
