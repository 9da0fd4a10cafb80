from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from subscribers.models import Consent, Letter, Parting, Subscriber, SubscriptionRequest, Suppression
from tests.conftest import NOW

MODELS = ["subscriber", "consent", "suppression", "letter", "parting"]


@pytest.fixture
def rows(alice: Subscriber, bob: Subscriber) -> dict[str, int]:
    """One row of each model, by name."""
    Suppression.objects.add("eve@example.org", Suppression.Reason.COMPLAINED)
    consent = Consent.objects.create(subscriber=alice, action="confirmed")
    letter = Letter.objects.create(subscriber=alice, kind="welcome", not_before=NOW)
    parting = Parting.objects.create(reason="no_time", day=NOW.date())
    pks = [alice.pk, consent.pk, Suppression.objects.get().pk, letter.pk, parting.pk]
    return dict(zip(MODELS, pks, strict=True))


@pytest.mark.parametrize("model", MODELS)
def test_every_model_has_its_list_and_its_page(admin_client: Client, rows: dict[str, int], model: str) -> None:
    assert admin_client.get(reverse(f"admin:subscribers_{model}_changelist")).status_code == 200
    assert admin_client.get(reverse(f"admin:subscribers_{model}_change", args=[rows[model]])).status_code == 200


@pytest.mark.parametrize("model", MODELS)
def test_nobody_adds_or_deletes_by_hand(admin_client: Client, rows: dict[str, int], model: str) -> None:
    assert admin_client.post(reverse(f"admin:subscribers_{model}_add")).status_code == 403
    assert admin_client.post(reverse(f"admin:subscribers_{model}_delete", args=[rows[model]])).status_code == 403


@pytest.mark.parametrize("model", MODELS[1:])
def test_proofs_are_not_altered(admin_client: Client, rows: dict[str, int], model: str) -> None:
    path = reverse(f"admin:subscribers_{model}_change", args=[rows[model]])
    assert admin_client.post(path, {"reason": "x"}).status_code == 403


def search(client: Client, model: str, term: str) -> Any:
    page = reverse(f"admin:subscribers_{model}_changelist")
    answer = client.post(f"{page}?status__exact=active" if model == "subscriber" else page, {"q": term})
    assert "@" not in answer.headers["Location"]
    assert "alice" not in answer.headers["Location"]
    return client.get(answer.headers["Location"], follow=True)


@pytest.mark.parametrize("term", ["Alice@", "alice@example.org", " al "])
@pytest.mark.parametrize("model", ["consent", "letter"])
def test_rows_are_found_by_the_beginning_of_an_address(
    admin_client: Client, rows: dict[str, int], model: str, term: str
) -> None:
    found = search(admin_client, model, term).context["cl"]
    assert [row.pk for row in found.result_list] == [rows[model]]


def test_the_one_reader_who_is_found_has_a_page(admin_client: Client, alice: Subscriber) -> None:
    assert search(admin_client, "subscriber", "Alice@").context["reader"] == alice


def test_several_readers_are_listed_within_what_was_filtered(admin_client: Client, alice: Subscriber) -> None:
    for email, status in (("alison@example.org", "active"), ("ali@example.org", "pending")):
        Subscriber.objects.create(email=email, status=status)
    found = search(admin_client, "subscriber", "ali").context["cl"]
    assert {str(row) for row in found.result_list} == {"alice@example.org", "alison@example.org"}


def test_a_request_is_found_by_its_address(admin_client: Client, db: None) -> None:
    SubscriptionRequest.objects.create(email="eve@example.org", status="held")
    SubscriptionRequest.objects.create(email="mallory@example.org", status="held")
    found = search(admin_client, "subscriptionrequest", "EVE@").context["cl"]
    assert [str(row.email) for row in found.result_list] == ["eve@example.org"]


@pytest.mark.parametrize("term", ["lice", "@", "%", "a\0b", "_lice"])
@pytest.mark.parametrize("model", ["subscriber", "consent", "letter"])
def test_who_is_not_there_is_said_and_nothing_is_filtered(
    admin_client: Client, rows: dict[str, int], model: str, term: str
) -> None:
    assert "No address begins like that" in search(admin_client, model, term).content.decode()


def test_an_address_in_a_box_for_other_things_is_not_put_into_the_pages_address(admin_client: Client) -> None:
    answer = admin_client.post("/admin/auth/user/", {"q": "alice@example.org"})
    assert answer.headers["Location"] == "/admin/auth/user/"


def test_other_searches_are_led_to_a_page_with_their_words(admin_client: Client, alice: Subscriber) -> None:
    page = "/admin/auth/user/"
    answer = admin_client.post(f"{page}?is_active__exact=1&p=2&q=old", {"q": "admin"})
    assert answer.headers["Location"] == f"{page}?is_active__exact=1&q=admin"
    assert admin_client.get(answer.headers["Location"]).context["cl"].result_count == 1


def test_the_box_is_posted(admin_client: Client, db: None) -> None:
    page = admin_client.get(reverse("admin:subscribers_subscriber_changelist")).content.decode()
    box = page[page.index('id="changelist-search"') :]
    assert 'method="post"' in box[: box.index(">")]
    assert 'name="q"' in box
