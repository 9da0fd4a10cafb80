"""Leaving ends the mail: by any digest ever sent, at once, whatever else happens at that moment."""

import asyncio
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connections
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from newsletter import editions
from newsletter.delivery.sending import deliver_batch
from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest, Edition
from papers.models import Paper, Topic
from subscribers.leaving import leave, pause
from subscribers.models import Letter, Parting, Subscriber
from subscribers.signup import confirm
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.stubs import Relay, smtp_relay

ONE_CLICK = {"List-Unsubscribe": "One-Click"}
MEGABYTE = 1_000_000


def one_click_of(subscriber: Subscriber) -> str:
    return reverse("one_click", args=[subscriber.leave_key])


def left_by(client: Client, subscriber: Subscriber) -> str:
    """The page after leaving."""
    return client.post(reverse("leave", args=[subscriber.leave_key]), secure=True)["Location"]


def test_any_digest_ever_sent_can_be_left_by(
    client: Client, alice: Subscriber, edition: Edition, papers: list[Paper], settings: Settings
) -> None:
    mail = Renderer(edition, 8).message(planned(edition, alice), [Choice(papers[0].pk, "Robotics")])
    header = mail.extra_headers["List-Unsubscribe"]
    Digest.objects.all().delete()
    settings.SECRET_KEY = "rotated" * 10
    path = header.removeprefix("<https://papers.example").removesuffix(">")
    assert client.post(path, ONE_CLICK, secure=True).status_code == 200
    alice.refresh_from_db()
    assert alice.status == "unsubscribed"


@pytest.mark.parametrize("way", [lambda reader: leave(reader, NOW, page="leave"), lambda reader: pause(reader, NOW)])
def test_it_takes_effect_on_digests_already_planned(
    alice: Subscriber, edition: Edition, relay: Relay, way: object
) -> None:
    assert editions.plan(NOW) == 1
    assert callable(way)
    assert way(alice)
    deliver_batch()
    assert relay.recipients == []
    assert Digest.objects.get().status == "skipped"


@dataclass
class SlowRelay(Relay):
    """A relay at which something happens while it takes its first message."""

    meanwhile: Callable[[], object] = lambda: None
    has_begun: bool = False
    before: int = 0  # messages that had arrived when it was over

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if not self.has_begun:  # of the sessions that come at once, one does it
            self.has_begun = True
            await asyncio.to_thread(self.meanwhile)
            self.before = len(self.recipients)
        return await super().handle_DATA(server, session, envelope)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("slice_", [1, 2, 20])
def test_who_leaves_while_a_slice_is_on_the_wire_gets_no_more_than_what_is_in_it(
    settings: Settings, papers: list[Paper], graphs: Topic, slice_: int
) -> None:
    def all_leave() -> None:
        assert all(leave(reader, NOW, page="leave") for reader in Subscriber.objects.all())
        connections.close_all()

    settings.SUBMIT_SLICE = slice_
    add_readers(3, graphs)
    assert editions.plan(NOW) == 3
    with smtp_relay(SlowRelay(meanwhile=all_leave)) as relay:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", relay.port
        deliver_batch()
        arrived = len(set(relay.recipients))
        assert 1 <= len(relay.recipients) == arrived <= relay.before + slice_
        assert editions.plan(NOW + timedelta(days=1)) == deliver_batch() == 0
    assert Digest.objects.filter(reason="the reader is unsubscribed").count() == 3 - arrived


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
def test_twenty_megabytes_are_refused_unread(client: Client, alice: Subscriber, kind: str) -> None:
    class Endless:
        """Notes how much of it is read."""

        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += size
            return b"x" * max(size, 0)

        readline = read

    body = Endless()
    answer = client.post(
        one_click_of(alice),
        secure=True,
        content_type=kind,
        data=b"",
        **{"CONTENT_LENGTH": str(20 * MEGABYTE), "wsgi.input": body},  # type: ignore[arg-type]
    )
    assert (answer.status_code, body.taken) == (413, 0)
    alice.refresh_from_db()
    assert alice.status == "active"


@pytest.mark.parametrize("length", ["", "x", "-1"])
def test_a_length_that_is_none_is_no_error_of_ours(client: Client, alice: Subscriber, length: str) -> None:
    answer = client.post(one_click_of(alice), ONE_CLICK, secure=True, CONTENT_LENGTH=length)
    assert answer.status_code in {200, 400}


def test_a_reason_is_kept_without_its_reader(client: Client, alice: Subscriber) -> None:
    undo = left_by(client, alice)
    token = undo.removeprefix("/undo/")
    assert "Would you tell us why?" in client.get(undo, secure=True).content.decode()
    answer = {"reason": "too_much", "words": "Write to alice@example.org, not here"}
    for _ in range(2):
        page = client.post(reverse("why", args=[token]), answer, secure=True)
        assert "Thank you" in page.content.decode()
    parting = Parting.objects.get()
    assert (parting.reason, parting.words, parting.day) == ("too_much", "Write to (address) not here", NOW.date())
    assert {field.name for field in Parting._meta.get_fields()} == {"id", "reason", "words", "day"}
    assert "Would you tell us why?" not in client.get(undo, secure=True).content.decode()


@pytest.mark.parametrize("answer", [{}, {"reason": "hate"}, {"reason": "other", "words": "x" * 301}])
def test_a_reason_that_is_none_is_said(client: Client, alice: Subscriber, answer: dict[str, str]) -> None:
    token = left_by(client, alice).removeprefix("/undo/")
    assert client.post(reverse("why", args=[token]), answer, secure=True).status_code == 422
    assert not Parting.objects.exists()


def test_who_came_back_gives_no_reason_for_having_left(client: Client, alice: Subscriber) -> None:
    undo = left_by(client, alice)
    client.post(undo, secure=True)
    client.post(reverse("why", args=[undo.removeprefix("/undo/")]), {"reason": "other"}, secure=True)
    assert not Parting.objects.exists()


@pytest.mark.parametrize("confirms_first", [True, False])
def test_of_confirming_and_leaving_in_either_order_leaving_stands(bob: Subscriber, confirms_first: bool) -> None:
    steps = [lambda: confirm(bob, NOW), lambda: leave(bob, NOW, page="leave")]  # by the row as both had read it
    outcomes = [step() for step in (steps if confirms_first else reversed(steps))]
    assert outcomes == [True, confirms_first]
    bob.refresh_from_db()
    assert (bob.status, bob.next_digest_at) == ("unsubscribed", None)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("round_", range(5))
def test_confirming_and_leaving_at_once_ends_with_having_left(bob: Subscriber, round_: int) -> None:
    def run(step: Callable[[Subscriber, datetime], object]) -> None:
        reader = Subscriber.objects.get(pk=bob.pk)  # both have read the row before either writes
        start.wait()
        step(reader, NOW)
        connections.close_all()

    start = threading.Barrier(2)
    threads = [threading.Thread(target=run, args=[step]) for step in (confirm, partial(leave, page="leave"))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    bob.refresh_from_db()
    assert (bob.status, bob.next_digest_at) == ("unsubscribed", None)
    assert not Letter.objects.open().exclude(kind="goodbye").exists()
    assert editions.plan(NOW + timedelta(days=2)) == 0
