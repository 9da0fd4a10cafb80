import re
from uuid import UUID

import pytest
from django.core.signing import BadSignature, Signer, TimestampSigner
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from subscribers import links
from subscribers.models import Subscriber
from subscribers.signers import ShortSigner, ShortTimestampSigner
from tests.conftest import NOW


@given(value=st.text(), salt=st.text(min_size=1))
def test_short_signatures_are_the_beginning_of_djangos_own(value: str, salt: str) -> None:
    whole = Signer(salt=salt).sign(value)
    assert ShortSigner(salt=salt).sign(value) == whole[: len(value) + 1 + 22]


def test_a_time_is_signed_with_it_as_django_does() -> None:
    value, at, _ = ShortTimestampSigner(salt="purpose").sign("value").split(":")
    whole = Signer(salt="purpose").sign(f"{value}:{at}")
    assert TimestampSigner(salt="purpose").unsign(whole, max_age=60) == "value"


@pytest.mark.parametrize("kind", [ShortSigner, ShortTimestampSigner])
def test_what_was_signed_with_the_key_before_is_still_ours(kind: type[ShortSigner], settings: Settings) -> None:
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


@given(uid=st.uuids())
def test_no_link_has_a_piece_that_spam_filters_take_for_an_address_for_coins(uid: UUID) -> None:
    reader = Subscriber(uid=uid)
    farewell = links.Farewell(reader, Subscriber.Status.ACTIVE, NOW)
    tokens = [
        links.confirm_token(reader),
        links.preferences_token(reader),
        links.undo_token(farewell),
        links.back_token(reader, 1),
        links.DigestKeys().of(uid),
    ]
    assert [piece for token in tokens for piece in re.findall(r"\w{26,}", token)] == []
