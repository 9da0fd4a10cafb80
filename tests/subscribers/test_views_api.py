"""Signing up by JSON."""

import json
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.http import HttpResponse
from django.test import Client
from django.urls import reverse

from papers.models import Topic
from subscribers.models import IdempotencyKey, Subscriber, SubscriptionRequest, Suppression
from subscribers.tasks import forget
from tests.conftest import carry_out_requests

PATH = reverse("subscriptions")
DAY = timedelta(days=1)
DAVE = {"email": "dave@example.org"}


def post(body: object, **headers: str) -> HttpResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body)
    client: Any = Client(enforce_csrf_checks=True)
    answer: HttpResponse = client.post(PATH, raw, content_type="application/json", headers=headers)
    return answer


def with_key(body: object, key: str = "k-1") -> int:
    return post(body, **{"Idempotency-Key": key}).status_code


def test_a_program_signs_somebody_up(graphs: Topic) -> None:
    wish = {"topics": ["graphs"], "cadence": "weekdays", "weekdays": [1, 4], "local_hour": 18, "zone": "Asia/Tokyo"}
    assert post({"email": "Dave@Example.org", **wish}).status_code == 202
    carry_out_requests()
    dave = Subscriber.objects.get()
    assert (dave.email, dave.weekdays, dave.local_hour, dave.zone) == ("dave@example.org", 0b1001, 18, "Asia/Tokyo")
    assert list(dave.topics.all()) == [graphs]
    assert dave.consents.get().page == "api"


def test_the_answer_is_the_same_for_every_state_of_an_address(everybody: dict[str, Subscriber]) -> None:
    Suppression.objects.add("banned@example.org", Suppression.Reason.OPERATOR)
    addresses = ["new@example.org", "banned@example.org", *(person.email for person in everybody.values())]
    answers = [post({"email": email}) for email in addresses]
    assert {(answer.status_code, answer.content, answer["Cache-Control"]) for answer in answers} == {
        (202, answers[0].content, "no-store")
    }


def test_a_repeat_with_its_key_does_nothing_more(db: None, fixed_clock: time_machine.Traveller) -> None:
    assert with_key(DAVE) == 202
    SubscriptionRequest.objects.all().delete()
    assert with_key(DAVE) == 202
    assert not SubscriptionRequest.objects.exists()


def test_a_key_stands_for_one_body_only(db: None) -> None:
    assert [with_key(DAVE), with_key({"email": "eve@example.org"}), with_key(DAVE, "k-2")] == [202, 422, 202]
    assert set(SubscriptionRequest.objects.values_list("email", flat=True)) == {"dave@example.org"}


def test_a_bad_request_uses_up_no_key(db: None) -> None:
    assert [with_key({"email": "dave"}), with_key(DAVE)] == [422, 202]


def test_a_key_is_forgotten_after_a_day_and_names_nobody(db: None, fixed_clock: time_machine.Traveller) -> None:
    with_key(DAVE)
    assert "dave" not in str(IdempotencyKey.objects.values().get())
    fixed_clock.shift(DAY + timedelta(seconds=1))
    assert with_key({"email": "eve@example.org"}) == 202
    fixed_clock.shift(2 * DAY)
    forget()
    assert not IdempotencyKey.objects.exists()


@pytest.mark.parametrize("key", ["", "x" * 256, "\u2028"])
def test_a_key_that_is_none_is_refused(db: None, key: str) -> None:
    assert with_key(DAVE, key) == 400
    assert not SubscriptionRequest.objects.exists()


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400),
        (b"\xff\xfe", 400),
        (b"[" * 15_000, 400),
        (b" " * 30_000, 413),
        (b" " * 3_000_000, 413),
        ([], 422),
        (None, 422),
        ({}, 422),
        ({"email": None}, 422),
        ({"email": ["dave@example.org"]}, 422),
        ({"email": True}, 422),
        ({"email": "dave@example.org\r\nBcc: x@example.org"}, 422),
        ({"email": "dave@example.org\n"}, 422),
        ({"email": "\u2028dave@example.org"}, 422),
        ({"email": "\ud800@example.org"}, 422),
        (DAVE | {"topics": "graphs"}, 422),
        (DAVE | {"topics": ["nonsense"]}, 422),
        (DAVE | {"topics": [-1]}, 422),
        (DAVE | {"topics": [{}]}, 422),
        (DAVE | {"zone": "Mars/Olympus"}, 422),
        (DAVE | {"local_hour": 24}, 422),
        (DAVE | {"local_hour": 8.5}, 422),
        (DAVE | {"cadence": "hourly"}, 422),
        (DAVE | {"cadence": "weekdays"}, 422),
        (DAVE | {"website": "x"}, 422),
        (DAVE | {"status": "active"}, 422),
    ],
)
def test_what_cannot_be_is_said_in_words(db: None, body: object, status: int) -> None:
    answer = post(body)
    assert answer.status_code == status
    assert json.loads(answer.content)["detail"]
    assert not SubscriptionRequest.objects.exists()


def test_pages_of_other_sites_cannot_post(db: None) -> None:
    assert post(DAVE, Origin="https://evil.example").status_code == 403
    assert post(DAVE, **{"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert Client().post(PATH, DAVE).status_code == 415
    assert not SubscriptionRequest.objects.exists()


def test_there_is_nothing_to_read(client: Client, db: None) -> None:
    answer = client.get(PATH)
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
