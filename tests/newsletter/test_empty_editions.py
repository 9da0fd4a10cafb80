"""Editions that were opened when their sources had brought nothing yet: they wait for papers, and say so."""

from datetime import timedelta

import pytest
import time_machine
from django.db import transaction
from django.urls import reverse
from pytest_django.fixtures import Settings

from newsletter import editions, tasks
from newsletter.delivery import ledger
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, DigestPaper, Edition, EditionPaper
from papers.models import Topic
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, make_paper, make_papers, planned, statuses
from tests.newsletter.test_cockpit import sign_in
from tests.stubs import Relay

MINUTE = timedelta(minutes=1)


def test_an_edition_without_papers_waits_for_some(
    graphs: Topic, relay: Relay, fixed_clock: time_machine.Traveller
) -> None:
    """Its sources have brought nothing yet: that is no quiet day."""
    add_readers(3, graphs)
    editions.plan(NOW)
    assert [deliver_batch(), editions.draw_late(NOW), deliver_batch()] == [0, 0, 0]
    assert set(Digest.objects.values_list("status", "reason")) == {("planned", ledger.NO_PAPERS)}
    for number in (1, 2):
        fixed_clock.shift(MINUTE)
        make_paper(number, graphs)
        assert editions.draw_late(NOW + number * MINUTE) == 0  # more may come
    assert [editions.draw_late(NOW + 6 * MINUTE), editions.draw_late(NOW + 7 * MINUTE)] == [1, 0]
    fixed_clock.shift(timedelta(minutes=10))
    assert deliver_batch() == 3
    assert DigestPaper.objects.values("paper").distinct().count() == 2
    assert statuses() == {"accepted": 3}


@pytest.mark.parametrize("decisions", [["pinned"], ["pinned", "pool"]])
def test_that_all_that_came_was_decided_on_keeps_it_from_nobody(
    graphs: Topic, relay: Relay, fixed_clock: time_machine.Traveller, decisions: list[str]
) -> None:
    """Whoever is told that there are none imports some and pins them."""
    add_readers(3, graphs)
    editions.plan(NOW)
    for paper in make_papers((1, 2, 3), graphs):
        for choice in decisions:
            EditionPaper.objects.decide(Edition.objects.get(), paper, choice)
    assert editions.draw_late(NOW + 5 * MINUTE) == 1
    deliver_batch()
    assert DigestPaper.objects.count() == 9


@pytest.mark.parametrize("days", [0, 90])
def test_what_an_editor_decided_before_it_was_drawn_is_for_all_who_wait(
    graphs: Topic, relay: Relay, fixed_clock: time_machine.Traveller, days: int
) -> None:
    """A pin of the least of many papers, or of one of long ago, and a note."""
    add_readers(3, graphs)
    editions.plan(NOW)
    make_papers(range(1, 31), graphs)
    edition = Edition.objects.get()
    pin = make_paper(40, graphs, strength=0.5, listed_on=NOW.date() - timedelta(days=days))
    EditionPaper.objects.decide(edition, pin, "pinned")
    with transaction.atomic():
        edition.revise()
        Edition.objects.update(note="Late, but here.")
    assert editions.draw_late(NOW + 5 * MINUTE) == 1
    deliver_batch()
    assert DigestPaper.objects.filter(paper=pin).count() == 3
    assert all("Late, but here." in str(mail.get_body(("plain",))) for mail in relay.accepted)


def test_papers_that_are_banned_from_all_editions_draw_none(graphs: Topic, fixed_clock: time_machine.Traveller) -> None:
    tomorrow = NOW + timedelta(days=1)
    edition = Edition.objects.create(kind="daily", date=NOW.date())
    empty = Edition.objects.create(kind="daily", date=tomorrow.date(), drawn_at=None)
    EditionPaper.objects.decide(edition, make_paper(11, graphs), "banned")
    assert editions.draw_late(tomorrow) == 0
    make_paper(12, graphs)
    assert editions.draw_late(tomorrow + 5 * MINUTE) == 1
    assert set(empty.pool.values_list("choice", flat=True)) == {"banned", "pool"}


