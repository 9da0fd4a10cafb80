"""From the stored request to the letter: nothing is lost, nothing happens twice, nothing blocks."""

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from papers.models import Topic
from subscribers import requests, signup
from subscribers.leaving import erase
from subscribers.models import Attack, Letter, Subscriber, SubscriptionRequest
from subscribers.signals import request_stored
from subscribers.tasks import forget
from subscribers.wishes import Wishes
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)


def wish(email: str, **fields: object) -> SubscriptionRequest:
    given = {"kind": "subscribe", "wishes": Wishes().as_json(), "network": "192.0.2.0/24"} | fields
    request = SubscriptionRequest(email=email, at=NOW, not_before=NOW, **given)
    requests.store(request)
    return request


def mailed() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("subscriber__email", flat=True))


def held() -> dict[str, str]:
    return dict(SubscriptionRequest.objects.held().values_list("email", "reason"))


def test_a_request_is_carried_out_once_and_forgotten(graphs: Topic) -> None:
    wish("carol@example.org", wishes=Wishes((graphs,), local_hour=18, zone="Asia/Tokyo").as_json())
    assert [requests.carry_out(NOW), requests.carry_out(NOW)] == [1, 0]
    carol = Subscriber.objects.get()
    assert (list(carol.topics.all()), carol.local_hour, carol.zone) == ([graphs], 18, "Asia/Tokyo")
    assert mailed() == ["carol@example.org"]
    assert not SubscriptionRequest.objects.exists()


def test_a_topic_that_is_gone_meanwhile_is_left_out(graphs: Topic, vision: Topic) -> None:
    wish("carol@example.org", wishes=Wishes((graphs, vision)).as_json())
    graphs.delete()
    requests.carry_out(NOW)
    assert list(Subscriber.objects.get().topics.all()) == [vision]


