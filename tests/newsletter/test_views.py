"""A sample now, and a digest on the web."""

import uuid

import pytest
from django.test import Client
from django.urls import reverse

from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest
from papers.models import Paper
from papers.tasks import nudge
from subscribers import links
from subscribers.models import Subscriber
from tests.stubs import Relay


def sample_path(subscriber: Subscriber) -> str:
    token = links.preferences_url(subscriber).rstrip("/").rpartition("/")[2]
    return reverse("sample", args=[token])


def test_a_sample_is_sent_on_request(alice: Subscriber, papers: list[Paper], relay: Relay, client: Client) -> None:
    answer = client.post(sample_path(alice), secure=True)
    assert "on its way" in answer.content.decode()
    deliver_batch()
    assert relay.recipients == ["alice@example.org"]


def test_a_second_sample_of_the_day_is_declined_kindly(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    client.post(sample_path(alice), secure=True)
    answer = client.post(sample_path(alice), secure=True)
    assert "today’s sample" in answer.content.decode()
    assert Digest.objects.count() == 1


def test_nobody_unconfirmed_gets_a_sample(bob: Subscriber, papers: list[Paper], client: Client) -> None:
    answer = client.post(sample_path(bob), secure=True)
    assert "can’t send" in answer.content.decode()
    assert not Digest.objects.exists()


def test_asking_by_get_changes_nothing(alice: Subscriber, client: Client) -> None:
    assert client.get(sample_path(alice), secure=True).status_code == 405


@pytest.mark.parametrize("token", ["x", "a:b:c", "%00", "é" * 50])
def test_a_forged_link_sends_nothing(alice: Subscriber, client: Client, token: str) -> None:
    answer = client.post(reverse("sample", args=[token]), secure=True)
    assert answer.status_code in {400, 404, 410}
    assert not Digest.objects.exists()


def test_a_sent_digest_can_be_read_on_the_web(
    alice: Subscriber, papers: list[Paper], relay: Relay, client: Client
) -> None:
    client.post(sample_path(alice), secure=True)
    deliver_batch()
    answer = client.get(reverse("web_copy", args=[Digest.objects.get().key]), secure=True)
    assert papers[0].title in answer.content.decode()
    assert answer.headers["X-Robots-Tag"] == "noindex"
    assert client.head(answer.request["PATH_INFO"], secure=True).status_code == 200
    assert "no-store" in answer.headers["Cache-Control"]


def test_a_digest_that_was_not_sent_is_not_shown(alice: Subscriber, papers: list[Paper], client: Client) -> None:
    client.post(sample_path(alice), secure=True)
    assert client.get(reverse("web_copy", args=[Digest.objects.get().key]), secure=True).status_code == 404
    assert client.get(reverse("web_copy", args=[Digest(uid=uuid.uuid4()).key]), secure=True).status_code == 404


def test_what_stands_in_the_message_id_opens_nothing(
    alice: Subscriber, papers: list[Paper], relay: Relay, client: Client
) -> None:
    client.post(sample_path(alice), secure=True)
    deliver_batch()
    key = Digest.objects.get().key
    uid = relay.accepted[0]["Message-ID"].strip("<>").partition("@")[0]
    for forged in (uid, uid.replace("-", ""), key[:-1], key.replace(".", ".A"), key.partition(".")[0] + "."):
        assert client.get(reverse("web_copy", args=[forged]), secure=True).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_a_nudge_that_nobody_hears_breaks_nothing() -> None:
    class Unheard:
        """A task whose broker is gone."""

        asked = 0

        def delay(self) -> None:
            self.asked += 1
            raise ConnectionError

    task = Unheard()
    nudge(task)  # type: ignore[arg-type]
    assert task.asked == 1
