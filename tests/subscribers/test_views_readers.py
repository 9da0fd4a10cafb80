from collections.abc import Callable
from urllib.parse import urlencode

import pytest
from django.core import serializers
from django.db.models import Model
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from subscribers import links
from subscribers.links import Farewell
from subscribers.models import Consent, Letter, Subscriber, Suppression
from tests.conftest import NOW, carry_out_requests

Paths = Callable[[Subscriber], dict[str, str]]
ONE_CLICK = {"List-Unsubscribe": "One-Click"}
TABLES: list[type[Model]] = [Subscriber, Consent, Suppression, Letter]


def paths_of(subscriber: Subscriber) -> dict[str, str]:
    """Every page that a secret opens, by name."""
    signed, key = links.preferences_token(subscriber), subscriber.leave_key
    undo = links.undo_token(Farewell(subscriber, Subscriber.Status.ACTIVE, subscriber.status_changed_at))
    secrets = {
        "confirm": links.confirm_token(subscriber),
        "preferences": signed,
        "erase": signed,
        "resume": signed,
        "leave": key,
        "less_often": key,
        "pause": key,
        "one_click": key,
        "leave_undo": undo,
        "take_back": links.back_token(subscriber, subscriber.version),
    }
    return {name: reverse(name, args=[secret]) for name, secret in secrets.items()}


def everything() -> list[str]:
    """All that we know, to see that nothing has changed."""
    return [serializers.serialize("json", table.objects.order_by("pk")) for table in TABLES]  # type: ignore[attr-defined]


def fresh(subscriber: Subscriber) -> Subscriber:
    return Subscriber.objects.get(pk=subscriber.pk)


@pytest.mark.parametrize("method", ["get", "head", "options"])
def test_looking_changes_nothing(client: Client, everybody: dict[str, Subscriber], method: str) -> None:
    open_pages = [
        reverse(name) for name in ("subscribe", "subscribed", "send_preferences_link", "preferences_link_sent")
    ]
    secret_pages = [path for person in everybody.values() for path in paths_of(person).values()]
    before = everything()
    for path in open_pages + secret_pages:
        assert getattr(client, method)(path).status_code in (200, 405, 409)
    assert everything() == before


@pytest.mark.parametrize(
    "spoil", [lambda p: p + ">", lambda p: p[:-3], lambda p: p + "/", lambda p: p + "%00", lambda p: p + "=3D"]
)
def test_a_spoilt_link_is_answered_in_words_and_changes_nothing(
    client: Client, alice: Subscriber, spoil: Callable[[str], str]
) -> None:
    before = everything()
    for name, path in paths_of(alice).items():
        response = client.post(spoil(path), ONE_CLICK)
        assert (name, response.status_code) == (name, 404)
        assert "This link" in response.content.decode()
    assert everything() == before


def test_a_token_of_another_purpose_changes_nothing(client: Client, alice: Subscriber) -> None:
    before = everything()
    token = links.confirm_token(alice)
    for name in set(paths_of(alice)) - {"confirm"}:
        assert client.post(reverse(name, args=[token]), ONE_CLICK).status_code == 404
    assert everything() == before


def test_secret_pages_tell_nobody_their_address(client: Client, alice: Subscriber) -> None:
    for path in [*paths_of(alice).values(), reverse("leave", args=["nonsense"])]:
        response = client.get(path)
        assert response["Referrer-Policy"] == "no-referrer"
        assert response["Cache-Control"] == "no-store"
        assert response["X-Robots-Tag"] == "noindex"


def test_preferences_are_shown_as_they_are(client: Client, alice: Subscriber) -> None:
    page = client.get(paths_of(alice)["preferences"]).content.decode()
    assert "Your next digest comes to <bdi>alice@example.org</bdi> in a few minutes." in page
    assert '<option value="Europe/Berlin" selected>' in page
    assert "Choose none, and you get the best of everything." in page


def test_preferences_without_a_topic_are_saved(client: Client, alice: Subscriber, choices: dict[str, object]) -> None:
    wish = choices | {"topics": [], "digest_size": "7"}
    assert client.post(paths_of(alice)["preferences"], wish).status_code == 302
    alice.refresh_from_db()
    assert (alice.digest_size, alice.topics.count()) == (7, 0)


