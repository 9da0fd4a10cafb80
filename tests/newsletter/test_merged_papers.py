"""What readers got, said and were promised, when two papers turn out to be one."""

from collections.abc import Callable
from datetime import timedelta
from importlib import import_module
from io import StringIO

import pytest
from django.apps import apps
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client
from django.urls import reverse

from newsletter import merged_papers, tasks
from newsletter.delivery import ledger
from newsletter.delivery.ledger import Ending, Ready, learn
from newsletter.delivery.sending import deliver_batch
from newsletter.digest import candidates
from newsletter.digest.choice import Choice
from newsletter.digest.readers import load
from newsletter.models import Digest, DigestPaper, Edition, EditionPaper, Event, Feedback
from papers.merging import merge
from papers.models import Merged, Paper
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.stubs import Relay

pytestmark = pytest.mark.django_db


@pytest.fixture
def pair(papers: list[Paper]) -> tuple[Paper, Paper]:
    return papers[0], papers[1]


@pytest.fixture
def digests(edition: Edition, alice: Subscriber) -> list[Digest]:
    """Two that Alice got, one after the other."""
    later = Edition.objects.create(kind="weekly", date=NOW.date())
    rows = [planned(edition, alice), planned(later, alice)]
    Digest.objects.update(status="accepted", submitted_at=NOW, settled_at=NOW)
    return rows


def sent(digest: Digest, paper: Paper, place: int = 1, **fields: object) -> DigestPaper:
    return DigestPaper.objects.create(
        digest=digest, subscriber=digest.subscriber, paper=paper, place=place, reason="Graphs", **fields
    )


def history(reader: Subscriber) -> list[tuple[int, int, bool]]:
    rows = DigestPaper.objects.filter(subscriber=reader).order_by("digest", "place")
    return list(rows.values_list("digest", "paper", "rising"))


def test_who_had_either_never_gets_the_work_again(
    pair: tuple[Paper, Paper], digests: list[Digest], alice: Subscriber
) -> None:
    keep, drop = pair
    sent(digests[0], drop)
    merge(keep.pk, drop.pk, NOW, "a test")
    pool = candidates.of(list(digests[1].edition.pool.all()) or list(digests[0].edition.pool.all()))
    assert keep.pk in load([alice], pool, NOW)[0].seen


@pytest.mark.parametrize("order", [(0, 1), (1, 0)], ids=["the other came later", "the other came first"])
def test_who_had_both_keeps_both_and_the_later_is_their_further_mention(
    pair: tuple[Paper, Paper], digests: list[Digest], alice: Subscriber, order: tuple[int, int]
) -> None:
    for digest, which in zip(digests, order, strict=True):
        sent(digest, pair[which])
    merge(pair[0].pk, pair[1].pk, NOW, "a test")
    assert history(alice) == [(digests[0].pk, pair[0].pk, False), (digests[1].pk, pair[0].pk, True)]


def test_a_digest_that_had_both_still_has_both_with_their_links(
    pair: tuple[Paper, Paper], digests: list[Digest], alice: Subscriber, client: Client
) -> None:
    sent(digests[0], pair[1], 1)
    sent(digests[0], pair[0], 2)
    merge(pair[0].pk, pair[1].pk, NOW, "a test")
    assert len(history(alice)) == 2
    for place in (1, 2):
        address = reverse("say", args=[digests[0].key, place, "more"])
        assert pair[0].title in client.get(address, secure=True).content.decode()


def test_nobody_is_told_of_a_work_three_times_whatever_happened_before(
    pair: tuple[Paper, Paper], digests: list[Digest], alice: Subscriber
) -> None:
    keep, drop = pair
    sent(digests[0], keep)
    sent(digests[1], keep, 1, rising=True)
    sent(digests[1], drop, 2)
    report = merge(keep.pk, drop.pk, NOW, "a test")
    assert len(history(alice)) == 2
    assert report.left["papers of digests"] == 1
    call_command("ledger", "check")


@pytest.fixture
def third(pair: tuple[Paper, Paper], digests: list[Digest], alice: Subscriber) -> Digest:
    """A digest that is under way, of nothing but a paper that turns out to be one Alice was told of twice."""
    digest = planned(Edition.objects.create(kind="sample", date=NOW.date()), alice)
    Digest.objects.filter(pk=digest.pk).update(
        status="submitting", lease_until=NOW + timedelta(minutes=5), fencing_token=1, submitted_at=NOW
    )
    sent(digests[0], pair[0])
    sent(digests[1], pair[0], rising=True)
    sent(digest, pair[1])
    digest.refresh_from_db()
    return digest


def end(digest: Digest, status: str, held: str = "submitting") -> None:
    """A worker's answer."""
    ledger.record([Ending(digest, status, "no answer" if status == "in_doubt" else "", held=held)], [], NOW)


def resolve(digest: Digest, verdict: str) -> None:
    call_command("ledger", "resolve", str(digest.uid), "--as", verdict, "--yes-i-mean", f"1 {verdict}")


