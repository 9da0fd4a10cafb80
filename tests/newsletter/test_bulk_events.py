"""What providers tell of nearly every mail, applied for many at once."""

import random
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from newsletter.delivery.feedback import bulk, events
from newsletter.models import Digest, DomainHealth, Edition, Event, SoftBounces
from subscribers.addresses import address_hash
from subscribers.models import Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, happened, planned

KINDS = ["sent", "delivered", "delivered", "delivered", "deferred", "other", "bounced", "rejected", "complained"]
STATES = ["accepted", "accepted", "submitting", "in_doubt", "planned", "failed", "delivered", "bounced"]


def accepted(edition: Edition, count: int) -> list[Digest]:
    digests = [planned(edition, reader) for reader in add_readers(count)]
    Digest.objects.update(status="accepted", submitted_at=NOW)
    return digests


def told(digest: Digest, kind: str = "delivered", **fields: object) -> Event:
    """An event that names its address, as providers do."""
    there = address_hash(str(digest.subscriber.email))
    event = happened(kind, **{"digest_uid": digest.uid, "recipient_hash": there} | fields)
    Event.objects.filter(pk=event.pk).update(received_at=NOW + timedelta(seconds=event.pk))
    return event


def states() -> list[str]:
    return list(Digest.objects.order_by("pk").values_list("status", flat=True))


@pytest.mark.parametrize("count", [2, 40])
def test_many_cost_as_few_statements_as_two(edition: Edition, count: int) -> None:
    for digest in accepted(edition, count):
        told(digest)
    with CaptureQueriesContext(connection) as statements:
        assert events.apply_stored(NOW) == count
    assert set(states()) == {"delivered"}
    assert len(statements) < 25  # a domain that nothing was known of is written down too


def everything() -> list[Any]:
    """All that events can change."""
    tables: Sequence[tuple[Any, list[str]]] = [
        (Digest, ["status", "reason", "submitted_at", "settled_at", "lease_until"]),
        (Event, ["applied_at", "attempts", "not_before", "recipient_hash"]),
        (Edition, ["bounced", "complained"]),
        (Subscriber, ["status", "next_digest_at"]),
        (Suppression, ["address_hash", "reason"]),
        (SoftBounces, ["address_hash", "score"]),
        (DomainHealth, ["domain", "delivered", "bounced"]),
    ]
    return [sorted(model.objects.values_list(*columns), key=str) for model, columns in tables]


@pytest.mark.parametrize("seed", [*range(6), *(pytest.param(more, marks=pytest.mark.heavy) for more in range(6, 40))])
def test_together_comes_to_what_one_by_one_does(edition: Edition, seed: int) -> None:
    chance = random.Random(seed)
    digests = accepted(edition, 8)
    for digest in digests:
        state = chance.choice(STATES)
        held = {"lease_until": NOW} if state == "submitting" else {}
        unsent = {"submitted_at": None} if state == "planned" else {}
        Digest.objects.filter(pk=digest.pk).update(status=state, reason="as it was", **held, **unsent)
    elsewhere = address_hash("elsewhere@example.com")
    for _ in range(40):
        odd = chance.choice([{}, {}, {}, {"recipient_hash": ""}, {"recipient_hash": elsewhere}, {"digest_uid": None}])
        told(chance.choice(digests), chance.choice(KINDS), hard=chance.random() < 0.3, **odd)
    waiting = list(Event.objects.order_by("received_at"))
    mark = transaction.savepoint()
    for event in waiting:
        events.apply(event, NOW)
    one_by_one = everything()
    transaction.savepoint_rollback(mark)
    events.apply_stored(NOW)
    assert everything() == one_by_one


def test_what_goes_wrong_together_is_done_one_by_one(edition: Edition) -> None:
    for digest in accepted(edition, 3):
        told(digest)
    failed = []

    def once(execute: Any, sql: str, *rest: Any) -> Any:
        if "newsletter_softbounces" in sql and not failed:
            failed.append(sql)
            raise OperationalError("the database is gone for a moment")
        return execute(sql, *rest)

    with connection.execute_wrapper(once):
        events.apply_stored(NOW)
    assert failed
    assert set(states()) == {"delivered"}


@pytest.mark.django_db(transaction=True)
def test_what_a_worker_is_writing_down_is_not_waited_for(edition: Edition) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    digests = accepted(edition, 3)
    for digest in digests:
        told(digest)
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as worker:
        worker.execute("SELECT 1 FROM newsletter_digest WHERE id = %s FOR UPDATE", [digests[1].pk])
        [left] = bulk.apply(list(Event.objects.order_by("pk")), NOW)
    assert left.digest_uid == digests[1].uid
    assert states() == ["delivered", "accepted", "delivered"]


@pytest.mark.django_db(transaction=True)
def test_what_another_process_applies_is_left_to_it(edition: Edition) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    for digest in accepted(edition, 2):
        told(digest)
    with psycopg.connect(**connection.get_connection_params() | {"context": None}) as other:
        other.execute("SELECT 1 FROM newsletter_event WHERE key = 'k0' FOR UPDATE")
        assert events.apply_stored(NOW) == 2
    assert states() == ["accepted", "delivered"]


@pytest.mark.parametrize(("since", "bounced"), [(timedelta(0), 1), (timedelta(days=2), 0)])
def test_a_domain_of_which_there_was_bad_news_is_alive_with_the_first_mail_that_arrives(
    edition: Edition, since: timedelta, bounced: int
) -> None:
    DomainHealth.objects.create(domain="example.org", since=NOW - since, bounced=1)
    told(accepted(edition, 1)[0])
    events.apply_stored(NOW)
    health = DomainHealth.objects.get(domain="example.org")
    assert (health.delivered, health.bounced) == (1, bounced)


def test_a_domain_that_was_alive_two_days_ago_is_asked_anew(edition: Edition) -> None:
    DomainHealth.objects.create(domain="example.org", since=NOW - timedelta(days=2), delivered=1, bounced=4)
    told(accepted(edition, 1)[0])
    events.apply_stored(NOW)
    assert DomainHealth.objects.get(domain="example.org").since == NOW
