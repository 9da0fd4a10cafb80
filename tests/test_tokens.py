"""Every link with a secret in it: it opens its own door, whole and in time, and nothing else does."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

import pytest
import time_machine
from django.conf import settings as django_settings
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import Settings

from newsletter.models import Digest
from subscribers import leaving, links
from subscribers.links import BadLink, Farewell
from subscribers.models import Move, Subscriber, Tally
from tests.conftest import NOW
from tests.newsletter.test_scanners import everything
from tests.test_pages import BEHIND_A_SECRET

pytestmark = pytest.mark.usefixtures("fixed_clock")
Status = Subscriber.Status


@dataclass(frozen=True)
class Token:
    """A kind of secret: how it is made and read, the routes that take it, and how long it works."""

    make: Callable[[Subscriber], str]
    read: Callable[[str], object]
    routes: tuple[str, ...]
    life: timedelta | None


def undo_token(reader: Subscriber) -> str:
    return links.undo_token(Farewell(reader, Status.ACTIVE, NOW))


def move_token(reader: Subscriber) -> str:
    move, _ = Move.objects.get_or_create(subscriber=reader, defaults={"email": "new@example.org", "asked_at": NOW})
    return links.move_url(move, "new").rpartition("/")[2]


OF_PREFERENCES = ("preferences", "export", "move", "undo", "pause_until", "erase", "resume", "sample", "learned")
TOKENS = {
    "confirm": Token(links.confirm_token, links.read_confirm, ("confirm",), links.CONFIRM_FOR),
    "preferences": Token(
        links.preferences_token, links.read_preferences, (*OF_PREFERENCES, "reader_digests"), links.PREFERENCES_FOR
    ),
    "undo": Token(undo_token, links.read_undo, ("leave_undo", "why"), links.UNDO_FOR),
    "back": Token(
        lambda reader: links.back_token(reader, 0), links.read_back, ("take_back",), django_settings.KEEP_FORMER
    ),
    "move": Token(move_token, links.read_move, ("agree",), django_settings.KEEP_MOVE),
    "leave": Token(
        lambda reader: reader.leave_key, links.read_leave, ("leave", "less_often", "pause", "one_click"), None
    ),
}
SIGNED = [name for name, token in TOKENS.items() if token.life]
DOORS = [(name, route) for name, token in TOKENS.items() for route in token.routes]
SPOILT = ["{0}>", "{0}.", "{0})", "{0}=3D", "=3D{0}", "{0}%20", "<{0}", "{0}/", "{0}\x00", "{0}{0}", "{0}é"]
each_kind = pytest.mark.parametrize("kind", TOKENS)


def flipped(text: str, place: int, bit: int) -> str:
    place %= len(text)
    return text[:place] + chr(ord(text[place]) ^ (1 << bit)) + text[place + 1 :]


damage = st.one_of(
    st.integers(0, 200).map(lambda cut: lambda text: text[: cut % len(text)]),
    st.integers(0, 200).map(lambda cut: lambda text: text[1 + cut % len(text) :]),
    st.tuples(st.integers(0, 200), st.integers(0, 6)).map(lambda at: lambda text: flipped(text, *at)),
    st.tuples(st.integers(0, 200), st.sampled_from(["=3D", "=\r\n", " ", "%", "\n", "&amp;", ">", "."])).map(
        lambda at: lambda text: text[: at[0] % (len(text) + 1)] + at[1] + text[at[0] % (len(text) + 1) :]
    ),
    st.sampled_from([str.upper, str.swapcase, lambda text: text[::-1]]),
)


def test_every_route_with_a_secret_is_here() -> None:
    # Those of digests are a digest's own and no reader's: tests/newsletter/test_views.py.
    assert {route for _, route in DOORS} | {"web_copy", "say"} == set(BEHIND_A_SECRET)


@each_kind
@given(spoil=damage)
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_damaged_is_refused(alice: Subscriber, kind: str, spoil: Callable[[str], str]) -> None:
    token = TOKENS[kind].make(alice)
    if spoil(token) == token:
        return
    with pytest.raises(BadLink, match="link"):
        TOKENS[kind].read(spoil(token))


@each_kind
def test_a_secret_opens_its_own_door_and_no_other(alice: Subscriber, kind: str) -> None:
    token = TOKENS[kind].make(alice)
    TOKENS[kind].read(token)
    for other in set(TOKENS) - {kind}:
        with pytest.raises(BadLink):
            TOKENS[other].read(token)


@pytest.mark.parametrize(("kind", "route"), DOORS)
def test_a_link_that_a_mail_program_broke_is_answered_in_words_and_changes_nothing(
    client: Client, alice: Subscriber, kind: str, route: str
) -> None:
    token = TOKENS[kind].make(alice)
    before = everything()
    for pattern in SPOILT:
        path = reverse(route, args=["SECRET"]).replace("SECRET", pattern.format(token))
        for answer in (
            client.get(path, secure=True),
            client.post(path, {"List-Unsubscribe": "One-Click"}, secure=True),
        ):
            assert 400 <= answer.status_code < 500, path
    assert everything() == before


@pytest.mark.parametrize("kind", SIGNED)
def test_what_is_too_old_changes_nothing(
    client: Client, alice: Subscriber, fixed_clock: time_machine.Traveller, kind: str
) -> None:
    token, life = TOKENS[kind].make(alice), TOKENS[kind].life
    assert life
    fixed_clock.shift(life + timedelta(minutes=1))
    before = everything()
    for route in TOKENS[kind].routes:
        path = reverse(route, args=[token])
        codes = {client.get(path, secure=True).status_code, client.post(path, secure=True).status_code}
        assert codes <= {405, 410}
    assert everything() == before


@pytest.mark.parametrize(("kind", "route"), DOORS)
def test_pressed_twice_is_pressed_once(client: Client, alice: Subscriber, kind: str, route: str) -> None:
    if kind == "undo":
        leaving.leave(alice, NOW, page="leave")
    if kind == "confirm":
        Subscriber.objects.update(status="pending", next_digest_at=None)
    path = reverse(route, args=[TOKENS[kind].make(alice)])
    fields = {"List-Unsubscribe": "One-Click", "reason": "other", "from": "daily", "email": "new@example.org"}
    after = []
    for _ in range(3):
        assert client.post(path, fields, secure=True).status_code < 500
        after.append(everything(but=Tally))  # which counts each try
    assert after[0] == after[1] == after[2]


def test_a_new_key_kills_what_is_signed_unless_the_old_one_is_named(alice: Subscriber, settings: Settings) -> None:
    tokens = {kind: token.make(alice) for kind, token in TOKENS.items()}
    settings.SECRET_KEY_FALLBACKS, settings.SECRET_KEY = [settings.SECRET_KEY], "rotated" * 10
    for kind, token in tokens.items():
        TOKENS[kind].read(token)
    settings.SECRET_KEY_FALLBACKS = []
    for kind in SIGNED:
        with pytest.raises(BadLink):
            TOKENS[kind].read(tokens[kind])
    assert not Digest.objects.exists()
    assert TOKENS["leave"].read(tokens["leave"]) == alice


def test_one_click_is_not_sent_elsewhere_on_a_site_that_insists_on_https(alice: Subscriber, settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    program, path = Client(enforce_csrf_checks=True), reverse("one_click", args=[alice.leave_key])
    for _ in range(2):
        answer = program.post(path, {"List-Unsubscribe": "One-Click"}, secure=True)
        assert (answer.status_code, len(answer.cookies)) == (200, 0)
