"""What readers got, said and were promised, when two papers turn out to be one."""

from datetime import timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import call_command
from django.test import Client
from django.urls import reverse

from newsletter.delivery.ledger import MERGED, learn
from newsletter.digest import candidates
from newsletter.digest.readers import load
from newsletter.models import Digest, DigestPaper, Edition, EditionPaper, Event, Feedback
from papers.merging import merge
from papers.models import Paper
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned

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


def test_a_digest_of_a_third_mention_alone_says_where_its_paper_went(
    pair: tuple[Paper, Paper], edition: Edition, digests: list[Digest], alice: Subscriber
) -> None:
    keep, drop = pair
    third = planned(Edition.objects.create(kind="sample", date=NOW.date()), alice)
    Digest.objects.filter(pk=third.pk).update(status="accepted", submitted_at=NOW, settled_at=NOW)
    sent(digests[0], keep)
    sent(digests[1], keep, rising=True)
    sent(third, drop)
    merge(keep.pk, drop.pk, NOW, "a test")
    learn(third.uid, Event.Type.DELIVERED, "", NOW)
    third.refresh_from_db()
    assert (third.status, third.reason) == ("delivered", MERGED)
    assert [row.reason for row in digests] == ["", ""]
    call_command("ledger", "check")


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
