"""What providers tell us later."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from importlib import import_module
from io import StringIO
from itertools import permutations
from typing import Any

import pytest
from anymail.signals import AnymailTrackingEvent
from django.apps import apps
from django.core.management import call_command
from pytest_django import Settings

from newsletter import tasks
from newsletter.delivery import ledger
from newsletter.delivery.feedback import events
from newsletter.delivery.ledger import TAKEN_FOR_UNSENT
from newsletter.delivery.wire.keys import KNOWN
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.models import Digest, Edition, Event
from subscribers.emails import message_id
from subscribers.models import Letter, Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import happened

EAST, WEST = timezone(timedelta(hours=14)), timezone(-timedelta(hours=14))
NAIVE = datetime(1, 1, 1, tzinfo=EAST).replace(tzinfo=None)


def tell(digest: Digest, kind: str, key: str | None = "e1", at: datetime = NOW) -> None:
    events.store(
        AnymailTrackingEvent(
            event_type=kind,
            event_id=key,
            timestamp=at,
            message_id="m1",
            metadata={"digest": str(digest.uid)},
        ),
        "Postmark",
    )


def ledger_check() -> str:
    out = StringIO()
    call_command("ledger", "check", stdout=out)
    return out.getvalue()


def test_an_event_is_stored_once(digest: Digest) -> None:
    tell(digest, "delivered")
    tell(digest, "delivered")
    tell(digest, "bounced", None)
    tell(digest, "bounced", None)
    assert Event.objects.count() == 2


@pytest.mark.parametrize("odd", [datetime(1, 1, 1, tzinfo=EAST), datetime(9999, 12, 31, 23, tzinfo=WEST), NAIVE])
def test_a_time_that_cannot_be_is_that_of_its_arrival(digest: Digest, odd: datetime) -> None:
    tell(digest, "delivered", at=odd)
    tell(digest, "complained", "e2")
    assert events.apply_stored(NOW) == 2
    assert set(Event.objects.values_list("happened_at", flat=True)) == {NOW}
    assert status_of(digest) == "complained"


def test_one_that_was_kept_with_such_a_time_gets_that_of_its_arrival(digest: Digest) -> None:
    kept = [happened("other"), happened("other")]
    Event.objects.filter(pk=kept[0].pk).update(happened_at=datetime(2, 1, 1, tzinfo=UTC))
    Event.objects.filter(pk=kept[1].pk).update(happened_at=datetime(9998, 1, 1, tzinfo=UTC))
    import_module("newsletter.migrations.0023_events_of_odd_times").take_their_arrival(apps, None)
    assert set(Event.objects.values_list("happened_at", flat=True)) == {NOW}


@pytest.mark.parametrize("order", list(permutations(["delivered", "bounced", "complained"])))
def test_events_in_any_order_and_number_come_to_the_same(digest: Digest, order: tuple[str, ...]) -> None:
    for number, kind in enumerate(order * 2):
        tell(digest, kind, f"e{number}")
        events.apply_stored(NOW)
    digest.refresh_from_db()
    assert digest.status == "complained"


def test_a_complaint_ends_all_mail_to_the_address(digest: Digest, alice: Subscriber) -> None:
    tell(digest, "complained")
    events.apply_stored(NOW)
    alice.refresh_from_db()
    assert (alice.status, alice.next_digest_at) == ("complained", None)
    assert "alice@example.org" in Suppression.objects.of("alice@example.org")


def test_a_delivery_report_settles_a_doubt(digest: Digest) -> None:
    Digest.objects.update(status="in_doubt", reason="its worker stopped")
    tell(digest, "delivered")
    events.apply_stored(NOW)
    digest.refresh_from_db()
    assert (digest.status, digest.reason) == ("delivered", "")


@pytest.mark.parametrize("told", [["delivered"], ["bounced"], ["delivered", "complained"]])
def test_what_arrives_although_it_was_refused_says_that_its_papers_are_free(digest: Digest, told: list[str]) -> None:
    Digest.objects.update(status="failed", reason="refused", settled_at=NOW)
    for number, kind in enumerate(told):
        tell(digest, kind, f"e{number}")
        events.apply_stored(NOW)
    digest.refresh_from_db()
    assert (digest.status, digest.reason) == (told[-1], ledger.SET_FREE)
    assert "All" in ledger_check()


def test_an_event_of_no_digest_of_ours_is_kept_and_changes_nothing(digest: Digest) -> None:
    events.store(AnymailTrackingEvent(event_type="opened", event_id="x", metadata={"digest": "nonsense"}), "Brevo")
    assert events.apply_stored(NOW) == 1
    assert Event.objects.get().type == "other"
    digest.refresh_from_db()
    assert digest.status == "accepted"


def status_of(digest: Digest) -> str:
    return Digest.objects.get(pk=digest.pk).status


class TestWhoseMailItIs:
    @pytest.mark.parametrize("status", ["submitting", "in_doubt"])
    def test_our_own_message_id_settles_a_doubt(self, digest: Digest, status: str) -> None:
        lease = NOW if status == "submitting" else None
        Digest.objects.update(status=status, reason="lost", lease_until=lease)
        happened("sent", message_id=message_id(digest.uid))
        events.apply_stored(NOW)
        assert status_of(digest) == "accepted"

    def test_an_event_that_comes_before_our_commit_waits_for_it(self, digest: Digest) -> None:
        happened("delivered", message_id="of-the-provider")
        events.apply_stored(NOW)
        assert status_of(digest) == "accepted"
        Digest.objects.update(provider_id="of-the-provider")  # and now it is committed
        assert events.apply_stored(NOW) == 0
        events.apply_stored(NOW + timedelta(minutes=1))
        assert status_of(digest) == "delivered"

    @pytest.mark.parametrize("status", ["planned", "claimed", "expired"])
    def test_what_was_taken_for_unsent_and_arrived_is_not_mailed_again(self, digest: Digest, status: str) -> None:
        lease = NOW if status == "claimed" else None
        Digest.objects.update(
            status=status, lease_until=lease, submitted_at=None, settled_at=None, fencing_token=1, reason="it was late"
        )
        happened("delivered", digest_uid=digest.uid)
        events.apply_stored(NOW)
        digest.refresh_from_db()
        assert (digest.status, digest.reason) == ("delivered", TAKEN_FOR_UNSENT)
        assert digest.submitted_at == digest.planned_at
        call_command("ledger", "check")

    @pytest.mark.parametrize(("kind", "hard"), [("sent", False), ("bounced", False), ("rejected", False)])
    def test_what_is_no_proof_waits_for_the_worker(self, digest: Digest, kind: str, hard: bool) -> None:
        Digest.objects.update(status="planned", submitted_at=None, settled_at=None)
        happened(kind, hard=hard, digest_uid=digest.uid)
        events.apply_stored(NOW)
        assert status_of(digest) == "planned"
        assert Event.objects.get().applied_at is None

    def test_nobodys_event_is_given_up_in_the_end(self, digest: Digest) -> None:
        event = happened("bounced", message_id="of-somebody-else")
        moments = [NOW + timedelta(hours=3 * n) for n in range(12)]
        assert sum(events.apply_stored(at) for at in moments) == events.MAX_ATTEMPTS + 1
        event.refresh_from_db()
        assert event.applied_at
        assert not Suppression.objects.exists()

    def test_one_that_breaks_something_holds_up_no_other(self, digest: Digest, alice: Subscriber) -> None:
        happened("no such type", digest_uid=digest.uid)
        happened("complained", digest_uid=digest.uid)
        events.apply_stored(NOW)
        assert status_of(digest) == "complained"

    def test_a_letter_is_known_by_its_message_id(self, bob: Subscriber) -> None:
        letter = Letter.objects.create(subscriber=bob, kind="confirmation", status="sent", sent_at=NOW, not_before=NOW)
        happened("complained", message_id=message_id(letter.uid))
        events.apply_stored(NOW)
        bob.refresh_from_db()
        assert bob.status == "complained"


@pytest.mark.parametrize("order", list(permutations(["sent", "rejected", "delivered", "bounced"])))
def test_every_order_of_all_that_can_be_told_comes_to_the_same(digest: Digest, order: tuple[str, ...]) -> None:
    Digest.objects.update(status="in_doubt", reason="lost")
    for kind in order * 2:
        happened(kind, hard=False if kind == "bounced" else None, digest_uid=digest.uid)
        events.apply_stored(NOW)
    assert status_of(digest) == "delivered"  # a bounce for a while is no end


@pytest.mark.parametrize("kind", ["rejected", "failed"])
def test_what_the_provider_refused_later_has_failed(digest: Digest, kind: str) -> None:
    happened(kind, digest_uid=digest.uid, detail="spam")
    events.apply_stored(NOW)
    digest.refresh_from_db()
    assert (digest.status, digest.reason) == ("failed", "the provider refused it later: spam")


@pytest.mark.parametrize(("before", "status"), [(timedelta(hours=1), "accepted"), (timedelta(minutes=1), "failed")])
def test_a_refusal_of_an_attempt_before_says_nothing_of_this_one(
    digest: Digest, before: timedelta, status: str
) -> None:
    Digest.objects.update(submitted_at=NOW + before)  # a minute may lie between two clocks
    happened("rejected", digest_uid=digest.uid)
    events.apply_stored(NOW + before)
    assert status_of(digest) == status


@pytest.mark.parametrize(
    ("told", "attempts", "status"),
    [("the first", 2, "accepted"), ("the second", 2, "failed"), ("the first", 1, "failed"), ("", 2, "failed")],
)
def test_a_refusal_that_names_the_message_of_an_attempt_before_says_nothing_of_this_one(
    digest: Digest, told: str, attempts: int, status: str
) -> None:
    Digest.objects.update(provider_id="the second", attempts=attempts)
    happened("rejected", message_id=told, digest_uid=digest.uid)
    events.apply_stored(NOW)
    assert status_of(digest) == status


@pytest.mark.parametrize(("told", "status"), [("the first", "in_doubt"), ("the second", "failed")])
def test_of_a_doubt_the_row_has_the_message_of_the_attempt_before(digest: Digest, told: str, status: str) -> None:
    Digest.objects.update(status="in_doubt", reason="lost", provider_id="the first", attempts=2)
    happened("rejected", message_id=told, digest_uid=digest.uid)
    events.apply_stored(NOW)
    assert status_of(digest) == status


def test_so_has_one_whose_answer_was_unclear(digest: Digest) -> None:
    Digest.objects.update(status="planned", provider_id="the first", attempts=1, submitted_at=None)
    [claimed] = ledger.claim(NOW, 1)
    Digest.objects.update(status="submitting", submitted_at=NOW)
    ledger.record([ledger.answered(claimed, Outcome(Kind.DOUBT, "no whole answer in time"), NOW)], [], NOW)
    happened("failed", message_id="the first", digest_uid=digest.uid)
    events.apply_stored(NOW)
    assert status_of(digest) == "in_doubt"


def test_one_that_the_provider_knew_has_no_message_of_the_attempt_before(digest: Digest) -> None:
    Digest.objects.update(status="planned", provider_id="the first", attempts=1, submitted_at=None)
    [claimed] = ledger.claim(NOW, 1)
    Digest.objects.update(status="submitting", submitted_at=NOW)
    ledger.record([ledger.answered(claimed, KNOWN, NOW)], [], NOW)
    happened("failed", message_id="the second", digest_uid=digest.uid)
    events.apply_stored(NOW)
    assert status_of(digest) == "failed"


def test_who_unsubscribes_at_the_provider_is_unsubscribed(digest: Digest, alice: Subscriber) -> None:
    happened("unsubscribed", digest_uid=digest.uid)
    events.apply_stored(NOW)
    alice.refresh_from_db()
    assert alice.status == "unsubscribed"
    assert not alice.letters.exists()


def test_bounces_and_complaints_count_against_their_edition(digest: Digest, settings: Settings) -> None:
    settings.STOP_AFTER_COMPLAINTS = 1
    for _ in range(3):
        happened("complained", digest_uid=digest.uid)
    events.apply_stored(NOW)
    edition = Edition.objects.get()
    assert (edition.complained, edition.status, edition.reason) == (1, "paused", "1 readers called it spam")


def test_a_complaint_does_not_wait_for_a_tick_behind_many_deliveries(
    digest: Digest, django_capture_on_commit_callbacks: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    many = (Event(provider="P", key=str(number), type="deferred", happened_at=NOW) for number in range(events.BATCH))
    Event.objects.bulk_create(many)
    happened("complained", digest_uid=digest.uid)
    monkeypatch.setattr(tasks.apply_events, "delay", tasks.apply_events)  # a worker that is there at once
    with django_capture_on_commit_callbacks(execute=True):
        tasks.apply_events(until=NOW.timestamp() + 60)
    assert status_of(digest) == "complained"


def test_after_the_next_tick_it_is_the_ticks_to_go_on(
    digest: Digest, django_capture_on_commit_callbacks: Callable[..., Any]
) -> None:
    many = (Event(provider="P", key=str(number), type="deferred", happened_at=NOW) for number in range(events.BATCH))
    Event.objects.bulk_create(many)
    with django_capture_on_commit_callbacks() as calls:
        tasks.apply_events(until=NOW.timestamp())
    assert calls == []