def test_preferences_are_saved(client: Client, alice: Subscriber, choices: dict[str, object]) -> None:
    wish = choices | {
        "cadence": "weekly",
        "weekday": "3",
        "local_hour": "18",
        "zone": "Asia/Tokyo",
        "digest_size": "12",
    }
    response = client.post(paths_of(alice)["preferences"], wish, follow=True)
    assert "Saved." in response.content.decode()
    now = fresh(alice)
    assert (now.cadence, now.weekday, now.local_hour, now.zone, now.digest_size) == ("weekly", 3, 18, "Asia/Tokyo", 12)
    assert [topic.slug for topic in now.topics.all()] == ["vision"]
    assert str(now.next_digest_at) == "2026-03-25 09:00:00+00:00"
    assert now.consents.get().words == "every Wednesday at 18:00, Tokyo time: Computer vision"


def test_saving_other_topics_keeps_the_promised_digest(
    client: Client, bob: Subscriber, choices: dict[str, object]
) -> None:
    client.post(paths_of(bob)["confirm"])
    promised = fresh(bob).next_digest_at
    client.post(paths_of(bob)["preferences"], choices | {"local_hour": "20"})
    assert fresh(bob).next_digest_at == promised
    assert fresh(bob).local_hour == 20


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("topics", ["astrology"], "We have no topic"),
        ("zone", "Mars/Olympus", "is not an IANA time zone"),
        ("weekday", "8", "Choose a day of the week"),
        ("digest_size", "21", "Choose how many papers"),
        ("digest_size", "9" * 5000, "Choose how many papers"),
    ],
)
def test_wishes_that_cannot_be_are_refused(  # noqa: PLR0917 - pytest passes them by name
    client: Client, alice: Subscriber, choices: dict[str, object], field: str, value: object, words: str
) -> None:
    before = everything()
    response = client.post(paths_of(alice)["preferences"], choices | {field: value})
    assert response.status_code == 422
    assert words in response.content.decode()
    assert everything() == before


def test_who_has_left_cannot_come_back_by_an_old_preferences_link(
    client: Client, everybody: dict[str, Subscriber], choices: dict[str, object]
) -> None:
    for status in ("unsubscribed", "bounced", "complained", "pending"):
        paths = paths_of(everybody[status])
        assert "You are not subscribed" in client.post(paths["preferences"], choices).content.decode()
        client.post(paths["resume"])
        assert fresh(everybody[status]).status == status


def test_the_link_by_mail_is_promised_to_everybody_and_owed_to_readers(
    client: Client, everybody: dict[str, Subscriber]
) -> None:
    addresses = ["new@example.org", *(person.email for person in everybody.values())]
    answers = {client.post(reverse("send_preferences_link"), {"email": email})["Location"] for email in addresses}
    assert answers == {reverse("preferences_link_sent")}
    carry_out_requests()
    owed = set(Letter.objects.values_list("subscriber__status", "kind"))
    assert owed == {("active", "preferences"), ("paused", "preferences"), ("pending", "confirmation")}


def test_an_address_that_is_none_gets_no_link(client: Client, db: None) -> None:
    assert client.post(reverse("send_preferences_link"), {"email": "nobody\x00"}).status_code == 422


def test_leaving_is_one_press_and_offers_come_after_it(client: Client, alice: Subscriber) -> None:
    before = client.get(paths_of(alice)["leave"]).content.decode()
    assert "Pause" not in before
    after = client.post(paths_of(alice)["leave"], follow=True).content.decode()
    assert fresh(alice).status == "unsubscribed"
    assert all(offer in after for offer in ("You have left", "Undo", "Send it every week instead", "Pause instead"))


def test_leaving_again_is_kind(client: Client, alice: Subscriber) -> None:
    answers = [client.post(paths_of(alice)["leave"], follow=True).status_code for _ in range(2)]
    assert answers == [200, 200]
    assert alice.letters.count() == 1


@pytest.mark.parametrize(
    ("instead", "status", "cadence"),
    [("", "active", "daily"), ("less_often", "active", "weekly"), ("pause", "paused", "daily")],
)
def test_a_leave_can_be_taken_back(client: Client, alice: Subscriber, instead: str, status: str, cadence: str) -> None:
    undo = client.post(paths_of(alice)["leave"])["Location"]
    assert client.post(undo, {"instead": instead}).status_code == 200
    assert (fresh(alice).status, fresh(alice).cadence) == (status, cadence)


def test_an_unknown_way_back_is_refused(client: Client, alice: Subscriber) -> None:
    undo = client.post(paths_of(alice)["leave"])["Location"]
    assert client.post(undo, {"instead": "everything"}).status_code == 422
    assert fresh(alice).status == "unsubscribed"


