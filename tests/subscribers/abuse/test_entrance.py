"""What passes at the door: most people without noticing it, and a flood from one network not."""

import json
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from subscribers import links
from subscribers.abuse.tickets import FORM
from subscribers.models import IdempotencyKey, Letter, Move, Subscriber, SubscriptionRequest
from tests.conftest import NOW, carry_out_requests
from tests.subscribers.abuse.conftest import solve

SUBSCRIBE, API, TICKET = reverse("subscribe"), reverse("subscriptions"), reverse("ticket")
EARLIER = NOW - timedelta(minutes=1)


def post(form: dict[str, object], number: int, **more: str) -> int:
    return Client().post(SUBSCRIBE, {**form, "email": f"r{number}@example.org", **more}).status_code


@pytest.fixture(autouse=True)
def _small(settings: Settings, fixed_clock: time_machine.Traveller) -> None:
    settings.SIGNUP_SOFT_PER_HOUR, settings.SIGNUP_UNPROVEN_COST = 6, 3


def test_what_comes_with_a_ticket_uses_up_less_of_its_network(form: dict[str, object]) -> None:
    with_tickets = [post(form, number, ticket=FORM.issue(EARLIER)) for number in range(8)]
    assert with_tickets == [302] * 6 + [429] * 2


@pytest.mark.parametrize("ticket", ["", "nonsense", "used", "young"])
def test_what_comes_without_a_good_one_is_not_refused_but_counts_for_more(form: dict[str, object], ticket: str) -> None:
    used = FORM.issue(EARLIER)
    FORM.redeem(used, NOW)
    said = {"used": used, "young": FORM.issue(NOW)}.get(ticket, ticket)
    assert [post(form, number, ticket=said) for number in range(3)] == [302, 302, 429]


def test_another_network_is_none_the_worse(client: Client, form: dict[str, object]) -> None:
    assert [post(form, number) for number in range(3)][-1] == 429
    assert client.post(SUBSCRIBE, form, REMOTE_ADDR="203.0.113.9").status_code == 302


@pytest.mark.parametrize("hops", [0, 1])
def test_a_forged_forwarded_for_does_not_escape_the_limit(
    form: dict[str, object], settings: Settings, hops: int
) -> None:
    settings.PROXY_HOPS = hops
    answers = []
    for number in range(5):
        forged = f"203.0.{number}.9, 198.51.100.7"
        headers = {"X-Forwarded-For": forged}
        answers.append(Client().post(SUBSCRIBE, form, headers=headers, REMOTE_ADDR="192.0.2.7").status_code)
    assert answers == [302, 302, 429, 429, 429]


def test_the_page_holds_a_ticket_and_the_other_pages_fetch_one(client: Client, db: None) -> None:
    page, fetched = client.get(SUBSCRIBE), client.get(TICKET)
    assert page["Cache-Control"] == fetched["Cache-Control"] == "no-store"
    assert page.context["ticket"] in page.content.decode()
    assert fetched.json()["ticket"] != client.get(TICKET).json()["ticket"]
    assert client.post(TICKET).status_code == 405


def test_a_faulty_form_keeps_the_proof_that_came_with_it(client: Client, form: dict[str, object]) -> None:
    for number in range(2):
        post(form, number)
    proof = solve(client.post(SUBSCRIBE, form).context["step"].challenge)
    page = client.post(SUBSCRIBE, form | {"email": "carol", "altcha": proof})
    assert page.status_code == 422
    assert f'name="altcha" value="{proof}"' in page.content.decode()
    assert client.post(SUBSCRIBE, form | {"altcha": proof}).status_code == 302


def test_the_link_to_the_preferences_is_guarded_too(client: Client, db: None) -> None:
    path = reverse("send_preferences_link")
    answers = [client.post(path, {"email": f"r{number}@example.org"}) for number in range(3)]
    assert [answer.status_code for answer in answers] == [302, 302, 429]
    proof = solve(answers[-1].context["step"].challenge)
    assert client.post(path, {"email": "r2@example.org", "altcha": proof}).status_code == 302


def test_a_program_is_given_the_challenge_and_a_key_is_not_used_up(db: None) -> None:
    def send(**more: str) -> tuple[int, dict[str, object]]:
        body = json.dumps({"email": "dave@example.org", **more})
        headers = {"Idempotency-Key": "k-1"}
        answer = Client().post(API, body, content_type="application/json", headers=headers, REMOTE_ADDR="192.0.2.7")
        return answer.status_code, answer.json()

    for number in range(2):
        Client().post(API, json.dumps({"email": f"r{number}@example.org"}), "application/json", REMOTE_ADDR="192.0.2.8")
    status, said = send()
    assert (status, IdempotencyKey.objects.count()) == (428, 0)
    assert send(proof=solve(said["challenge"]))[0] == 202  # type: ignore[arg-type]
    assert SubscriptionRequest.objects.filter(email="dave@example.org", proven=True).count() == 1


def test_a_full_inbox_says_later_and_stores_nothing(form: dict[str, object], settings: Settings) -> None:
    settings.SIGNUP_INBOX = 1
    assert post(form, 1) == 302
    full = Client().post(SUBSCRIBE, form)
    assert (full.status_code, full["Retry-After"], SubscriptionRequest.objects.count()) == (503, "900", 1)
    assert "try again in a quarter of an hour" in full.content.decode()
    assert 'value="carol@example.org"' in full.content.decode()
    answer = Client().post(API, json.dumps({"email": "dave@example.org"}), content_type="application/json")
    assert (answer.status_code, answer["Retry-After"]) == (503, "900")


def test_a_full_inbox_has_room_for_who_proves_that_they_mean_it(form: dict[str, object], settings: Settings) -> None:
    proofs = []
    for number in range(4):
        answer = Client().post(SUBSCRIBE, {**form, "email": f"r{number}@example.org"})
        proofs += [solve(answer.context["step"].challenge)] if answer.status_code == 429 else []
    settings.SIGNUP_INBOX = 2
    assert [post(form, 7), post(form, 8, altcha=proofs[0]), post(form, 9, altcha=proofs[1])] == [503, 302, 302]


def test_one_network_cannot_fill_the_inbox(form: dict[str, object], settings: Settings) -> None:
    settings.SIGNUP_SOFT_PER_HOUR, settings.SIGNUP_POSTS_PER_DAY = 100, 2
    assert [post(form, number) for number in range(3)] == [302, 302, 429]
    refused = Client().post(SUBSCRIBE, form)
    assert "try again tomorrow" in refused.content.decode()
    assert Client().post(SUBSCRIBE, form, REMOTE_ADDR="203.0.113.9").status_code == 302


def test_readers_of_one_network_name_so_many_new_addresses(settings: Settings, client: Client, db: None) -> None:
    settings.MOVES_PER_NETWORK = 2
    answers = []
    for number in range(3):
        reader = Subscriber.objects.create(email=f"old{number}@example.org", status="active")
        path = reverse("move", args=[links.preferences_token(reader)])
        answers.append(client.post(path, {"email": f"new{number}@example.org"}))
    assert [answer.status_code for answer in answers] == [200, 200, 422]
    assert "from your network today" in answers[-1].content.decode()
    carry_out_requests()
    assert (Move.objects.count(), Letter.objects.filter(kind="move_to").count()) == (2, 2)
