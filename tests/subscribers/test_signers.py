import pytest
from django.core.signing import BadSignature, Signer, TimestampSigner
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from subscribers.signers import QuickSigner, QuickTimestampSigner, ShortSigner


@given(value=st.text(), salt=st.text(min_size=1))
def test_quick_signatures_are_djangos_own(value: str, salt: str) -> None:
    assert QuickSigner(salt=salt).sign(value) == Signer(salt=salt).sign(value)


def test_a_time_is_signed_with_it_as_django_does() -> None:
    signed = QuickTimestampSigner(salt="purpose").sign("value")
    assert TimestampSigner(salt="purpose").unsign(signed, max_age=60) == "value"


@pytest.mark.parametrize("kind", [QuickSigner, ShortSigner])
def test_what_was_signed_with_the_key_before_is_still_ours(kind: type[QuickSigner], settings: Settings) -> None:
    signed = kind(salt="purpose").sign("value")
    settings.SECRET_KEY, settings.SECRET_KEY_FALLBACKS = "rotated" * 10, [settings.SECRET_KEY]
    assert kind(salt="purpose").unsign(signed) == "value"
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(BadSignature):
        kind(salt="purpose").unsign(signed)


def test_a_short_signature_has_132_bits_and_needs_them_all() -> None:
    signer = ShortSigner(salt="purpose")
    value, _, signature = signer.sign("value").partition(":")
    assert len(signature) == 22
    for spoilt in (signature[:-1], signature + "A", "A" * 22, ""):
        with pytest.raises(BadSignature):
            signer.unsign(f"{value}:{spoilt}")