def test_storing_wakes_the_worker_after_commit(
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard: list[int] = []
    monkeypatch.setattr(request_stored, "send_robust", lambda sender, request_id: heard.append(request_id))
    with django_capture_on_commit_callbacks(execute=True):
        stored = wish("carol@example.org")
        assert heard == []
    assert heard == [stored.pk]


def test_two_workers_do_not_carry_out_the_same_request() -> None:
    request = wish("carol@example.org")
    slow, quick = (SubscriptionRequest.objects.get(pk=request.pk) for _ in range(2))
    assert [quick.take(NOW, MINUTE), slow.take(NOW, MINUTE)] == [True, False]
    assert [slow.finish(), quick.finish(), quick.finish()] == [False, True, False]


def test_what_a_killed_worker_had_in_hand_is_taken_up_when_its_lease_ends() -> None:
    request = wish("carol@example.org")
    request.take(NOW, requests.LEASE)
    assert [requests.carry_out(NOW + MINUTE), requests.carry_out(NOW + requests.LEASE)] == [0, 1]
    assert mailed() == ["carol@example.org"]


def test_one_that_breaks_keeps_no_other_and_ends_with_an_operator(caplog: pytest.LogCaptureFixture) -> None:
    wish("poison@example.org", wishes={"cadence": "hourly", "topics": []})
    wish("carol@example.org")
    for tries in range(8):
        requests.carry_out(NOW + tries * requests.RETRY)
    assert mailed() == ["carol@example.org"]
    assert held() == {"poison@example.org": "broken"}
    assert "ValueError" in caplog.text
    assert "poison" not in caplog.text


def test_nothing_of_one_that_breaks_half_way_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    wish("carol@example.org")
    monkeypatch.setattr(requests, "hindrance", lambda *_: 1 / 0)
    requests.carry_out(NOW)
    assert not Subscriber.objects.exists()
    monkeypatch.undo()
    requests.carry_out(NOW + requests.RETRY)
    assert mailed() == ["carol@example.org"]


@pytest.mark.parametrize("other", ["c.arol@gmail.com", "carol+x@gmail.com", "carol@googlemail.com"])
def test_a_mailbox_gets_one_letter_a_day_however_it_is_spelt(other: str) -> None:
    wish("carol@gmail.com")
    for _ in range(5):
        wish(other)
    requests.carry_out(NOW)
    assert mailed() == ["carol@gmail.com"]
    assert held() == {other: "mailbox"}
    requests.carry_out(NOW + 27 * HOUR)
    assert mailed() == ["carol@gmail.com", other]


def test_a_stranger_who_spells_it_otherwise_does_not_keep_a_person_out(settings: Settings) -> None:
    settings.SIGNUP_LETTERS_PER_NETWORK = 0
    wish("carol+junk@gmail.com", network="198.51.100.0/24")
    requests.carry_out(NOW)
    settings.SIGNUP_LETTERS_PER_NETWORK = 5
    wish("carol@gmail.com")
    requests.carry_out(NOW)
    assert mailed() == ["carol@gmail.com"]


def test_what_comes_with_a_proof_is_not_lost_to_a_later_one_without() -> None:
    wish("carol@example.org", proven=True)
    wish("carol@example.org")
    Attack.objects.begin("a test", NOW)
    requests.carry_out(NOW)
    assert mailed() == ["carol@example.org"]


def test_a_mailbox_gets_few_letters_a_month(settings: Settings) -> None:
    settings.SIGNUP_LETTERS_PER_MAILBOX = 2
    for day in range(5):
        wish(f"carol+{day}@gmail.com")
        requests.carry_out(NOW + day * 2 * DAY)
    assert len(mailed()) == 2


@pytest.mark.parametrize(
    ("limit", "reason"),
    [
        ("SIGNUP_LETTERS_PER_NETWORK", "network"),
        ("SIGNUP_LETTERS_PER_DOMAIN", "domain"),
        ("SIGNUP_LETTERS_PER_HOUR", "everybody"),
    ],
)
def test_what_is_too_much_is_held_and_goes_out_when_there_is_room(settings: Settings, limit: str, reason: str) -> None:
    setattr(settings, limit, 2)
    for number in range(5):
        wish(f"reader{number}@example.org")
    sent = []
    for minutes in range(0, 250, 25):
        requests.carry_out(NOW + minutes * MINUTE)
        sent.append(len(mailed()))
        if minutes == 0:
            assert set(held().values()) == {reason}
    assert (sent[0], sent[2], sent[-1]) == (2, 2, 5)
    assert mailed() == [f"reader{number}@example.org" for number in range(5)]


def test_a_big_provider_has_more_room_than_others(settings: Settings) -> None:
    settings.SIGNUP_LETTERS_PER_DOMAIN, settings.SIGNUP_BIG_DOMAINS = 1, ["big.example"]
    for domain in ("big.example", "small.example"):
        for number in range(3):
            wish(f"reader{number}@{domain}")
    requests.carry_out(NOW)
    assert len(mailed()) == 4


def test_an_operator_lets_through_what_a_limit_holds(settings: Settings, admin_client: Client) -> None:
    settings.SIGNUP_LETTERS_PER_HOUR = 0
    rows = [wish("carol@example.org"), wish("dave@example.org")]
    requests.carry_out(NOW)
    path = reverse("admin:subscribers_subscriptionrequest_changelist")
    for action, row in zip(["release", "discard"], rows, strict=True):
        page = admin_client.post(path, {"action": action, "_selected_action": [row.pk]}, follow=True)
        assert f"1 {action}" in page.content.decode()
    requests.carry_out(NOW)
    assert mailed() == ["carol@example.org"]
    assert not SubscriptionRequest.objects.exists()


def test_what_is_held_is_found_by_reason_and_by_the_beginning_of_its_address(
    settings: Settings, admin_client: Client
) -> None:
    settings.SIGNUP_LETTERS_PER_HOUR = 0
    wish("carol@example.org")
    requests.carry_out(NOW)
    path = reverse("admin:subscribers_subscriptionrequest_changelist")
    for query, found in [({"reason__exact": "everybody"}, 1), ({"reason__exact": "attack"}, 0), ({"q": "Carol@"}, 1)]:
        assert admin_client.get(path, query).context["cl"].result_count == found
    assert admin_client.post(reverse("admin:subscribers_subscriptionrequest_add")).status_code == 403


def test_what_is_held_is_forgotten_with_the_unconfirmed(settings: Settings, fixed_clock: object) -> None:
    wish("carol@example.org")
    SubscriptionRequest.objects.update(at=NOW - 15 * DAY)
    wish("dave@example.org")
    forget()
    assert SubscriptionRequest.objects.get().email == "dave@example.org"


def test_erasing_a_reader_erases_what_they_asked_for(alice: Subscriber) -> None:
    wish("alice@example.org")
    erase(alice, NOW)
    assert not SubscriptionRequest.objects.exists()


def test_an_address_that_asks_twice_gets_the_newer_wish(graphs: Topic, vision: Topic) -> None:
    for topic in (graphs, vision):
        wish("carol@example.org", wishes=Wishes((topic,)).as_json())
    requests.carry_out(NOW)
    assert list(Subscriber.objects.get().topics.all()) == [vision]
    assert mailed() == ["carol@example.org"]
    assert str(signup.CONSENT_WORDS) in str(list(Subscriber.objects.get().consents.values("words")))
