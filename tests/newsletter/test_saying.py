"""More like this, less, save: from the mail, without a login, and taken back as easily."""

import re
import uuid
from datetime import timedelta
from email.message import EmailMessage

import pytest
import time_machine
from django.test import Client
from django.urls import reverse

from newsletter.delivery.sending import deliver_batch
from newsletter.digest import candidates, tastes
from newsletter.models import Digest, Edition, Feedback
from papers.models import Topic
from subscribers import leaving, links
from subscribers.models import Consent, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.stubs import Relay


@pytest.fixture
def digest(alice: Subscriber, graphs: Topic, edition: Edition, relay: Relay) -> Digest:
    """Alice's, as it was mailed."""
    alice.topics.add(graphs)
    digest = planned(edition, alice)
    deliver_batch()
    digest.refresh_from_db()
    assert digest.status == "accepted"
    return digest


def path(digest: Digest, word: str = "more", place: int = 1) -> str:
    return reverse("say", args=[digest.key, place, word])


def said() -> list[tuple[int, str]]:
    return list(Feedback.objects.order_by("pk").values_list("paper_id", "kind"))


def first(digest: Digest) -> int:
    """The paper in its first place."""
    return digest.papers.get(place=1).paper_id


def test_each_paper_of_the_mail_has_its_three_links(digest: Digest, relay: Relay, client: Client) -> None:
    [mail] = relay.accepted
    assert isinstance(mail, EmailMessage)
    text = mail.get_body(("plain",)).get_content()  # type: ignore[union-attr]
    found = re.findall(r"https://papers\.example(/digests/\S+/(?:more|less|saved)/)", text)
    rows = list(digest.papers.all())
    assert found == [path(digest, word, row.place) for row in rows for word in ("more", "less", "saved")]
    for row in rows:
        assert row.paper.title in client.get(path(digest, "more", row.place), secure=True).content.decode()


@pytest.mark.parametrize("word", ["more", "less", "saved"])
def test_a_press_of_the_button_says_it_once(digest: Digest, client: Client, word: str) -> None:
    assert client.get(path(digest, word), secure=True).status_code == 200
    assert said() == []
    for _ in range(2):
        answer = client.post(path(digest, word), secure=True, follow=True)
        assert "Take it back" in answer.content.decode()
    assert said() == [(first(digest), word)]


@pytest.mark.parametrize("word", ["more", "less", "saved"])
def test_the_button_of_the_word_that_was_asked_for_stands_first(digest: Digest, client: Client, word: str) -> None:
    page = client.get(path(digest, word), secure=True).content.decode()
    buttons = re.findall(r'<button class="([^"]*)"[^>]*name="word" value="(\w+)"', page)
    assert buttons[0] == ("button", word)
    assert {value for _, value in buttons} == {"more", "less", "saved"}
    assert all(look == "button quiet" for look, _ in buttons[1:])


def test_the_word_that_was_asked_for_stays_first_when_another_was_said(digest: Digest, client: Client) -> None:
    client.post(path(digest), secure=True)
    page = client.get(path(digest, "less"), secure=True).content.decode()
    assert "Less like this?" in page
    assert "You said “more like this” on" in page
    buttons = re.findall(r'<button class="([^"]*)"[^>]*name="word" value="(\w*)"', page)
    assert buttons == [("button", "less"), ("button quiet", "saved"), ("button quiet", "")]


def test_a_word_is_changed_and_taken_back(digest: Digest, client: Client, clock: time_machine.Traveller) -> None:
    client.post(path(digest), {"word": "more"}, secure=True)
    clock.shift(timedelta(hours=1))
    page = client.post(path(digest), {"word": "less"}, secure=True, follow=True).content.decode()
    assert "You said less like this" in page
    assert Feedback.objects.get().at == NOW + timedelta(hours=1)
    page = client.post(path(digest), {"word": ""}, secure=True, follow=True).content.decode()
    assert "More like this?" in page
    assert said() == []


def test_what_was_said_before_stands_again_when_the_last_word_is_taken_back(
    digest: Digest, client: Client, clock: time_machine.Traveller
) -> None:
    client.post(path(digest), secure=True)
    clock.shift(timedelta(hours=1))
    page = client.post(path(digest, "saved"), secure=True, follow=True).content.decode()
    assert "Before, you said “more like this”." in page
    before = dict(re.findall(r'type="hidden" name="(before)" value="(\w+)"', page))
    page = client.post(path(digest, "saved"), {"word": "", **before}, secure=True, follow=True).content.decode()
    assert "You said more like this" in page
    assert (said(), Feedback.objects.get().at) == ([(first(digest), "more")], NOW + timedelta(hours=1))
    client.post(path(digest), {"word": ""}, secure=True)
    assert said() == []


