"""Attack mode comes and goes by itself, asks everybody for a proof, and tells the operators once."""

import logging
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from subscribers import requests
from subscribers.abuse import attack
from subscribers.abuse.counting import note
from subscribers.models import Attack, Letter, Subscriber, SubscriptionRequest
from subscribers.signup import confirm
from tests.conftest import NOW, carry_out_requests
from tests.subscribers.abuse.conftest import solve

pytestmark = pytest.mark.django_db
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
SUBSCRIBE = reverse("subscribe")


def on() -> bool:
    return Attack.objects.on().exists()


def asked(count: int, confirmed: int) -> None:
    note(attack.ASKED, NOW, count)
    if confirmed:
        note(attack.CONFIRMED, NOW, confirmed)


@pytest.mark.parametrize(
    ("count", "confirmed", "begins"), [(199, 0, False), (200, 29, True), (200, 30, False), (5000, 749, True)]
)
def test_it_begins_past_a_floor_and_below_a_share(count: int, confirmed: int, begins: bool) -> None:
    asked(count, confirmed)
    attack.judge(NOW)
    assert on() == begins


def test_it_begins_once(caplog: pytest.LogCaptureFixture) -> None:
    asked(300, 0)
    for _ in range(3):
        attack.judge(NOW)
    assert Attack.objects.get().reason == "of 300 addresses that we asked within an hour, 0 confirmed"
    assert [record.levelno for record in caplog.records] == [logging.ERROR]
    assert not Attack.objects.begin("again", NOW)


def test_it_ends_after_calm(settings: Settings) -> None:
    asked(300, 0)
    attack.judge(NOW)
    note(attack.turned_back(), NOW + 50 * MINUTE, 60)
    states = []
    for minutes in range(10, 120, 10):
        attack.judge(NOW + minutes * MINUTE)
        states.append((minutes, on()))
    assert [minutes for minutes, still in states if still] == [10, 20, 30, 40, 50, 60, 70, 80]


def test_people_who_prove_that_they_mean_it_do_not_keep_it_on() -> None:
    Attack.objects.begin("a test", NOW - HOUR)
    for counter in (attack.turned_back(), attack.proven()):
        note(counter, NOW, 400)
    attack.judge(NOW)
    assert not on()


def test_confirming_counts(bob: Subscriber) -> None:
    asked(200, 29)
    confirm(bob, NOW)
    attack.judge(NOW)
    assert not on()


def test_an_operator_turns_it_on_and_off_and_is_obeyed(admin_client: Client, fixed_clock: object) -> None:
    path = reverse("admin:subscribers_attack_changelist")
    add = reverse("admin:subscribers_attack_add")
    assert admin_client.post(add, {"reason": "I see junk"}).status_code == 302
    assert "on already" in admin_client.post(add, {"reason": "again"}).content.decode()
    attack.judge(NOW + 5 * HOUR)
    assert on()
    asked(300, 0)
    ended = {"action": "end", "_selected_action": [Attack.objects.get().pk]}
    assert "is off" in admin_client.post(path, ended, follow=True).content.decode()
    attack.judge(NOW)
    assert not on()
    assert "off already" in admin_client.post(path, ended, follow=True).content.decode()


def test_under_attack_a_proof_is_asked_for_in_words_and_then_enough(
    client: Client, form: dict[str, object], fixed_clock: time_machine.Traveller
) -> None:
    Attack.objects.begin("a test", NOW)
    page = client.post(SUBSCRIBE, form)
    assert (page.status_code, page["Cache-Control"]) == (429, "no-store")
    words = page.content.decode()
    assert "One more step" in words
    assert 'value="carol@example.org"' in words
    proof = solve(page.context["step"].challenge)
    assert client.post(SUBSCRIBE, form | {"altcha": proof}).status_code == 302
    assert client.post(SUBSCRIBE, form | {"altcha": proof}).status_code == 429
    carry_out_requests()
    assert not Letter.objects.exists()
    fixed_clock.shift(timedelta(minutes=5))
    carry_out_requests()
    assert Letter.objects.get().kind == "confirmation"


def test_without_javascript_patience_is_enough_but_under_attack_it_is_held(
    client: Client, form: dict[str, object], fixed_clock: time_machine.Traveller
) -> None:
    Attack.objects.begin("a test", NOW)
    patience = client.post(SUBSCRIBE, form).context["step"].patience
    fixed_clock.shift(9)
    again = client.post(SUBSCRIBE, form | {"patience": patience})
    assert (again.status_code, again.context["step"].patience) == (429, patience)
    fixed_clock.shift(1)
    assert client.post(SUBSCRIBE, form | {"patience": patience}).status_code == 302
    assert client.post(SUBSCRIBE, form | {"patience": patience}).status_code == 429
    fixed_clock.shift(HOUR)
    carry_out_requests()
    assert SubscriptionRequest.objects.get().reason == "attack"
    Attack.objects.get().end(NOW + HOUR)
    carry_out_requests()
    assert Letter.objects.count() == 1


def test_what_an_attack_held_goes_out_at_a_bounded_rate(settings: Settings) -> None:
    settings.SIGNUP_RELEASED_PER_HOUR = 3
    for number in range(10):
        email = f"reader{number}@example.org"
        wishes = {"cadence": "daily", "topics": []}
        requests.store(SubscriptionRequest(kind="subscribe", email=email, at=NOW, not_before=NOW, wishes=wishes))
    Attack.objects.begin("a test", NOW)
    requests.carry_out(NOW)
    Attack.objects.get().end(NOW)
    sent = []
    for minutes in range(0, 300, 20):
        requests.carry_out(NOW + minutes * MINUTE)
        sent.append(Letter.objects.count())
    assert (sent[0], sent[3], sent[-1]) == (3, 3, 10)
