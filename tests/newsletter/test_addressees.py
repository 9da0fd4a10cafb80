"""A bounce or a complaint hits the address that the mail went to, and no other: also of letters, also after a move."""

from datetime import datetime
from itertools import permutations

import pytest
from anymail.signals import AnymailTrackingEvent
from django.test import Client
from django.urls import reverse

from newsletter.delivery.feedback import events
from newsletter.models import Digest, Event
from subscribers import links, moves
from subscribers.gate import why_not
from subscribers.letters import owe
from subscribers.models import Letter, Move, Subscriber, Suppression
from subscribers.signup import ask, confirm
from subscribers.wishes import Wishes
from tests.conftest import NOW

ALICE, NEW = "alice@example.org", "alice@new.example.org"
HOUR = moves.EVERY / 24


def name_address(reader: Subscriber, email: str, at: datetime) -> None:
    """Ask both addresses, as the page and the task after it do."""
    move = moves.ask(reader, email, at)
    assert move is not None
    moves.ask_new(email, move.uid.hex, at)


def tell(kind: str, recipient: str | None = None, **metadata: object) -> None:
    """A provider tells us, and it is applied."""
    told = {"event_id": f"e{Event.objects.count()}", "message_id": "m", "timestamp": NOW, "recipient": recipient}
    named = {name: str(uid) for name, uid in metadata.items()}
    events.store(AnymailTrackingEvent(event_type=kind, metadata=named, **told), "Postmark")
    events.apply_stored(NOW)


def letter_to(subscriber: Subscriber, kind: str) -> Letter:
    return Letter.objects.get(subscriber=subscriber, kind=kind)


def status_of(subscriber: Subscriber) -> str:
    return Subscriber.objects.get(pk=subscriber.pk).status


def banned(*emails: str) -> list[bool]:
    return [email in Suppression.objects.of(email) for email in emails]


@pytest.fixture
def asked(bob: Subscriber) -> Letter:
    """The confirmation that Bob got."""
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    Letter.objects.update(status="sent", sent_at=NOW)
    return letter_to(bob, "confirmation")


@pytest.fixture
def wish(alice: Subscriber) -> Move:
    """Alice wishes to move, and both addresses got their letters."""
    name_address(alice, NEW, NOW)
    Letter.objects.update(status="sent", sent_at=NOW)
    return Move.objects.get()


def carry_out(wish: Move) -> None:
    for side in moves.SIDES:
        moves.agree(wish, side, NOW + HOUR)


@pytest.mark.parametrize("recipient", [None, "bob@example.org", "Bob@EXAMPLE.org", " bob@example.org."])
@pytest.mark.parametrize("kind", ["bounced", "complained"])
def test_a_confirmation_that_comes_back_ends_the_asking(
    bob: Subscriber, asked: Letter, kind: str, recipient: str | None
) -> None:
    tell(kind, recipient, letter=asked.uid)
    assert (status_of(bob), banned("bob@example.org")) == (kind, [True])
    assert not confirm(bob, NOW)
    ask("bob@example.org", Wishes(), NOW + 48 * HOUR)
    assert Letter.objects.count() == 1


@pytest.mark.parametrize("order", list(permutations(["delivered", "bounced", "complained", "bounced"])))
def test_what_is_told_of_a_letter_comes_to_the_same_in_any_order(
    bob: Subscriber, asked: Letter, order: tuple[str, ...]
) -> None:
    for kind in order * 2:
        tell(kind, letter=asked.uid)
    assert status_of(bob) == "complained"
    assert Suppression.objects.of("bob@example.org") == {"bob@example.org": "marked as spam"}


def test_an_event_is_applied_once_and_keeps_no_hash(bob: Subscriber, asked: Letter) -> None:
    tell("bounced", "bob@example.org", letter=asked.uid)
    assert Event.objects.get().recipient_hash == ""
    assert events.apply_stored(NOW) == 0


@pytest.mark.parametrize("kind", ["bounced", "complained"])
@pytest.mark.parametrize("recipient", [None, NEW])
def test_a_new_address_that_does_not_want_the_letter_cancels_the_move_and_no_more(
    client: Client, alice: Subscriber, wish: Move, kind: str, recipient: str | None
) -> None:
    path = links.move_url(wish, "new").removeprefix("https://papers.example")
    tell(kind, recipient, letter=letter_to(alice, "move_to").uid)
    assert (status_of(alice), banned(ALICE, NEW)) == ("active", [False, True])
    assert not Move.objects.exists()
    assert client.post(path, secure=True).status_code == 404