def test_nothing_stands_again_where_nothing_is_said_any_more(digest: Digest, client: Client) -> None:
    assert client.post(path(digest, "saved"), {"word": "", "before": "more"}, secure=True).status_code == 302
    assert said() == []


@pytest.mark.parametrize("before", ["hate", "more\x00", "saved"])
def test_a_word_before_that_nobody_said_is_passed_over(digest: Digest, client: Client, before: str) -> None:
    client.post(path(digest, "saved"), secure=True)
    assert client.get(path(digest, "saved"), {"before": before}, secure=True).status_code == 200
    assert client.post(path(digest, "saved"), {"word": "", "before": before}, secure=True).status_code == 302
    assert said() in ([], [(first(digest), "saved")])


def test_the_next_digest_looks_for_it(digest: Digest, alice: Subscriber, client: Client) -> None:
    client.post(path(digest), secure=True)
    taste = tastes.of([alice], candidates.load(digest.edition), NOW)[alice.pk]
    assert taste.terms
    page = client.get(reverse("learned", args=[links.preferences_token(alice)]), secure=True).content.decode()
    shown = re.search(r"look for: ([^.]*)\.", page)
    assert shown
    assert set(shown[1].split(", ")) <= set(taste.terms)


def test_the_last_digests_show_what_was_said_and_where_to_say_more(
    digest: Digest, alice: Subscriber, client: Client
) -> None:
    client.post(path(digest), secure=True)
    page = client.get(reverse("reader_digests", args=[links.preferences_token(alice)]), secure=True).content.decode()
    assert page.count("You said “more like this”.") == 1
    assert all(path(digest, "less", row.place) in page for row in digest.papers.all())


def test_the_web_copy_offers_the_same(digest: Digest, client: Client) -> None:
    page = client.get(reverse("web_copy", args=[digest.key]), secure=True).content.decode()
    assert all(path(digest, word) in page for word in ("more", "less", "saved"))


def test_the_page_keeps_its_address_to_itself(digest: Digest, client: Client) -> None:
    for answer in (client.get(path(digest), secure=True), client.post(path(digest), secure=True)):
        assert (answer["Referrer-Policy"], answer["Cache-Control"], answer["X-Robots-Tag"]) == (
            "no-referrer",
            "no-store",
            "noindex",
        )
        assert not answer.cookies


@pytest.mark.parametrize("posted", [{"word": "hate"}, {"word": "more\x00"}, {"word": "x" * 9999}])
def test_an_unknown_word_changes_nothing(digest: Digest, client: Client, posted: dict[str, str]) -> None:
    assert client.post(path(digest), posted, secure=True).status_code == 422
    assert said() == []


@pytest.mark.parametrize("way", ["another digest", "another place", "another word", "a huge place"])
def test_a_link_that_is_not_ours_says_nothing(digest: Digest, client: Client, way: str) -> None:
    args = {
        "another digest": [Digest(uid=uuid.uuid4()).key, 1, "more"],
        "its uid alone": [digest.uid, 1, "more"],
        "another place": [digest.key, 99, "more"],
        "another word": [digest.key, 1, "hate"],
        "a huge place": [digest.key, 10**30, "more"],
    }[way]
    assert client.post(reverse("say", args=args), secure=True).status_code == 404
    assert said() == []


def test_a_digest_that_was_not_sent_has_no_such_pages(digest: Digest, client: Client) -> None:
    Digest.objects.update(status="skipped", reason="quiet")
    assert client.post(path(digest), secure=True).status_code == 404


def test_the_links_die_with_the_readers_data(digest: Digest, alice: Subscriber, client: Client) -> None:
    assert leaving.erase(alice, NOW)
    assert client.post(path(digest), secure=True).status_code == 404
    assert said() == []


def test_the_links_of_an_address_that_the_reader_left_are_dead(
    digest: Digest, alice: Subscriber, client: Client
) -> None:
    Consent.objects.create(subscriber=alice, action="changed", page="address", at=NOW + timedelta(days=1))
    for name, args in (("say", [digest.key, 1, "more"]), ("web_copy", [digest.key])):
        assert client.get(reverse(name, args=args), secure=True).status_code == 404