def test_an_undo_pressed_twice_says_so(client: Client, alice: Subscriber) -> None:
    undo = client.post(paths_of(alice)["leave"])["Location"]
    assert [client.post(undo).status_code for _ in range(2)] == [200, 409]
    assert "there is nothing to undo" in client.get(undo).content.decode()


def test_less_often_is_one_step_however_often_it_is_pressed(client: Client, alice: Subscriber) -> None:
    for _ in range(2):
        client.post(paths_of(alice)["less_often"], {"from": "daily"})
    assert fresh(alice).cadence == "weekly"


def test_a_pause_and_its_end(client: Client, alice: Subscriber) -> None:
    page = client.post(paths_of(alice)["pause"], follow=True).content.decode()
    assert "Nothing will be mailed until you resume" in page
    assert fresh(alice).status == "paused"
    client.post(paths_of(alice)["resume"])
    assert fresh(alice).status == "active"


def test_erasing_takes_a_second_press(client: Client, alice: Subscriber) -> None:
    erase = paths_of(alice)["erase"]
    assert "will be gone for good" in client.get(erase).content.decode()
    assert "We have forgotten you" in client.post(erase).content.decode()
    assert fresh(alice).email is None
    assert client.post(erase).status_code == 404


@pytest.mark.parametrize("encoding", ["urlencoded", "multipart"])
def test_one_click_leaves_in_both_encodings_and_again(alice: Subscriber, encoding: str) -> None:
    machine = Client(enforce_csrf_checks=True)
    body = {"data": ONE_CLICK}
    if encoding == "urlencoded":
        body = {"data": urlencode(ONE_CLICK), "content_type": "application/x-www-form-urlencoded"}
    answers = [machine.post(paths_of(alice)["one_click"], **body) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [200, 200]
    assert not any(answer.cookies for answer in answers)
    assert fresh(alice).status == "unsubscribed"


def test_one_click_mails_nothing_more(client: Client, alice: Subscriber) -> None:
    client.post(paths_of(alice)["one_click"], ONE_CLICK)
    assert not Letter.objects.exists()
    assert alice.consents.get().page == "one click"


def test_one_click_outlives_the_secret_key(client: Client, alice: Subscriber, settings: Settings) -> None:
    settings.SECRET_KEY = "rotated" * 10
    assert client.post(paths_of(alice)["one_click"], ONE_CLICK).status_code == 200
    assert fresh(alice).status == "unsubscribed"


@pytest.mark.parametrize("method", ["get", "head", "options", "put", "delete"])
def test_one_click_takes_a_post_only(client: Client, alice: Subscriber, method: str) -> None:
    response = getattr(client, method)(paths_of(alice)["one_click"])
    assert (response.status_code, response["Allow"]) == (405, "POST")
    assert fresh(alice).status == "active"


@pytest.mark.parametrize("body", [{}, {"List-Unsubscribe": "Maybe"}, {"other": "One-Click"}])
def test_one_click_wants_its_words(client: Client, alice: Subscriber, body: dict[str, str]) -> None:
    assert client.post(paths_of(alice)["one_click"], body).status_code == 400
    assert fresh(alice).status == "active"


def test_one_click_of_an_unknown_key_is_not_found(client: Client, db: None) -> None:
    response = client.post(reverse("one_click", args=["A" * 22]), ONE_CLICK)
    assert (response.status_code, response["Content-Type"]) == (404, "text/plain; charset=utf-8")
    assert "We know nobody by this link" in response.content.decode()


@pytest.mark.parametrize("name", ["leave", "less_often", "pause"])
@pytest.mark.parametrize("method", ["get", "post"])
def test_an_old_mail_offers_nothing_to_the_erased(client: Client, alice: Subscriber, name: str, method: str) -> None:
    client.post(paths_of(alice)["erase"])
    page = getattr(client, method)(paths_of(alice)[name]).content.decode()
    assert "We have forgotten you" in page
    assert reverse("subscribe") not in page.partition("<main")[2].partition("</main>")[0]


def test_one_click_of_the_erased_is_well(client: Client, alice: Subscriber) -> None:
    client.post(paths_of(alice)["erase"])
    assert client.post(paths_of(alice)["one_click"], ONE_CLICK).status_code == 200


def test_the_undo_shows_nothing_of_its_reader(client: Client, alice: Subscriber) -> None:
    page = client.post(paths_of(alice)["leave"], follow=True).content.decode()
    assert "alice" not in page
    assert links.preferences_url(alice) not in page


def test_what_was_left_is_dated(client: Client, alice: Subscriber) -> None:
    client.post(paths_of(alice)["leave"])
    assert fresh(alice).status_changed_at == NOW