def test_papers_that_come_without_end_are_drawn_after_half_an_hour(
    graphs: Topic, fixed_clock: time_machine.Traveller
) -> None:
    add_readers(3, graphs)
    editions.plan(NOW)
    drawn = []
    for number in range(1, 20):
        fixed_clock.shift(2 * MINUTE)
        make_paper(number, graphs)
        drawn.append(editions.draw_late(NOW + 2 * number * MINUTE))
    assert drawn.index(1) == 16


@pytest.mark.parametrize("decisions", [["pinned"], ["pinned", "pool"], ["banned"], ["banned", "pool"]])
def test_what_an_editor_decides_makes_no_pool(
    graphs: Topic, relay: Relay, fixed_clock: time_machine.Traveller, decisions: list[str]
) -> None:
    """Whoever was planned before it would get nothing at all."""
    old = make_paper(1, graphs, listed_on=NOW.date() - timedelta(days=90))
    add_readers(3, graphs)
    editions.plan(NOW)
    for choice in decisions:
        EditionPaper.objects.decide(Edition.objects.get(), old, choice)
    assert deliver_batch() == 0
    make_paper(2, graphs)
    assert editions.draw_late(NOW + 5 * MINUTE) == 1
    fixed_clock.shift(timedelta(minutes=10))
    assert deliver_batch() == 3


def test_an_edition_that_was_opened_ahead_is_drawn_when_its_readers_are_due(
    graphs: Topic, fixed_clock: time_machine.Traveller
) -> None:
    edition, _ = editions.open_ahead("daily", NOW.date() + timedelta(days=20), NOW)
    make_paper(1, graphs, listed_on=edition.date - timedelta(days=13))
    assert editions.draw_late(NOW + timedelta(days=10)) == 0


def test_it_takes_no_turn_from_an_edition_that_has_papers(
    graphs: Topic, relay: Relay, settings: Settings, fixed_clock: time_machine.Traveller
) -> None:
    settings.DOMAINS_PER_SECOND = {"*": 1.0}
    add_readers(40, graphs)
    editions.plan(NOW)
    weekly = Edition.objects.create(kind="weekly", date=NOW.date())
    weekly.pool.create(paper=make_paper(9, graphs, listed_on=NOW.date() - timedelta(days=60)), hot=1, notice=1)
    reader = Subscriber.objects.create(email="weekly@example.org", status="active", next_digest_at=NOW)
    reader.topics.set([graphs])
    digest = planned(weekly, reader)
    deliver_batch()
    digest.refresh_from_db()
    assert digest.status == "accepted"


def test_nobody_is_told_of_one_that_the_same_tick_draws(
    graphs: Topic, relay: Relay, settings: Settings, fixed_clock: time_machine.Traveller, at_once: None
) -> None:
    """Opened ahead when nothing was listed, in a service that was down until its readers were due."""
    settings.OPERATORS = ["ada@papers.example"]
    day = NOW + timedelta(days=20)
    editions.open_ahead("daily", day.date(), NOW)
    make_papers((1, 2, 3), graphs, listed_on=day.date() - timedelta(days=1))
    fixed_clock.move_to(day)
    add_readers(3, graphs)
    Subscriber.objects.update(next_digest_at=day - MINUTE)
    tasks.tick()
    assert statuses() == {"accepted": 3}
    assert "ada@papers.example" not in relay.recipients


def test_its_preview_says_that_none_goes_out(graphs: Topic, edition: Edition) -> None:
    Edition.objects.update(drawn_at=None)
    EditionPaper.objects.decide(edition, make_paper(11, graphs, listed_on=NOW.date() - timedelta(days=90)), "pinned")
    page = sign_in("Operator").get(reverse("desk_preview", args=[edition.pk]), secure=True)
    assert "It has no papers yet: its mails wait" in page.content.decode()
