"""What was learned of a reader, and what they were sent: theirs to see, to change and to forget."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from newsletter.delivery.sending import deliver_batch
from newsletter.digest import candidates, tastes
from newsletter.models import Digest, Edition, Feedback
from papers.models import Paper, Topic
from subscribers import links
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.stubs import Relay


def path_of(subscriber: Subscriber, name: str = "learned") -> str:
    return reverse(name, args=[links.preferences_token(subscriber)])


@pytest.fixture
def said(alice: Subscriber, papers: list[Paper]) -> list[Feedback]:
    """Alice wants more of two papers and less of a third."""
    kinds = ["more", "more", "less"]
    return [
        Feedback.objects.create(subscriber=alice, paper=paper, kind=kind, at=NOW)
        for paper, kind in zip(papers, kinds, strict=False)
    ]


def words() -> list[tuple[int, str]]:
    return list(Feedback.objects.order_by("paper_id").values_list("paper_id", "kind"))


def test_every_word_is_shown_with_what_it_says_of_the_reader(
    client: Client, alice: Subscriber, said: list[Feedback]
) -> None:
    page = client.get(path_of(alice), secure=True).content.decode()
    assert all(word.paper.title in page for word in said)
    assert "You liked papers on Graph neural networks (2)." in page


def test_a_word_is_taken_back_and_that_undone(client: Client, alice: Subscriber, said: list[Feedback]) -> None:
    before = words()
    page = client.post(path_of(alice), {"paper": said[0].paper_id, "word": ""}, secure=True)
    assert words() == before[1:]
    client.post(path_of(alice), {"restore": page.context["before"]}, secure=True)
    assert words() == before


def test_a_word_is_changed_and_that_undone(client: Client, alice: Subscriber, said: list[Feedback]) -> None:
    page = client.post(path_of(alice), {"paper": said[0].paper_id, "word": "less"}, secure=True)
    assert words()[0][1] == "less"
    client.post(path_of(alice), {"restore": page.context["before"]}, secure=True)
    assert words()[0][1] == "more"


def test_the_next_digest_knows_of_a_changed_word_and_of_its_undoing(
    client: Client, alice: Subscriber, edition: Edition, said: list[Feedback]
) -> None:
    pool = candidates.load(edition)
    first = tastes.of([alice], pool, NOW)[alice.pk]
    page = client.post(path_of(alice), {"paper": said[0].paper_id, "word": "less"}, secure=True)
    assert tastes.of([alice], pool, NOW)[alice.pk] != first
    client.post(path_of(alice), {"restore": page.context["before"]}, secure=True)
    assert tastes.of([alice], pool, NOW)[alice.pk] == first


def test_everything_is_forgotten_and_that_undone(client: Client, alice: Subscriber, said: list[Feedback]) -> None:
    before = words()
    page = client.post(path_of(alice), {"all": "all"}, secure=True)
    assert "Nothing yet" in page.content.decode()
    assert words() == []
    client.post(path_of(alice), {"restore": page.context["before"]}, secure=True)
    assert words() == before


def test_an_undo_leaves_what_was_said_since(client: Client, alice: Subscriber, said: list[Feedback]) -> None:
    page = client.post(path_of(alice), {"all": "all"}, secure=True)
    Feedback.objects.create(subscriber=alice, paper=said[0].paper, kind="less", at=NOW + timedelta(minutes=1))
    client.post(path_of(alice), {"restore": page.context["before"]}, secure=True)
    assert words()[0][1] == "less"


def test_an_undo_leaves_what_another_tab_has_changed_since(
    client: Client, alice: Subscriber, said: list[Feedback]
) -> None:
    page = client.post(path_of(alice), {"paper": said[0].paper_id, "word": "less"}, secure=True)
    client.post(path_of(alice), {"paper": said[0].paper_id, "word": "saved"}, secure=True)
    client.post(path_of(alice), {"restore": page.context["before"]}, secure=True)
    assert words()[0][1] == "saved"


def test_an_undo_is_for_an_hour_and_for_its_own_reader(
    client: Client, alice: Subscriber, bob: Subscriber, said: list[Feedback], clock: time_machine.Traveller
) -> None:
    before = client.post(path_of(alice), {"all": "all"}, secure=True).context["before"]
    assert client.post(path_of(bob), {"restore": before}, secure=True).status_code == 400
    clock.shift(timedelta(minutes=61))
    answer = client.post(path_of(alice), {"restore": before}, secure=True)
    assert (answer.status_code, "more than an hour ago" in answer.content.decode()) == (409, True)
    assert words() == []


@pytest.mark.parametrize("forged", ["x", "", "é:y:z", "tampered"])
def test_an_undo_that_is_not_ours_is_told_so(
    client: Client, alice: Subscriber, said: list[Feedback], forged: str
) -> None:
    before = client.post(path_of(alice), {"all": "all"}, secure=True).context["before"]
    posted = {"restore": before[:-1] + ("a" if before[-1] != "a" else "b") if forged == "tampered" else forged}
    answer = client.post(path_of(alice), posted, secure=True)
    assert (answer.status_code, "no undo that we gave you" in answer.content.decode()) == (400, True)
    assert words() == []


def test_a_paper_may_be_saved_there_and_nothing_urges_to_forget(
    client: Client, alice: Subscriber, said: list[Feedback]
) -> None:
    page = client.get(path_of(alice), secure=True).content.decode()
    assert re.findall(r'name="word" value="saved"[^>]*>([^<]*)<', page) == ["Save"] * len(said)
    assert 'class="button"' not in page


@pytest.mark.parametrize(
    "posted", [{}, {"paper": "x"}, {"paper": "9" * 30}, {"paper": "-1"}, {"paper": "²"}, {"restore": "x"}]
)
def test_what_makes_no_sense_changes_nothing(
    client: Client, alice: Subscriber, said: list[Feedback], posted: dict[str, str]
) -> None:
    before = words()
    assert client.post(path_of(alice), posted, secure=True).status_code < 500
    assert client.post(path_of(alice), {"all": "all", "word": "hate"}, secure=True).status_code == 422
    assert words() == before


def test_nobody_sees_or_changes_the_words_of_another(
    client: Client, alice: Subscriber, bob: Subscriber, said: list[Feedback]
) -> None:
    before = words()
    assert "Nothing yet" in client.get(path_of(bob), secure=True).content.decode()
    client.post(path_of(bob), {"paper": said[0].paper_id}, secure=True)
    client.post(path_of(bob), {"all": "all"}, secure=True)
    assert words() == before


def test_the_last_digests_are_shown_with_their_reasons(
    client: Client, alice: Subscriber, graphs: Topic, edition: Edition, relay: Relay
) -> None:
    alice.topics.add(graphs)
    planned(edition, alice)
    deliver_batch()
    page = client.get(path_of(alice, "reader_digests"), secure=True).content.decode()
    rows = list(Digest.objects.get().papers.select_related("paper"))
    assert rows
    assert all(row.paper.title in page and row.reason in page for row in rows)


def test_a_digest_that_was_not_sent_is_not_among_them(client: Client, alice: Subscriber, edition: Edition) -> None:
    planned(edition, alice)
    assert "None yet" in client.get(path_of(alice, "reader_digests"), secure=True).content.decode()


@pytest.mark.parametrize("name", ["learned", "reader_digests"])
def test_a_long_past_costs_no_more_queries(
    client: Client,
    alice: Subscriber,
    said: list[Feedback],
    django_assert_max_num_queries: DjangoAssertNumQueries,
    name: str,
) -> None:
    with django_assert_max_num_queries(6):
        client.get(path_of(alice, name), secure=True)


@pytest.mark.parametrize("name", ["learned", "reader_digests", "export", "undo", "pause_until", "move"])
@pytest.mark.parametrize("token", ["x", "a.b.c", "%00", "é" * 50])
def test_a_forged_link_opens_nothing_and_tells_nothing_on(client: Client, db: None, name: str, token: str) -> None:
    answer = client.get(reverse(name, args=[token]), secure=True)
    assert answer.status_code == 404
    assert (answer["Referrer-Policy"], answer["Cache-Control"], answer["X-Robots-Tag"]) == (
        "no-referrer",
        "no-store",
        "noindex",
    )
