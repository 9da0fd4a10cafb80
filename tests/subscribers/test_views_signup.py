import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from papers.models import Topic
from subscribers import links
from subscribers.leaving import erase
from subscribers.models import Letter, Subscriber, SubscriptionRequest, Suppression
from tests.conftest import NOW, carry_out_requests

SUBSCRIBE, SUBSCRIBED = reverse("subscribe"), reverse("subscribed")


def test_a_stranger_signs_up(client: Client, form: dict[str, object]) -> None:
    response = client.post(SUBSCRIBE, form, REMOTE_ADDR="203.0.113.9")
    assert response["Location"] == SUBSCRIBED
    carry_out_requests()
    carol = Subscriber.objects.get(email="carol@example.org")
    assert (carol.status, carol.zone) == ("pending", "Europe/Berlin")
    assert carol.consents.get().network == "203.0.113.0/24"


def test_the_answer_is_the_same_for_every_state_of_an_address(
    client: Client, form: dict[str, object], everybody: dict[str, Subscriber]
) -> None:
    gone = Subscriber.objects.create(email="gone@example.org")
    erase(gone, NOW)
    Suppression.objects.add("banned@example.org", Suppression.Reason.OPERATOR)
    addresses = ["new@example.org", "new@example.org", "gone@example.org", "banned@example.org"]
    addresses += [str(person.email) for person in everybody.values()]
    answers = [client.post(SUBSCRIBE, form | {"email": email}) for email in addresses]
    assert {(answer.status_code, answer["Location"], answer.content) for answer in answers} == {(302, SUBSCRIBED, b"")}


@pytest.mark.parametrize("field", ["email", "zone", "topics", "cadence", "local_hour"])
def test_what_is_far_too_long_is_not_sent_back(client: Client, form: dict[str, object], field: str) -> None:
    response = client.post(SUBSCRIBE, form | {field: "x" * 50_000})
    assert response.status_code == 422
    assert len(response.content) < 60_000


def test_the_page_after_it_knows_nobody(client: Client, bob: Subscriber) -> None:
    page = client.get(SUBSCRIBED).content.decode()
    assert "Check your inbox" in page
    assert "bob" not in page


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("email", "nobody", "does not look like an email address"),
        ("email", "a@example.org, b@example.org", "does not look like an email address"),
        ("email", "x\x00@example.org", "Null characters are not allowed"),
        ("email", "", "required"),
        ("topics", ["astrology"], "We have no topic “astrology”"),
        ("topics", ["graphs\x00"], "We have no topic"),
        ("zone", "Mars/Olympus", "is not an IANA time zone"),
        ("zone", "../../etc/passwd", "is not an IANA time zone"),
        ("zone", "localtime", "is not an IANA time zone"),
        ("zone", "Factory", "is not an IANA time zone"),
        ("zone", "UTC\x00", "Null characters are not allowed"),
        ("cadence", "hourly", "Choose every day, chosen days, every week or every month"),
        ("local_hour", "24", "Choose an hour"),
        ("local_hour", "eight", "Choose an hour"),
    ],
)
def test_what_cannot_be_is_said_in_words_and_the_form_is_kept(
    client: Client, form: dict[str, object], field: str, value: object, words: str
) -> None:
    response = client.post(SUBSCRIBE, form | {"local_hour": "17", field: value})
    page = response.content.decode()
    assert response.status_code == 422
    assert words in page
    assert 'value="graphs"' in page
    assert field == "local_hour" or '<option value="17" selected>' in page
    assert not SubscriptionRequest.objects.exists()


def test_nothing_at_all_is_answered_too(client: Client, db: None) -> None:
    assert client.post(SUBSCRIBE).status_code == 422


def test_too_many_fields_are_refused(client: Client, db: None) -> None:
    assert client.post(SUBSCRIBE, {f"f{number}": "" for number in range(1001)}).status_code == 413


def test_a_huge_form_is_refused(client: Client, db: None) -> None:
    body = "email=" + "a" * 3_000_000
    assert client.post(SUBSCRIBE, body, content_type="application/x-www-form-urlencoded").status_code == 413


def test_a_robot_in_the_trap_hears_the_same_and_leaves_nothing(client: Client, form: dict[str, object]) -> None:
    response = client.post(SUBSCRIBE, form | {"website": "https://spam.example", "email": "junk"})
    assert response["Location"] == SUBSCRIBED
    assert not SubscriptionRequest.objects.exists()


def test_without_javascript_the_zone_is_utc(client: Client, form: dict[str, object]) -> None:
    client.post(SUBSCRIBE, form | {"zone": ""})
    carry_out_requests()
    assert Subscriber.objects.get().zone == "UTC"


def test_topics_can_wait_until_later(client: Client, form: dict[str, object]) -> None:
    form.pop("topics")
    client.post(SUBSCRIBE, form)
    carry_out_requests()
    assert Subscriber.objects.get().topics.count() == 0


