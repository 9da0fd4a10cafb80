"""The states of a digest, and who may change them."""

import threading
from datetime import datetime, timedelta
from typing import Any

import psycopg
import pytest
from django.db import IntegrityError, connection

from newsletter.delivery import ledger
from newsletter.delivery.ledger import Ending, Ready
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.digest.choice import Choice
from newsletter.models import Digest, DigestPaper, Edition
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned

LATER = NOW + timedelta(minutes=10)  # past every lease
Status = Digest.Status


@pytest.fixture
def digest(edition: Edition, alice: Subscriber) -> Digest:
    return planned(edition, alice)


def ready(digest: Digest) -> Ready:
    paper = digest.edition.pool.first().paper_id
    return Ready(digest, [Choice(paper, "Graphs")], "Papers", "alice@example.org", prepared=None)


def begin(digest: Digest, at: datetime = NOW) -> set[int]:
    return ledger.record([], [ready(digest)], at)[1]


def settle(digest: Digest, outcome: Outcome, at: datetime = NOW) -> set[int]:
    return ledger.record([ledger.answered(digest, outcome, at)], [], at)[0]


def submitting(digest: Digest) -> Digest:
    [claimed] = ledger.claim(NOW, 10)
    assert begin(claimed) == {digest.pk}
    return claimed


def test_a_claimed_digest_is_not_claimed_again(digest: Digest) -> None:
    assert ledger.claim(NOW, 10) == [digest]
    assert ledger.claim(NOW, 10) == []


def test_a_digest_is_not_claimed_before_it_is_due(digest: Digest) -> None:
    assert ledger.claim(NOW - timedelta(seconds=1), 10) == []


@pytest.mark.parametrize("status", ["paused", "cancelled"])
def test_a_stopped_edition_is_not_claimed(digest: Digest, status: str) -> None:
    Edition.objects.update(status=status)
    assert ledger.claim(NOW, 10) == []


def test_a_lost_claim_goes_back_to_planned(digest: Digest) -> None:
    ledger.claim(NOW, 10)
    assert ledger.sweep(LATER)["back to planned"] == 1
    assert ledger.claim(LATER, 10) == [digest]


def test_a_claim_whose_lease_runs_is_left_alone(digest: Digest) -> None:
    ledger.claim(NOW, 10)
    assert not any(ledger.sweep(NOW + timedelta(minutes=1)).values())


def test_a_lost_submission_is_in_doubt_and_never_planned_again(digest: Digest) -> None:
    submitting(digest)
    assert ledger.sweep(LATER)["in doubt"] == 1
    digest.refresh_from_db()
    assert (digest.status, digest.reason) == (Status.IN_DOUBT, "its worker stopped while submitting")
    assert ledger.claim(LATER, 10) == []


def test_a_worker_that_lost_its_lease_cannot_submit(digest: Digest) -> None:
    [old] = ledger.claim(NOW, 10)
    ledger.sweep(LATER)
    ledger.claim(LATER, 10)
    assert begin(old, LATER) == set()
    assert not DigestPaper.objects.exists()


def test_a_worker_that_lost_its_lease_cannot_settle(digest: Digest) -> None:
    old = submitting(digest)
    Digest.objects.update(status=Status.PLANNED, lease_until=None)
    ledger.claim(LATER, 10)
    assert not settle(old, Outcome(Kind.ACCEPTED), LATER)


def test_a_worker_that_overslept_settles_its_own_doubt(digest: Digest) -> None:
    mine = submitting(digest)
    ledger.sweep(LATER)
    assert settle(mine, Outcome(Kind.ACCEPTED), LATER)
    digest.refresh_from_db()
    assert (digest.status, digest.reason) == (Status.ACCEPTED, "")


@pytest.mark.parametrize(
    ("kind", "status"),
    [(Kind.ACCEPTED, "accepted"), (Kind.REFUSED, "failed"), (Kind.DOUBT, "in_doubt")],
)
def test_an_answer_settles_a_digest(digest: Digest, kind: Kind, status: str) -> None:
    settle(submitting(digest), Outcome(kind, "because"))
    digest.refresh_from_db()
    assert (digest.status, digest.reason, digest.settled_at) == (status, "because", NOW)
    assert digest.papers.exists() is (status != "failed")