# What becomes of a digest, one after the other; the merging may come before any of it, or after.
LIVES: dict[str, list[Callable[[Digest], object]]] = {
    "accepted, then delivered": [
        lambda digest: end(digest, "accepted"),
        lambda digest: learn([digest.uid], Event.Type.DELIVERED, NOW),
    ],
    "in doubt, then told of": [
        lambda digest: end(digest, "in_doubt"),
        lambda digest: learn([digest.uid], Event.Type.SENT, NOW),
        lambda digest: learn([digest.uid], Event.Type.COMPLAINED, NOW),
    ],
    "left behind, then answered late": [
        lambda digest: ledger.sweep(NOW + timedelta(hours=1)),
        lambda digest: end(digest, "accepted"),
    ],
    "in doubt, then taken for accepted": [
        lambda digest: end(digest, "in_doubt"),
        lambda digest: resolve(digest, "accepted"),
    ],
    "in doubt, then refused, then delivered": [
        lambda digest: end(digest, "in_doubt"),
        lambda digest: learn([digest.uid], Event.Type.REJECTED, NOW),
        lambda digest: learn([digest.uid], Event.Type.DELIVERED, NOW),
    ],
    "in doubt, then taken for unsent, then delivered": [
        lambda digest: end(digest, "in_doubt"),
        lambda digest: resolve(digest, "not-sent"),
        lambda digest: learn([digest.uid], Event.Type.DELIVERED, NOW),
    ],
}


@pytest.mark.parametrize("life", LIVES.values(), ids=LIVES.keys())
def test_a_digest_of_a_third_mention_alone_is_accounted_for_in_every_order(
    pair: tuple[Paper, Paper], third: Digest, life: list[Callable[[Digest], object]]
) -> None:
    for merged_before in range(len(life) + 1):
        with transaction.atomic():
            for number, step in enumerate([*life, lambda _: None]):
                if number == merged_before:
                    merge(pair[0].pk, pair[1].pk, NOW, "a test")
                step(third)
                call_command("ledger", "check")
            transaction.set_rollback(True)


def test_it_says_where_its_paper_went_and_why_it_is_in_doubt(pair: tuple[Paper, Paper], third: Digest) -> None:
    end(third, "in_doubt")
    merge(pair[0].pk, pair[1].pk, NOW, "a test")
    said = StringIO()
    call_command("ledger", "show", str(third.uid), stdout=said)
    assert "in doubt (no answer)" in said.getvalue()
    assert "its papers went into others that its reader had been told of twice" in said.getvalue()
    assert Digest.objects.get(merged_away=True) == third


def test_one_that_is_sent_anew_says_no_more_where_its_papers_went(
    papers: list[Paper], pair: tuple[Paper, Paper], third: Digest, relay: Relay
) -> None:
    end(third, "in_doubt")
    merge(pair[0].pk, pair[1].pk, NOW, "a test")
    resolve(third, "not-sent")
    third.edition.pool.create(paper=papers[2], hot=1, notice=1)
    assert deliver_batch() == 1
    third.refresh_from_db()
    assert (third.status, third.merged_away, third.papers.count()) == ("accepted", False, 1)
    third.papers.all().delete()
    with pytest.raises(CommandError, match="1 of"):
        call_command("ledger", "check")


def test_a_digest_that_keeps_one_of_its_two_mentions_has_its_papers(
    pair: tuple[Paper, Paper], digests: list[Digest], alice: Subscriber
) -> None:
    keep, drop = pair
    sent(digests[0], keep)
    sent(digests[1], drop, 1)
    sent(digests[1], drop, 2, rising=True)
    merge(keep.pk, drop.pk, NOW, "a test")
    assert history(alice) == [(digests[0].pk, keep.pk, False), (digests[1].pk, keep.pk, True)]
    assert not Digest.objects.filter(merged_away=True).exists()


@pytest.mark.parametrize(
    ("chosen", "later"),
    [((1,), [(0, False)]), ((1, 2), [(0, False), (2, False)]), ((0, 1), [(0, False), (0, True)])],
    ids=["alone", "beside another", "beside the one it is"],
)
def test_what_a_worker_had_chosen_before_the_merging_follows_it(
    papers: list[Paper], edition: Edition, alice: Subscriber, chosen: tuple[int, ...], later: list[tuple[int, bool]]
) -> None:
    digest = planned(edition, alice)
    [claimed] = ledger.claim(NOW, 1)
    merge(papers[0].pk, papers[1].pk, NOW, "a test")
    choices = [Choice(papers[number].pk, "Graphs") for number in chosen]
    ledger.record([], [Ready(claimed, choices, "Papers", "alice@example.org", prepared=None)], NOW)
    assert merged_papers.catch_up(NOW) == 0, "the worker may put it back"
    end(claimed, "accepted")
    assert merged_papers.catch_up(NOW) == 1
    assert history(alice) == [(digest.pk, papers[number].pk, rising) for number, rising in later]
    call_command("ledger", "check")
    assert merged_papers.catch_up(NOW) == 0


