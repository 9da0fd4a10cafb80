"""What is stored of a person: all of it is handed out, none of it outlives erasing."""

import json

import pytest
from django.apps import apps
from django.conf import settings
from django.core import serializers
from django.test import Client
from django.urls import reverse

from newsletter.delivery import ledger
from newsletter.delivery.ledger import Ending
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, DigestPaper, Edition, Event, Feedback
from papers.models import Paper, Topic
from subscribers import leaving, links
from subscribers.leaving import erase
from subscribers.letters import owe
from subscribers.models import Former, Letter, Move, Subscriber
from subscribers.preferences import change
from subscribers.wishes import Tastes, Wishes
from tests.conftest import NOW
from tests.newsletter.conftest import planned
from tests.stubs import Relay

ALICE = "alice@example.org"
TASTES = Tastes(follow_authors=("Emmy Noether",), mute_phrases=("blockchain",))


@pytest.fixture
def known(alice: Subscriber, edition: object, graphs: Topic, papers: list[Paper], relay: Relay) -> Digest:
    """Alice has wishes, tastes, letters, a former state, a move, a digest with events, and said something."""
    change(alice, Wishes((graphs,), language="de"), NOW, "192.0.2.0/24", TASTES)
    alice.refresh_from_db()
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    Move.objects.create(subscriber=alice, email="new-alice@example.org")
    digest = planned(edition, alice)  # type: ignore[arg-type]
    deliver_batch()
    Feedback.objects.create(subscriber=alice, paper=papers[0], kind="more")
    Event.objects.create(
        provider="x", key="1", type="bounced", digest_uid=digest.uid, happened_at=NOW, detail=f"no {ALICE}"
    )
    digest.refresh_from_db()
    return digest


def all_rows() -> str:
    """All that our tables hold, as text."""
    ours = [model for model in apps.get_models() if model._meta.app_label in {"newsletter", "subscribers"}]
    return "".join(serializers.serialize("json", model._default_manager.all(), ensure_ascii=False) for model in ours)


def export_of(client: Client, subscriber: Subscriber) -> str:
    answer = client.get(reverse("export", args=[links.preferences_token(subscriber)]), secure=True)
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["Cache-Control"] == "no-store"
    return answer.content.decode()


def test_what_a_worker_has_claimed_for_the_erased_is_not_its_own_any_more(alice: Subscriber, edition: Edition) -> None:
    planned(edition, alice)
    [mine] = ledger.claim(NOW, 1)
    erase(alice, NOW)
    ended, _ = ledger.record([Ending(mine, "failed", "by whoever lost it")], [], NOW)
    assert not ended
    ledger.sweep(NOW + settings.LEASE)
    assert deliver_batch() == 1
    assert Digest.objects.get().reason == "the reader was erased"


def test_the_export_holds_everything(client: Client, alice: Subscriber, known: Digest, papers: list[Paper]) -> None:
    text = export_of(client, alice)
    told = json.loads(text)
    assert (told["address"], told["wishes"]["language"], told["wishes"]["topics"]) == (
        ALICE,
        "de",
        ["Graph neural networks"],
    )
    assert told["wishes"]["follow_authors"] == ["Emmy Noether"]
    assert told["new_address"][0]["email"] == "new-alice@example.org"
    assert told["feedback"][0]["paper"] == papers[0].title
    assert len(told["digests"][0]["papers"]) == DigestPaper.objects.count() > 0
    assert told["digests"][0]["provider_told"][0]["detail"] == f"no {ALICE}"
    assert "192.0.2.0/24" in text


def test_no_other_table_knows_a_person() -> None:
    relations = {
        field.related_model._meta.model_name
        for field in Subscriber._meta.get_fields(include_hidden=True)
        if field.auto_created and field.related_model and not field.related_model._meta.auto_created
    }
    # A new table about people has to be named here, in export and in erase.
    assert relations == {
        "consent",
        "letter",
        "former",
        "interest",
        "move",
        "digest",
        "digestpaper",
        "feedback",
        "profile",
    }


def test_erasing_leaves_no_trace_but_numbers(alice: Subscriber, known: Digest, papers: list[Paper]) -> None:
    assert erase(alice, NOW)
    left = all_rows()
    traces = ["alice", "192.0.2", "Noether", "blockchain", "Europe/Berlin", known.subject, "Graph neural"]
    assert [trace for trace in traces if trace in left] == []
    assert not any(model.objects.exists() for model in (Feedback, DigestPaper, Former, Letter, Move))
    assert Digest.objects.get().status == known.status


def test_an_erased_readers_planned_digest_is_not_sent(alice: Subscriber, edition: object, relay: Relay) -> None:
    planned(edition, alice)  # type: ignore[arg-type]
    erase(alice, NOW)
    deliver_batch()
    assert relay.recipients == []


def test_an_erase_that_fails_halfway_erases_nothing(
    alice: Subscriber, known: Digest, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(subscriber: Subscriber) -> None:
        raise OSError

    monkeypatch.setattr("newsletter.personal.erase", fail)
    before = all_rows()
    with pytest.raises(OSError):  # noqa: PT011 - our own, from above
        leaving.erase(alice, NOW)
    assert all_rows() == before
