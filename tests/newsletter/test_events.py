"""What providers tell us later."""

from itertools import permutations

import pytest
from anymail.signals import AnymailTrackingEvent

from newsletter.delivery import events
from newsletter.models import Digest, Edition, Event
from subscribers.models import Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import planned


@pytest.fixture
def digest(edition: Edition, alice: Subscriber) -> Digest:
    digest = planned(edition, alice)
    Digest.objects.update(status="accepted", submitted_at=NOW)
    return digest


def tell(digest: Digest, kind: str, key: str | None = "e1") -> None:
    events.store(
        AnymailTrackingEvent(
            event_type=kind,
            event_id=key,
            timestamp=NOW,
            message_id="m1",
            metadata={"digest": str(digest.uid)},
        ),
        "Postmark",
    )


def test_an_event_is_stored_once(digest: Digest) -> None:
    tell(digest, "delivered")
    tell(digest, "delivered")
    tell(digest, "bounced", None)
    tell(digest, "bounced", None)
    assert Event.objects.count() == 2


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


def test_an_event_of_no_digest_of_ours_is_kept_and_changes_nothing(digest: Digest) -> None:
    events.store(AnymailTrackingEvent(event_type="opened", event_id="x", metadata={"digest": "nonsense"}), "Brevo")
    assert events.apply_stored(NOW) == 1
    assert Event.objects.get().type == "other"
    digest.refresh_from_db()
    assert digest.status == "accepted"