def test_it_follows_at_the_next_tick(pair: tuple[Paper, Paper], digests: list[Digest], alice: Subscriber) -> None:
    keep, drop = pair
    merge(keep.pk, drop.pk, NOW, "a test")
    DigestPaper.objects.create(digest=digests[0], subscriber=alice, paper_id=drop.pk, place=1, reason="Graphs")
    tasks.tick()
    assert history(alice) == [(digests[0].pk, keep.pk, False)]


def test_it_says_so_too_where_a_worker_had_chosen_nothing_but_a_third_mention(
    pair: tuple[Paper, Paper], digests: list[Digest], third: Digest
) -> None:
    DigestPaper.objects.filter(digest=third).delete()
    merge(pair[0].pk, pair[1].pk, NOW, "a test")
    DigestPaper.objects.create(digest=third, subscriber=third.subscriber, paper_id=pair[1].pk, place=1, reason="Graphs")
    end(third, "accepted")
    assert merged_papers.catch_up(NOW) == 0
    assert Digest.objects.get(merged_away=True) == third
    call_command("ledger", "check")


def test_what_was_emptied_before_there_was_a_mark_gets_it(
    pair: tuple[Paper, Paper], digests: list[Digest], third: Digest, bob: Subscriber
) -> None:
    keep, drop = pair
    bobs = planned(third.edition, bob)
    Digest.objects.filter(pk=bobs.pk).update(status="accepted", submitted_at=NOW, settled_at=NOW)
    third.edition.pool.create(paper=drop, hot=1, notice=1)
    end(third, "accepted")
    merge(keep.pk, drop.pk, NOW + timedelta(minutes=1), "a test")
    Digest.objects.update(merged_away=False)
    import_module("newsletter.migrations.0022_merged_before").say_so(apps, None)
    assert Digest.objects.get(merged_away=True) == third  # and not Bob's, who was never told of it
    Digest.objects.update(merged_away=False)
    Digest.objects.filter(pk=third.pk).update(
        reason="its paper was merged into one that its reader had been told of twice"
    )
    Merged.objects.all().delete()
    import_module("newsletter.migrations.0022_merged_before").say_so(apps, None)
    third.refresh_from_db()
    assert (third.merged_away, third.reason) == (True, "")


@pytest.mark.parametrize(("first", "second"), [("more", "less"), ("less", "more")])
def test_the_last_word_of_a_reader_stands(
    pair: tuple[Paper, Paper], alice: Subscriber, first: str, second: str
) -> None:
    keep, drop = pair
    by_time = {first: NOW, second: NOW + timedelta(hours=1)}
    for paper, kind in ((keep, "more"), (drop, "less")):
        Feedback.objects.create(subscriber=alice, paper=paper, kind=kind, at=by_time[kind])
    merge(keep.pk, drop.pk, NOW, "a test")
    assert list(Feedback.objects.values_list("paper", "kind")) == [(keep.pk, second)]


def test_a_pin_comes_along(pair: tuple[Paper, Paper], edition: Edition) -> None:
    keep, drop = pair
    EditionPaper.objects.decide(edition, drop, "pinned", 3)
    merge(keep.pk, drop.pk, NOW, "a test")
    row = EditionPaper.objects.get(edition=edition, paper=keep)
    assert (row.choice, row.place) == ("pinned", 3)


@pytest.mark.parametrize("which", [0, 1], ids=["the one that stays", "the other"])
def test_a_ban_of_either_holds_for_the_work(pair: tuple[Paper, Paper], edition: Edition, which: int) -> None:
    EditionPaper.objects.decide(edition, pair[which], "banned")
    EditionPaper.objects.decide(edition, pair[1 - which], "pinned", 1)
    EditionPaper.objects.filter(paper=pair[which]).update(choice="banned")
    merge(pair[0].pk, pair[1].pk, NOW, "a test")
    assert EditionPaper.objects.get(edition=edition, paper=pair[0]).choice == "banned"


def test_it_is_on_record_who_merged_what(pair: tuple[Paper, Paper], db: None) -> None:
    ada = User.objects.create_user("ada")
    Paper.objects.filter(pk=pair[1].pk).update(doi="10.1000/x")
    merge(pair[0].pk, pair[1].pk, NOW, ada)
    entry = LogEntry.objects.get()
    assert (entry.user, entry.object_id) == (ada, str(pair[0].pk))
    assert f"merged paper {pair[1].pk} into it" in entry.change_message
    assert '"doi": ["None", "10.1000/x"]' in entry.change_message


def test_the_commands_merging_is_on_record_too(pair: tuple[Paper, Paper]) -> None:
    call_command("merge_papers", pair[0].pk, pair[1].pk, verbosity=0)
    assert "manage.py merge_papers" in LogEntry.objects.get().change_message