@pytest.mark.parametrize("kind", [Kind.LATER, Kind.WAITS, Kind.UNSENT, Kind.HALT])
def test_what_was_not_sent_is_planned_again_and_its_papers_are_free(digest: Digest, kind: Kind) -> None:
    settle(submitting(digest), Outcome(kind, "busy", retry_after=timedelta(minutes=2)))
    digest.refresh_from_db()
    assert (digest.status, digest.not_before) == (Status.PLANNED, NOW + timedelta(minutes=2))
    assert digest.lease_until is digest.submitted_at is None
    assert not digest.papers.exists()


def test_a_late_digest_expires(digest: Digest) -> None:
    assert ledger.sweep(NOW + timedelta(hours=12))["expired"] == 1
    digest.refresh_from_db()
    assert digest.reason == "too late to be welcome"


def test_a_cancelled_edition_ends_its_digests(digest: Digest) -> None:
    Edition.objects.update(status="cancelled")
    assert ledger.sweep(NOW)["cancelled"] == 1


def test_a_paper_cannot_be_written_twice_for_a_reader(digest: Digest, alice: Subscriber) -> None:
    submitting(digest)
    weekly = Edition.objects.create(kind="weekly", date=NOW.date())
    weekly.pool.create(paper=digest.edition.pool.first().paper, hot=1)
    planned(weekly, alice)
    [second] = ledger.claim(NOW, 10)
    assert begin(second) == set()
    second.refresh_from_db()
    assert (second.status, second.reason) == (Status.PLANNED, "chosen at the same moment as another digest")


@pytest.mark.parametrize(
    "broken",
    [
        {"status": "claimed", "lease_until": None},
        {"status": "planned", "lease_until": NOW},
        {"status": "failed", "reason": ""},
        {"status": "accepted", "submitted_at": None},
    ],
)
def test_the_database_refuses_a_state_that_must_never_be(digest: Digest, broken: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        Digest.objects.filter(pk=digest.pk).update(**broken)


def test_a_reader_has_one_digest_of_an_edition(digest: Digest) -> None:
    with pytest.raises(IntegrityError):
        planned(digest.edition, digest.subscriber)


@pytest.mark.parametrize("kind", [Kind.LATER, Kind.UNSENT, None])
def test_that_an_operator_has_it_tried_again_is_known_however_often_it_is_put_back(
    digest: Digest, kind: Kind | None
) -> None:
    Digest.objects.update(reason=ledger.RETRIED)
    [claimed] = ledger.claim(NOW, 1)
    back = (
        ledger.answered(claimed, Outcome(kind, "4.7.0"), NOW, "claimed") if kind else ledger.release([claimed], "")[0]
    )
    ledger.record([back], [], NOW)
    ledger.claim(NOW, 1)
    ledger.sweep(LATER)
    digest.refresh_from_db()
    assert (digest.status, digest.reason) == ("planned", ledger.RETRIED)


@pytest.mark.django_db(transaction=True)
def test_an_answer_is_written_though_the_database_ended_one_of_two_that_waited_for_each_other(
    edition: Edition, alice: Subscriber, bob: Subscriber
) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    first, second = planned(edition, alice), planned(edition, bob)
    digests = ledger.claim(NOW, 2)
    turns = []

    def count(execute: Any, *rest: Any) -> Any:
        turns.append(rest)
        return execute(*rest)

    def beside(other: psycopg.Connection[Any]) -> None:
        waits = "SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)"
        while not watcher.execute(waits).fetchone()[0]:  # type: ignore[index]
            pass
        other.execute("SELECT 1 FROM newsletter_digest WHERE id = %s FOR UPDATE", [first.pk])
        other.rollback()

    there = connection.get_connection_params() | {"context": None}
    with psycopg.connect(**there) as other, psycopg.connect(**there, autocommit=True) as watcher:
        other.execute("SET deadlock_timeout = '1min'")
        other.execute("SELECT 1 FROM newsletter_digest WHERE id = %s FOR UPDATE", [second.pk])
        thread = threading.Thread(target=beside, args=[other])
        thread.start()
        with connection.execute_wrapper(count):
            ledger.record([Ending(one, Status.FAILED, "no") for one in digests], [], NOW)
        thread.join()
    assert len(turns) == 2, "the first was ended"
    assert set(Digest.objects.values_list("status", flat=True)) == {"failed"}
