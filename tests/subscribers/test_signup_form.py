"""What the form asks back, refuses where told so, and sums up."""

import re

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from subscribers.addresses import is_disposable
from subscribers.forms import SignUpForm
from subscribers.models import Subscriber, SubscriptionRequest
from tests.conftest import carry_out_requests

SUBSCRIBE, API = reverse("subscribe"), reverse("subscriptions")
SLIP = {"email": "carol@gmial.com"}
EMBEDDED = {"Sec-Fetch-Site": "cross-site", "Origin": "https://lab.example"}


def test_a_likely_slip_is_asked_about_before_anything_is_stored(client: Client, form: dict[str, object]) -> None:
    page = client.post(SUBSCRIBE, form | SLIP)
    assert page.status_code == 200
    assert "Did you mean carol@gmail.com?" in page.content.decode()
    assert not SubscriptionRequest.objects.exists()


@pytest.mark.parametrize(("button", "address"), [(0, "carol@gmail.com"), (1, "carol@gmial.com")])
def test_either_button_takes_the_address_with_all_that_was_chosen(
    client: Client, form: dict[str, object], button: int, address: str
) -> None:
    page = client.post(SUBSCRIBE, form | SLIP | {"digest_size": "7", "language": "de"}).content.decode()
    fields: dict[str, list[str]] = {}
    for name, value in re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page):
        fields.setdefault(name, []).append(value)
    pressed = re.findall(r'name="email" value="([^"]*)"', page)[button]
    assert client.post(SUBSCRIBE, fields | {"email": pressed})["Location"] == reverse("subscribed") + "?language=de"
    carry_out_requests()
    carol = Subscriber.objects.get(email=address)
    assert (carol.digest_size, carol.language, carol.zone) == (7, "de", "Europe/Berlin")
    assert [topic.slug for topic in carol.topics.all()] == ["graphs"]


def test_another_slip_is_asked_about_again(client: Client, form: dict[str, object]) -> None:
    page = client.post(SUBSCRIBE, form | SLIP | {"asked": "carol@gmaill.com"})
    assert "Did you mean" in page.content.decode()


def test_a_program_is_told_of_a_slip_and_served(client: Client, db: None) -> None:
    answer = client.post(API, SLIP, content_type="application/json")
    assert (answer.status_code, answer.json()["did_you_mean"]) == (202, "carol@gmail.com")
    carry_out_requests()
    assert Subscriber.objects.get().email == "carol@gmial.com"


def test_a_program_hears_of_no_slip_where_there_is_none(client: Client, db: None) -> None:
    answer = client.post(API, {"email": "carol@gmail.com"}, content_type="application/json")
    assert "did_you_mean" not in answer.json()


def test_throwaway_addresses_are_taken_unless_the_operator_says_no(client: Client, form: dict[str, object]) -> None:
    assert client.post(SUBSCRIBE, form | {"email": "x@mailinator.com"}).status_code == 302


def test_throwaway_addresses_are_refused_in_words(client: Client, form: dict[str, object], settings: Settings) -> None:
    settings.DISPOSABLE_ADDRESSES = "refuse"
    for response in (
        client.post(SUBSCRIBE, form | {"email": "x@mailinator.com"}),
        client.post(API, {"email": "x@mailinator.com"}, content_type="application/json"),
    ):
        assert response.status_code == 422
        assert "made to be thrown away" in response.content.decode()
    assert not SubscriptionRequest.objects.exists()


def test_a_slip_of_a_common_domain_is_asked_about_before_it_is_called_thrown_away(
    client: Client, form: dict[str, object], settings: Settings
) -> None:
    settings.DISPOSABLE_ADDRESSES = "refuse"
    assert "Did you mean carol@gmail.com?" in client.post(SUBSCRIBE, form | SLIP).content.decode()
    insisted = client.post(SUBSCRIBE, form | SLIP | {"asked": SLIP["email"]})
    assert insisted.status_code == (422 if is_disposable(SLIP["email"]) else 302)


def test_a_form_in_german_asks_for_german_mail(client: Client, db: None) -> None:
    page = " ".join(client.get(f"{SUBSCRIBE}?language=de").content.decode().split())
    assert '<option value="de" selected>' in page


def test_size_and_language_are_the_readers_choice(client: Client, form: dict[str, object]) -> None:
    client.post(SUBSCRIBE, form | {"digest_size": "12", "language": "fr"})
    carry_out_requests()
    carol = Subscriber.objects.get()
    assert (carol.digest_size, carol.language) == (12, "fr")


def test_size_and_language_may_be_left_out(client: Client, form: dict[str, object]) -> None:
    client.post(SUBSCRIBE, form | {"language": ""})
    carry_out_requests()
    carol = Subscriber.objects.get()
    assert (carol.digest_size, carol.language) == (5, "en")


@pytest.mark.parametrize(("field", "value"), [("digest_size", "0"), ("digest_size", "-1\x00"), ("language", "tlh")])
def test_size_and_language_that_we_do_not_have_are_refused(
    client: Client, form: dict[str, object], field: str, value: str
) -> None:
    page = client.post(SUBSCRIBE, form | {field: value})
    assert (page.status_code, "from the list" in page.content.decode()) == (422, True)
    assert not SubscriptionRequest.objects.exists()


def test_the_form_sums_up_what_one_gets(client: Client, db: None) -> None:
    page = " ".join(client.get(SUBSCRIBE).content.decode().split())
    assert "the best of everything</span>" in page
    assert "Every day at 8:00, UTC · 5 papers" in page


def test_the_sum_follows_what_was_typed(form: dict[str, object]) -> None:
    typed = SignUpForm(form | {"cadence": "weekly", "local_hour": "17", "digest_size": "nonsense"})
    assert typed.summary() == "Every week at 17:00, Berlin · 5 papers"
    assert typed.chosen_names() == "Graph neural networks"


def test_a_site_that_may_show_the_form_can_post_it(client: Client, form: dict[str, object], settings: Settings) -> None:
    settings.EMBED_ORIGINS = ["https://lab.example"]
    assert client.post(SUBSCRIBE, form, headers=EMBEDDED).status_code == 302
    body = {"email": "dave@example.org"}
    assert client.post(API, body, content_type="application/json", headers=EMBEDDED).status_code == 202
    assert SubscriptionRequest.objects.count() == 2


@pytest.mark.parametrize("origin", ["https://evil.example", "https://lab.example.evil.example", "null", ""])
def test_any_other_site_is_refused_in_words(
    client: Client, form: dict[str, object], settings: Settings, origin: str
) -> None:
    settings.EMBED_ORIGINS = ["https://lab.example"]
    headers = EMBEDDED | {"Origin": origin}
    for response in (
        client.post(SUBSCRIBE, form, headers=headers),
        client.post(API, {"email": "x@example.org"}, content_type="application/json", headers=headers),
    ):
        assert response.status_code == 403
        assert "another site" in response.content.decode()
    assert not SubscriptionRequest.objects.exists()
