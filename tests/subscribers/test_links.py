from collections.abc import Callable
from datetime import timedelta

import pytest
import time_machine
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from subscribers import leaving, links
from subscribers.links import BadLink, ExpiredLink, Farewell
from subscribers.models import Subscriber
from tests.conftest import NOW

READERS = [links.read_confirm, links.read_preferences, links.read_undo, links.read_leave, links.read_back]


def tokens_of(subscriber: Subscriber) -> list[str]:
    farewell = Farewell(subscriber, Subscriber.Status.ACTIVE, NOW)
    return [
        links.confirm_token(subscriber),
        links.preferences_token(subscriber),
        links.undo_token(farewell),
        subscriber.leave_key,
        links.back_token(subscriber, 7),
    ]


@pytest.mark.parametrize("own", range(5))
def test_a_link_opens_its_own_door_and_no_other(alice: Subscriber, own: int) -> None:
    token = tokens_of(alice)[own]
    READERS[own](token)
    for other in READERS[:own] + READERS[own + 1 :]:
        with pytest.raises(BadLink):
            other(token)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    "spoil", [lambda t: t[:-1], lambda t: t + ">", lambda t: "=3D" + t, lambda t: "", lambda t: t + "\x00"]
)
def test_a_spoilt_link_is_refused_in_words(
    alice: Subscriber, read: Callable[[str], object], spoil: Callable[[str], str]
) -> None:
    token = tokens_of(alice)[READERS.index(read)]
    with pytest.raises(BadLink, match="link"):
        read(spoil(token))


@given(text=st.text(max_size=120))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_other_text_is_a_link(db: None, text: str) -> None:
    for read in READERS:
        with pytest.raises(BadLink):
            read(text)


@pytest.mark.parametrize(("reader", "life"), [(0, links.CONFIRM_FOR), (1, links.PREFERENCES_FOR), (2, links.UNDO_FOR)])
def test_a_signed_link_ends(
    alice: Subscriber, fixed_clock: time_machine.Traveller, reader: int, life: timedelta
) -> None:
    token = tokens_of(alice)[reader]
    fixed_clock.move_to(NOW + life - timedelta(minutes=1))
    READERS[reader](token)
    fixed_clock.move_to(NOW + life + timedelta(minutes=1))
    with pytest.raises(ExpiredLink) as caught:
        READERS[reader](token)
    assert caught.value.subscriber == alice


def test_a_leave_link_outlives_the_secret_key_and_the_years(
    alice: Subscriber, settings: Settings, fixed_clock: time_machine.Traveller
) -> None:
    signed, key = links.preferences_token(alice), links.leave_url(alice).rpartition("/")[2]
    settings.SECRET_KEY = "rotated" * 10
    fixed_clock.move_to(NOW + timedelta(days=3650))
    assert links.read_leave(key) == alice
    with pytest.raises(BadLink):
        links.read_preferences(signed)


def test_a_farewell_is_read_as_it_was_written(alice: Subscriber) -> None:
    farewell = Farewell(alice, Subscriber.Status.PAUSED, NOW + timedelta(microseconds=7))
    assert links.read_undo(links.undo_token(farewell)) == farewell


def test_links_are_absolute_and_name_no_address(alice: Subscriber) -> None:
    urls = [links.confirm_url(alice), links.preferences_url(alice), links.leave_url(alice), links.one_click_url(alice)]
    assert all(url.startswith("https://papers.example/") and "alice" not in url for url in urls)


def test_signed_links_of_the_erased_are_dead(alice: Subscriber) -> None:
    token = links.preferences_token(alice)
    leaving.erase(alice, NOW)
    with pytest.raises(BadLink, match="nothing behind"):
        links.read_preferences(token)
