"""What is old is forgotten, once a day; what is needed stays."""

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import pytest
import time_machine
from django.conf import settings
from django.db.models import Model
from django.test import Client

from newsletter import editions
from newsletter.celery import app
from newsletter.delivery import ledger
from newsletter.delivery.feedback import bounces
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, DigestPaper, DomainHealth, Edition, Event, SoftBounces
from newsletter.retention import forget_digests
from papers.models import Paper, Topic
from subscribers import retention
from subscribers.letters import owe
from subscribers.models import Consent, Former, Letter, Move, Subscriber, Unanswered
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, make_paper, planned
from tests.stubs import Relay

SECOND = timedelta(seconds=1)


@pytest.fixture
def traces(alice: Subscriber, edition: Edition, papers: list[Paper]) -> dict[type[Model], timedelta]:
    """One row of each kind, all of NOW, with how long it is to be kept."""
    Former.objects.create(subscriber=alice, version=1, state={}, at=NOW)
    Move.objects.create(subscriber=alice, email="new@example.org", asked_at=NOW)
    Unanswered.objects.create(address_hash="x", letters=3, at=NOW)
    owe(alice, Letter.Kind.WELCOME, NOW)
    Letter.objects.update(status="sent")
    digest = planned(edition, alice)
    Digest.objects.update(status="accepted", submitted_at=NOW, planned_at=NOW)
    digest.papers.create(subscriber=alice, paper=papers[0], place=1, reason="Robotics")
    Event.objects.create(provider="x", key="1", type="delivered", happened_at=NOW, applied_at=NOW)
    SoftBounces.objects.create(address_hash="x", score=3, at=NOW)
    DomainHealth.objects.create(domain="example.org", since=NOW)
    return {
        SoftBounces: 10 * settings.SOFT_BOUNCE_HALF_LIFE,
        DomainHealth: bounces.TOLD_WITHIN,
        Former: settings.KEEP_FORMER,
        Move: settings.KEEP_MOVE,
        Letter: settings.KEEP_LETTERS,
        Unanswered: settings.KEEP_UNANSWERED,
        Digest: settings.KEEP_DIGESTS,
        DigestPaper: settings.KEEP_DIGESTS,
        Event: settings.KEEP_EVENTS,
    }


def test_each_row_is_kept_as_long_as_is_said_and_no_longer(traces: dict[type[Model], timedelta]) -> None:
    for kept in sorted(set(traces.values())):
        mine = [model for model in traces if traces[model] == kept]
        retention.forget(NOW + kept - SECOND)
        assert all(model._default_manager.exists() for model in mine), mine
        retention.forget(NOW + kept + SECOND)
        assert not any(model._default_manager.exists() for model in mine), mine


def test_refusals_add_up_for_as_long_as_digests_are_kept(db: None) -> None:
    SoftBounces.objects.create(address_hash="x", score=0, at=NOW, refusals=3, refused_at=NOW)
    retention.forget(NOW + settings.KEEP_DIGESTS - SECOND)
    assert SoftBounces.objects.exists()
    retention.forget(NOW + settings.KEEP_DIGESTS + SECOND)
    assert not SoftBounces.objects.exists()


def test_networks_expire_and_the_proof_stays(alice: Subscriber) -> None:
    Consent.objects.create(subscriber=alice, action="confirmed", network="192.0.2.0/24", at=NOW)
    retention.forget(NOW + settings.KEEP_NETWORKS - SECOND)
    assert Consent.objects.get().network == "192.0.2.0/24"
    assert retention.forget(NOW + settings.KEEP_NETWORKS + SECOND)["networks"] == 1
    assert (Consent.objects.get().network, Consent.objects.get().action) == ("", "confirmed")


def test_what_is_still_to_happen_is_not_forgotten(alice: Subscriber, edition: Edition) -> None:
    owe(alice, Letter.Kind.WELCOME, NOW)
    planned(edition, alice)
    Event.objects.create(provider="x", key="1", type="delivered", happened_at=NOW)
    retention.forget(NOW + timedelta(days=10_000))
    assert Letter.objects.exists()
    assert Digest.objects.exists()
    assert Event.objects.exists()