def test_the_letter_to_the_old_address_hits_the_old_one(alice: Subscriber, wish: Move) -> None:
    tell("bounced", ALICE, letter=letter_to(alice, "move_from").uid)
    assert (status_of(alice), banned(ALICE, NEW)) == ("bounced", [True, False])


@pytest.mark.parametrize("kind", ["bounced", "complained"])
@pytest.mark.parametrize("mail", ["digest", "letter"])
def test_what_comes_late_from_the_old_address_does_not_touch_the_new_one(
    alice: Subscriber, digest: Digest, wish: Move, kind: str, mail: str
) -> None:
    uid = digest.uid if mail == "digest" else letter_to(alice, "move_from").uid
    carry_out(wish)
    tell(kind, ALICE, **{mail: uid})
    assert (status_of(alice), banned(ALICE, NEW)) == ("active", [True, False])


@pytest.mark.parametrize("mail", ["digest", "move_from", "move_to"])
def test_where_no_address_is_named_and_it_may_be_the_old_one_nobody_is_hit(
    alice: Subscriber, digest: Digest, wish: Move, mail: str
) -> None:
    named = {"digest": digest.uid} if mail == "digest" else {"letter": letter_to(alice, mail).uid}
    carry_out(wish)
    tell("bounced", **named)
    assert (status_of(alice), banned(ALICE, NEW)) == ("active", [False, False])


def test_a_new_address_that_fails_after_the_move_is_dropped(alice: Subscriber, wish: Move) -> None:
    letter = letter_to(alice, "move_to")
    carry_out(wish)
    tell("bounced", NEW, letter=letter.uid)
    assert (status_of(alice), banned(ALICE, NEW)) == ("bounced", [False, True])


def test_a_letter_about_an_earlier_wish_says_nothing_of_the_next_one(alice: Subscriber, wish: Move) -> None:
    letter = letter_to(alice, "move_to")
    name_address(alice, "alice@third.example.org", NOW + 25 * HOUR)
    tell("bounced", letter=letter.uid)
    tell("bounced", NEW, letter=letter.uid)
    assert Move.objects.get().email == "alice@third.example.org"
    assert banned(NEW, "alice@third.example.org") == [True, False]


def test_a_digest_forwarded_to_somebody_else_hits_them_alone(alice: Subscriber, digest: Digest) -> None:
    tell("complained", "list@elsewhere.example.org", digest=digest.uid)
    assert (status_of(alice), banned(ALICE, "list@elsewhere.example.org")) == ("active", [False, True])


def test_a_digest_with_no_address_named_hits_its_reader(alice: Subscriber, digest: Digest) -> None:
    tell("bounced", digest=digest.uid)
    assert (status_of(alice), banned(ALICE)) == ("bounced", [True])


def test_who_wishes_for_an_address_that_has_come_back_cannot_have_it(alice: Subscriber, wish: Move) -> None:
    Suppression.objects.add(NEW, Suppression.Reason.BOUNCED)
    assert why_not(letter_to(alice, "move_to"))


@pytest.mark.parametrize("recipient", ["", "nobody", "x" * 1000, "a@b\x00", "é@ü"])
def test_a_recipient_that_is_none_breaks_nothing(alice: Subscriber, digest: Digest, recipient: str) -> None:
    tell("deferred", recipient, digest=digest.uid)
    tell("bounced", recipient or "nobody", digest=digest.uid)
    assert status_of(alice) == "active"


def test_the_reader_sees_what_was_told_of_letters_and_erasing_forgets_it(client: Client, alice: Subscriber) -> None:
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    Event.objects.create(
        provider="x", key="1", type="deferred", letter_uid=Letter.objects.get().uid, happened_at=NOW, detail="busy"
    )
    page = client.get(reverse("export", args=[links.preferences_token(alice)]), secure=True).json()
    assert page["provider_told_of_letters"][0]["detail"] == "busy"
    client.post(reverse("erase", args=[links.preferences_token(alice)]), secure=True)
    assert Event.objects.get().detail == ""
