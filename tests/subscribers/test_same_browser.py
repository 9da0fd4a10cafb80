"""The browser that signed up confirms in one click; no other browser, and nothing that only fetches."""

from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from subscribers import links
from subscribers.models import Subscriber
from subscribers.views.same_browser import COOKIE, KEPT
from tests.conftest import carry_out_requests

SUBSCRIBE = reverse("subscribe")
BY_ITSELF = "data-by-itself"


@pytest.fixture
def path(client: Client, form: dict[str, object]) -> str:
    """Carol has signed up in `client`: the link that she was mailed."""
    client.post(SUBSCRIBE, form)
    carry_out_requests()
    return reverse("confirm", args=[links.confirm_token(Subscriber.objects.get())])


def presses_itself(client: Client, path: str, **headers: str) -> bool:
    page = client.get(path, headers=headers).content.decode()
    assert "Yes, send me the digest" in page
    return BY_ITSELF in page


def test_in_the_browser_that_asked_the_button_presses_itself(client: Client, path: str) -> None:
    assert presses_itself(client, path)
    assert not presses_itself(Client(), path)


def test_fetching_the_page_with_the_cookie_changes_nothing(client: Client, path: str) -> None:
    for method in (client.get, client.head, client.options):
        method(path)
    assert Subscriber.objects.get().status == "pending"


@pytest.mark.parametrize("header", ["Sec-Purpose", "Purpose"])
def test_a_browser_that_looks_ahead_shows_the_button(client: Client, path: str, header: str) -> None:
    assert not presses_itself(client, path, **{header: "prefetch;prerender"})


def test_the_cookie_is_for_no_other_address(client: Client, path: str, bob: Subscriber) -> None:
    assert not presses_itself(client, reverse("confirm", args=[links.confirm_token(bob)]))


def test_the_cookie_says_nothing_and_goes_nowhere_else(
    client: Client, form: dict[str, object], settings: Settings
) -> None:
    settings.SECURE_SITE = True
    cookie = client.post(SUBSCRIBE, form).cookies[COOKIE]
    assert (cookie["path"], cookie["samesite"], cookie["max-age"]) == (
        reverse("confirm", args=["x"])[:-1],
        "Lax",
        86400,
    )
    assert (cookie["httponly"], cookie["secure"]) == (True, True)
    assert "carol" not in cookie.value


def test_every_state_of_an_address_gets_one_alike(
    client: Client, form: dict[str, object], everybody: dict[str, Subscriber]
) -> None:
    addresses = ["new@example.org", *(str(person.email) for person in everybody.values())]
    cookies = [client.post(SUBSCRIBE, form | {"email": email}).cookies for email in addresses]
    cookies.append(client.post(SUBSCRIBE, form | {"website": "https://spam.example"}).cookies)
    assert {tuple(jar) for jar in cookies} == {(COOKIE,)}
    assert len({len(jar[COOKIE].OutputString()) for jar in cookies}) == 1


def test_what_is_not_signed_up_gets_none(client: Client, form: dict[str, object]) -> None:
    assert not client.post(SUBSCRIBE, form | {"email": "nobody"}).cookies
    assert not client.post(SUBSCRIBE, form, headers={"Sec-Fetch-Site": "cross-site"}).cookies


@pytest.mark.parametrize("spoil", [lambda text: text[:-1], lambda text: "x" + text, lambda text: "", lambda text: "é"])
def test_a_cookie_that_is_not_ours_is_none(client: Client, path: str, spoil: object) -> None:
    assert callable(spoil)
    client.cookies[COOKIE] = spoil(client.cookies[COOKIE].value)
    assert not presses_itself(client, path)


def test_after_a_day_there_is_the_button_again(client: Client, path: str, fixed_clock: time_machine.Traveller) -> None:
    fixed_clock.shift(KEPT + timedelta(minutes=1))
    assert not presses_itself(client, path)