def test_forgetting_again_finds_nothing(traces: object, monkeypatch: pytest.MonkeyPatch, alice: Subscriber) -> None:
    monkeypatch.setattr(retention, "CHUNK", 1)
    for day in range(3):
        Consent.objects.create(subscriber=alice, action="changed", network="192.0.2.0/24", at=NOW - SECOND * day)
    later = NOW + timedelta(days=10_000)
    assert sum(retention.forget(later).values()) == 11
    assert sum(retention.forget(later).values()) == 0


def test_papers_of_the_erased_are_found_again(alice: Subscriber, edition: Edition, papers: list[Paper]) -> None:
    planned(edition, alice).papers.create(subscriber=alice, paper=papers[0], place=1, reason="Robotics")
    Subscriber.objects.update(status="erased", email=None, next_digest_at=None)
    retention.forget(NOW)
    assert not DigestPaper.objects.exists()


def test_who_kept_a_mail_can_leave_by_it_long_after_its_digest_is_forgotten(
    edition: Edition, graphs: Topic, relay: Relay, client: Client
) -> None:
    [reader] = add_readers(1, graphs)
    editions.plan(NOW)
    deliver_batch()
    [mail] = relay.accepted
    later = NOW + settings.KEEP_DIGESTS + timedelta(days=30)
    assert retention.forget(later)["digests"] == 1
    path = urlsplit(mail["List-Unsubscribe"].strip("<>")).path
    with time_machine.travel(later, tick=False):
        answer = client.post(path, {"List-Unsubscribe": "One-Click"}, secure=True)
    reader.refresh_from_db()
    assert (answer.status_code, reader.status) == (200, "unsubscribed")


def test_a_paper_of_a_forgotten_digest_does_not_come_again_when_it_is_listed_again(
    edition: Edition, papers: list[Paper], graphs: Topic, relay: Relay
) -> None:
    add_readers(1, graphs)
    editions.plan(NOW)
    deliver_batch()
    later = NOW + settings.KEEP_DIGESTS + timedelta(days=1)
    retention.forget(later)
    assert not DigestPaper.objects.exists()
    Paper.objects.update(listed_on=later.date())
    new = make_paper(9, graphs, listed_on=later.date())
    assert [row.paper_id for row in editions.open_edition("daily", later.date()).pool.all()] == [new.pk]


def test_as_long_as_digests_are_kept_a_paper_may_be_offered_to_those_who_have_not_had_it(
    edition: Edition, papers: list[Paper]
) -> None:
    later = NOW + settings.KEEP_DIGESTS - editions.STILL_CHOSEN_FROM
    Paper.objects.update(listed_on=later.date())
    assert editions.open_edition("daily", later.date()).pool.count() == len(papers)


def test_many_digests_go_a_few_at_a_time(
    edition: Edition, graphs: Topic, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(retention, "CHUNK", 2)
    for reader in add_readers(5, graphs):
        planned(edition, reader)
    Digest.objects.update(status="expired", reason="late", settled_at=NOW, planned_at=NOW)
    with django_assert_max_num_queries(30):
        assert forget_digests(NOW + SECOND) == 5


def test_papers_that_a_provider_refused_later_may_come_another_day(
    alice: Subscriber, edition: Edition, papers: list[Paper]
) -> None:
    digest = planned(edition, alice)
    digest.papers.create(subscriber=alice, paper=papers[0], place=1, reason="Robotics")
    Digest.objects.update(status="accepted", submitted_at=NOW)
    ledger.learn([digest.uid], Event.Type.REJECTED, NOW, "no")
    retention.forget(NOW + settings.KEEP_REFUSED - SECOND)
    assert DigestPaper.objects.exists()
    retention.forget(NOW + settings.KEEP_REFUSED + SECOND)
    assert not DigestPaper.objects.exists()


def test_it_happens_every_day(clock: time_machine.Traveller) -> None:
    entry = app.conf.beat_schedule["forget what is old"]
    assert (entry["task"], entry["schedule"]) == ("subscribers.tasks.forget", 24 * 3600)
