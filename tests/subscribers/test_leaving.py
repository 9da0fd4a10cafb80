from datetime import datetime, timedelta

import pytest

from papers.models import Topic
from subscribers import links
from subscribers.leaving import erase, leave, less_often, pause, resume, undo
from subscribers.letters import owe
from subscribers.links import Farewell
from subscribers.models import Letter, Subscriber, Suppression
from subscribers.schedule import Cadence
from subscribers.signup import ask, confirm, forget_unconfirmed
from subscribers.wishes import Wishes
from tests.conftest import NOW

HOUR = timedelta(hours=1)
TOMORROW_AT_8 = NOW + timedelta(hours=22)  # 8:00 in Berlin is 7:00 UTC
Status = Subscriber.Status


def fresh(subscriber: Subscriber) -> Subscriber:
    return Subscriber.objects.get(pk=subscriber.pk)


def farewell(subscriber: Subscriber) -> Farewell:
    """Leave, and return what the page would offer."""
    was = Status(subscriber.status)
    leave(subscriber, NOW, page="leave")
    return links.read_undo(links.undo_token(Farewell(subscriber, was, NOW)))


@pytest.mark.parametrize("status", ["active", "paused", "pending"])
def test_leaving_ends_everything_at_once(everybody: dict[str, Subscriber], status: str) -> None:
    assert leave(everybody[status], NOW, page="leave")
    gone = fresh(everybody[status])
    assert (gone.status, gone.next_digest_at) == ("unsubscribed", None)
    assert gone.consents.get().action == "withdrawn"


def test_leaving_twice_is_leaving_once(alice: Subscriber) -> None:
    assert [leave(alice, NOW, page="leave"), leave(alice, NOW, page="leave")] == [True, False]
    assert alice.letters.count() == 1
    assert alice.consents.count() == 1


@pytest.mark.parametrize("status", ["bounced", "complained"])
def test_leaving_does_not_soften_a_bounce_or_a_complaint(everybody: dict[str, Subscriber], status: str) -> None:
    assert not leave(everybody[status], NOW, page="leave")
    assert fresh(everybody[status]).status == status


def test_a_goodbye_goes_to_readers_only(alice: Subscriber, bob: Subscriber) -> None:
    leave(alice, NOW, page="leave")
    leave(bob, NOW, page="leave")
    assert [letter.subscriber for letter in Letter.objects.filter(kind="goodbye")] == [alice]


def test_leaving_withdraws_the_letters_on_their_way(bob: Subscriber) -> None:
    ask("bob@example.org", Wishes(), NOW)
    leave(bob, NOW, page="leave")
    assert not Letter.objects.open().exists()


def test_a_letter_that_is_being_sent_while_its_reader_leaves_was_sent(alice: Subscriber) -> None:
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    (letter,) = Letter.objects.claim(NOW, HOUR, 10)
    leave(alice, NOW, page="leave")
    assert letter.sent(NOW)
    assert alice.letters.get(kind="preferences").status == Letter.Status.SENT


@pytest.mark.parametrize("status", ["active", "paused", "pending"])
def test_undo_restores_what_was(everybody: dict[str, Subscriber], status: str) -> None:
    assert undo(farewell(everybody[status]), NOW + HOUR)
    back = fresh(everybody[status])
    assert back.status == status
    assert (back.next_digest_at is not None) == (status == "active")


def test_undo_waits_for_the_next_slot(alice: Subscriber) -> None:
    undo(farewell(alice), NOW + HOUR)
    assert fresh(alice).next_digest_at == TOMORROW_AT_8


def test_less_often_instead_of_leaving(alice: Subscriber) -> None:
    undo(farewell(alice), NOW + HOUR, "less_often")
    assert (fresh(alice).status, fresh(alice).cadence) == ("active", "weekly")


def test_a_pause_instead_of_leaving(alice: Subscriber) -> None:
    undo(farewell(alice), NOW + HOUR, "pause")
    assert (fresh(alice).status, fresh(alice).next_digest_at) == ("paused", None)


def test_who_never_confirmed_cannot_become_a_reader_by_leaving(bob: Subscriber) -> None:
    undo(farewell(bob), NOW + HOUR, "pause")
    assert fresh(bob).status == "pending"


def test_an_undo_is_good_for_its_own_leave_only(alice: Subscriber) -> None:
    first = farewell(alice)
    undo(first, NOW + HOUR)
    leave(fresh(alice), NOW + 2 * HOUR, page="leave")
    assert not undo(first, NOW + 3 * HOUR)
    assert fresh(alice).status == "unsubscribed"


def test_an_undo_cannot_revive_the_suppressed(alice: Subscriber) -> None:
    way_back = farewell(alice)
    Suppression.objects.add("alice@example.org", Suppression.Reason.COMPLAINED)
    assert not undo(way_back, NOW + HOUR)