def test_a_link_can_choose_a_topic_beforehand(client: Client, graphs: Topic, vision: Topic) -> None:
    page = client.get(SUBSCRIBE, {"topic": ["vision", "nonsense"]}).content.decode()
    topics = re.findall(r'name="topics"\s+value="(\w+)"\s+checked', page)
    assert topics == ["vision"]


def test_the_box_costs_nothing_where_it_is_not_shown(
    client: Client, db: None, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        client.get(SUBSCRIBED)


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_other_sites_cannot_post_the_form(headers: dict[str, str], form: dict[str, object]) -> None:
    response = Client().post(SUBSCRIBE, form, headers=headers)
    assert response.status_code == 403
    assert "another site" in response.content.decode()
    assert not SubscriptionRequest.objects.exists()


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "same-origin", "Origin": "null"}, {"Origin": "http://testserver"}]
)
def test_our_own_pages_post_the_form_without_a_cookie(headers: dict[str, str], form: dict[str, object]) -> None:
    response = Client(enforce_csrf_checks=True).post(SUBSCRIBE, form, headers=headers)
    assert response.status_code == 302
    assert SubscriptionRequest.objects.get().email == form["email"]


def test_confirming_takes_a_press(client: Client, bob: Subscriber) -> None:
    path = reverse("confirm", args=[links.confirm_token(bob)])
    assert "Yes, send me the digest" in client.get(path).content.decode()
    bob.refresh_from_db()
    assert bob.status == "pending"
    welcome = client.post(path, follow=True)
    assert "You are in. Your first digest comes in a few minutes; after that" in " ".join(
        welcome.content.decode().split()
    )
    bob.refresh_from_db()
    assert bob.status == "active"


def test_confirming_again_is_kind(client: Client, bob: Subscriber) -> None:
    path = reverse("confirm", args=[links.confirm_token(bob)])
    client.post(path)
    assert "You are in already" in client.get(path).content.decode()
    assert client.post(path, follow=True).status_code == 200
    assert Letter.objects.count() == 1


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained"])
def test_an_old_confirmation_is_explained(client: Client, everybody: dict[str, Subscriber], status: str) -> None:
    response = client.post(reverse("confirm", args=[links.confirm_token(everybody[status])]))
    assert response.status_code == 409
    assert "This subscription has ended" in response.content.decode()


def test_an_expired_confirmation_offers_another(
    client: Client, bob: Subscriber, fixed_clock: time_machine.Traveller
) -> None:
    path = reverse("confirm", args=[links.confirm_token(bob)])
    fixed_clock.shift(timedelta(days=15))
    page = client.get(path)
    assert (page.status_code, "Send a new link" in page.content.decode()) == (410, True)
    assert not Letter.objects.exists()
    assert client.post(path)["Location"] == SUBSCRIBED
    assert Letter.objects.get().kind == "confirmation"
    bob.refresh_from_db()
    assert bob.status == "pending"


@pytest.mark.parametrize(("status", "words"), [("active", "You are in already"), ("unsubscribed", "Sign up once more")])
def test_an_expired_confirmation_of_nobody_waiting_tells_how_things_stand(
    client: Client, alice: Subscriber, fixed_clock: time_machine.Traveller, status: str, words: str
) -> None:
    Subscriber.objects.update(status=status, next_digest_at=None)
    path = reverse("confirm", args=[links.confirm_token(alice)])
    fixed_clock.shift(timedelta(days=15))
    for response in (client.get(path), client.post(path)):
        assert response.status_code == 410
        assert words in response.content.decode()
    assert not Letter.objects.exists()


def test_the_secret_links_work_without_cookies(bob: Subscriber) -> None:
    strict = Client(enforce_csrf_checks=True)
    response = strict.post(reverse("confirm", args=[links.confirm_token(bob)]), HTTP_ORIGIN="null")
    assert response.status_code == 302


def test_the_key_is_rotated_and_old_links_still_confirm(client: Client, bob: Subscriber, settings: Settings) -> None:
    path = reverse("confirm", args=[links.confirm_token(bob)])
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "new" * 20
    assert client.post(path).status_code == 302


def test_chosen_weekdays_are_kept(client: Client, form: dict[str, object]) -> None:
    client.post(SUBSCRIBE, form | {"cadence": "weekdays", "weekdays": ["1", "4", "4"]})
    carry_out_requests()
    carol = Subscriber.objects.get()
    assert (carol.cadence, carol.weekdays) == ("daily", 0b1001)


@pytest.mark.parametrize("days", [[], ["0"], ["8"], ["-1"], ["monday"], ["1\x00"]])
def test_days_that_are_none_are_refused_in_words(client: Client, form: dict[str, object], days: list[str]) -> None:
    response = client.post(SUBSCRIBE, form | {"cadence": "weekdays", "weekdays": days})
    assert response.status_code == 422
    assert "Choose " in response.content.decode()
    assert not SubscriptionRequest.objects.exists()


def test_days_say_nothing_about_another_rhythm(client: Client, form: dict[str, object]) -> None:
    client.post(SUBSCRIBE, form | {"weekdays": ["1"]})
    carry_out_requests()
    assert Subscriber.objects.get().weekdays == 127
