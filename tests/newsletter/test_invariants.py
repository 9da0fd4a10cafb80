"""What must be true of the ledger: rules that take a broken database to be broken."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from django.db import connection

from newsletter import editions
from newsletter.delivery import invariants
from newsletter.models import Digest, DigestPaper, Edition
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned


def broken() -> dict[str, list[str]]:
    """The names of the rows that break a rule, by what it claims."""
    return {rule.claim: names for rule, names, _ in invariants.broken(invariants.rules(NOW), 20)}


def test_what_was_planned_too_late_has_until_the_next_sweep(edition: Edition, alice: Subscriber) -> None:
    Subscriber.objects.update(local_hour=21, next_digest_at=NOW - timedelta(hours=13))
    assert editions.plan(NOW) == 1
    assert Digest.objects.overdue(NOW).exists()
    assert broken() == {}
    Digest.objects.update(planned_at=NOW - timedelta(hours=1))
    assert list(broken()) == ["what nobody would welcome any more has expired"]


@pytest.fixture
def unconstrained(db: None) -> Iterator[None]:
    """A ledger that lost its constraints, as by a hand in the database."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite takes no constraint away")
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE newsletter_digestpaper DROP CONSTRAINT never_the_same_paper_twice")
        cursor.execute("ALTER TABLE newsletter_digest DROP CONSTRAINT one_digest_per_edition_and_reader")
    yield
    connection.check_constraints()


def test_doubles_are_named_by_what_they_have_in_common(
    unconstrained: None, edition: Edition, alice: Subscriber
) -> None:
    digests = [planned(edition, alice), planned(edition, alice)]
    Digest.objects.update(status="accepted", submitted_at=NOW, settled_at=NOW)
    paper = edition.pool.all()[0].paper
    for digest in digests:
        DigestPaper.objects.create(digest=digest, subscriber=alice, paper=paper, place=1, reason="Graphs")
    assert broken() == {
        "a reader has one digest of an edition": [f"edition and reader {edition.pk}, {alice.pk}"],
        "nobody got a paper twice": [f"reader, paper, still rising {alice.pk}, {paper.pk}, False"],
    }


def test_doubles_are_looked_for_in_an_index_alone(db: None) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("SQLite's planner goes by its rules, not by what it counted")
    with connection.cursor() as cursor:
        for way in ("seqscan", "indexscan", "bitmapscan"):  # which it would take for a ledger as small as this
            cursor.execute(f"SET LOCAL enable_{way} = off")
    for rule in invariants.rules(NOW):
        if rule.claim in {"a reader has one digest of an edition", "nobody got a paper twice"}:
            assert "Index Only Scan" in rule.broken_by.order_by().values_list(*rule.columns).explain()