def test_less_often_goes_one_step_at_a_time(alice: Subscriber) -> None:
    steps = [less_often(fresh(alice), NOW) for _ in range(3)]
    assert steps == [True, True, False]
    assert fresh(alice).cadence == "monthly"


def test_two_presses_on_one_page_are_one_step(alice: Subscriber) -> None:
    assert [less_often(alice, NOW), less_often(alice, NOW)] == [True, False]
    assert fresh(alice).cadence == "weekly"
    assert fresh(alice).next_digest_at == NOW + timedelta(days=2, hours=22)  # Monday at 8:00


def test_a_pause_lasts_until_it_is_ended(alice: Subscriber) -> None:
    assert [pause(alice, NOW), pause(alice, NOW)] == [True, False]
    assert (fresh(alice).status, fresh(alice).next_digest_at) == ("paused", None)
    assert [resume(alice, NOW), resume(alice, NOW)] == [True, False]
    assert (fresh(alice).status, fresh(alice).next_digest_at) == ("active", TOMORROW_AT_8)


@pytest.mark.parametrize("status", ["pending", "unsubscribed", "bounced", "complained"])
def test_only_a_pause_can_be_ended(everybody: dict[str, Subscriber], status: str) -> None:
    assert not resume(everybody[status], NOW)
    assert not pause(everybody[status], NOW)
    assert fresh(everybody[status]).status == status


def test_erasing_leaves_a_hash_and_bare_proofs(alice: Subscriber, graphs: Topic) -> None:
    alice.topics.add(graphs)
    pause(alice, NOW, "192.0.2.0/24")
    assert erase(alice, NOW)
    gone = fresh(alice)
    assert (gone.status, gone.email, gone.zone, gone.topics.count()) == ("erased", None, "UTC", 0)
    assert set(gone.consents.values_list("network", flat=True)) == {""}
    assert gone.letters.count() == 0
    assert Suppression.objects.of("alice@example.org") == {"alice@example.org": "asked to be erased"}


def test_erasing_twice_is_erasing_once(alice: Subscriber) -> None:
    assert [erase(alice, NOW), erase(alice, NOW), erase(fresh(alice), NOW)] == [True, False, False]
    assert Suppression.objects.count() == 1


def test_the_erased_cannot_be_signed_up_again(alice: Subscriber) -> None:
    erase(alice, NOW)
    ask("alice@example.org", Wishes(), NOW)
    assert Subscriber.objects.get().status == "erased"
    assert not Letter.objects.exists()


def asked_by_somebody(subscriber: Subscriber, at: datetime, topic: Topic) -> None:
    ask(str(subscriber.email), Wishes((topic,), Cadence.MONTHLY, 3, language="fr", digest_size=1), at)


def test_who_has_left_keeps_their_choices_until_they_confirm_others(
    alice: Subscriber, graphs: Topic, vision: Topic
) -> None:
    alice.topics.set([graphs])
    leave(alice, NOW, page="leave")
    asked_by_somebody(alice, NOW + HOUR, vision)
    waiting = fresh(alice)
    assert (waiting.status, waiting.cadence, waiting.language, list(waiting.topics.all())) == (
        "pending",
        "daily",
        "en",
        [graphs],
    )
    confirm(waiting, NOW + 2 * HOUR)
    now = fresh(alice)
    assert (now.cadence, now.local_hour, now.language, now.digest_size) == ("monthly", 3, "fr", 1)
    assert (list(now.topics.all()), now.asked) == ([vision], None)


def test_somebody_who_types_the_address_takes_no_undo_away(alice: Subscriber, graphs: Topic, vision: Topic) -> None:
    alice.topics.set([graphs])
    left = farewell(alice)
    asked_by_somebody(alice, NOW + HOUR, vision)
    assert undo(left, NOW + 2 * HOUR)
    now = fresh(alice)
    assert (now.status, now.cadence, list(now.topics.all()), now.asked) == ("active", "daily", [graphs], None)
    assert not undo(left, NOW + 3 * HOUR)


def test_an_undo_is_over_once_the_reader_has_confirmed_anew(alice: Subscriber, vision: Topic) -> None:
    left = farewell(alice)
    asked_by_somebody(alice, NOW + HOUR, vision)
    confirm(fresh(alice), NOW + 2 * HOUR)
    assert not undo(left, NOW + 3 * HOUR)


def test_who_left_and_was_asked_in_vain_is_as_they_left(alice: Subscriber, vision: Topic) -> None:
    leave(alice, NOW, page="leave")
    asked_by_somebody(alice, NOW + HOUR, vision)
    forget_unconfirmed(NOW + timedelta(days=15))
    gone = fresh(alice)
    assert (gone.status, gone.cadence, gone.asked) == ("unsubscribed", "daily", None)
