from datetime import timedelta

import pytest
from django.db import IntegrityError

from subscribers.letters import owe
from subscribers.models import MAX_ATTEMPTS, Letter, Subscriber
from tests.conftest import NOW

LEASE = timedelta(minutes=5)
Kind = Letter.Kind


@pytest.fixture
def letter(bob: Subscriber) -> Letter:
    """A confirmation owed to Bob."""
    owed = owe(bob, Kind.CONFIRMATION, NOW)
    assert owed
    return owed


def claim() -> Letter:
    (taken,) = Letter.objects.claim(NOW, LEASE, 10)
    return taken


def test_a_letter_is_owed_once_while_it_is_on_its_way(bob: Subscriber, letter: Letter) -> None:
    assert owe(bob, Kind.CONFIRMATION, NOW + timedelta(days=2)) is None
    claim()
    assert owe(bob, Kind.CONFIRMATION, NOW + timedelta(days=2)) is None


def test_the_database_itself_refuses_a_second_open_letter(bob: Subscriber, letter: Letter) -> None:
    with pytest.raises(IntegrityError):
        Letter.objects.create(subscriber=bob, kind=Kind.CONFIRMATION, not_before=NOW)


def test_a_preferences_link_goes_out_three_times_a_day(alice: Subscriber) -> None:
    for _ in range(5):
        owe(alice, Kind.PREFERENCES, NOW)
        Letter.objects.update(status=Letter.Status.SENT)
    assert Letter.objects.count() == 3
    assert owe(alice, Kind.PREFERENCES, NOW + timedelta(days=1))


@pytest.mark.parametrize(("kind", "goes_again"), [(Kind.PREFERENCES, True), (Kind.CONFIRMATION, False)])
def test_a_doubt_ends_early_for_a_reader_who_asks_again_and_for_no_stranger(
    alice: Subscriber, kind: Letter.Kind, goes_again: bool
) -> None:
    owe(alice, kind, NOW)
    claim().doubted("no answer", NOW, timedelta(0))
    assert Letter.objects.claim(NOW + LEASE, LEASE, 1) == []
    owe(alice, kind, NOW + LEASE)
    again = Letter.objects.claim(NOW + LEASE, LEASE, 1)
    assert bool(again) is goes_again
    for letter in again:  # but once, whoever asks
        letter.doubted("no answer", NOW + LEASE, timedelta(0))
        owe(alice, kind, NOW + 2 * LEASE)
        assert Letter.objects.claim(NOW + 2 * LEASE, LEASE, 1) == []


def test_limits_of_one_reader_do_not_bind_another(alice: Subscriber, letter: Letter) -> None:
    assert owe(alice, Kind.CONFIRMATION, NOW)


def test_a_letter_is_taken_by_one_sender(letter: Letter) -> None:
    taken = claim()
    assert (taken.status, taken.attempts, taken.not_before) == ("sending", 1, NOW + LEASE)
    assert Letter.objects.claim(NOW, LEASE, 10) == []
    assert not letter.take(NOW, LEASE)


def test_a_letter_whose_sender_died_is_taken_again(letter: Letter) -> None:
    lost, again = claim(), Letter.objects.claim(NOW + LEASE, LEASE, 10)
    assert [taken.pk for taken in again] == [letter.pk]
    assert not lost.sent(NOW + LEASE)
    assert again[0].sent(NOW + LEASE)


def test_nobody_takes_what_is_not_due(letter: Letter) -> None:
    claim().retry("busy", NOW + timedelta(hours=1))
    assert Letter.objects.claim(NOW + timedelta(minutes=59), LEASE, 10) == []


def test_a_sent_letter_stays_sent(letter: Letter) -> None:
    taken = claim()
    assert [taken.sent(NOW), taken.failed("late"), taken.retry("late", NOW)] == [True, False, False]
    letter.refresh_from_db()
    assert (letter.status, letter.sent_at) == ("sent", NOW)


def test_a_failed_letter_says_why(letter: Letter) -> None:
    claim().failed("x" * 300)
    letter.refresh_from_db()
    assert (letter.status, letter.reason) == ("failed", "x" * 200)


def test_a_letter_is_given_up_after_five_tries(letter: Letter) -> None:
    tries = 0
    while taken := Letter.objects.claim(NOW, LEASE, 10):
        taken[0].retry("no route", NOW)
        tries += 1
    letter.refresh_from_db()
    assert (tries, letter.status, letter.reason) == (MAX_ATTEMPTS, "failed", "no route")


def test_a_letter_that_kills_its_senders_is_given_up_too(letter: Letter) -> None:
    moments = [NOW + LEASE * turn for turn in range(MAX_ATTEMPTS + 2)]
    assert [len(Letter.objects.claim(at, LEASE, 10)) for at in moments] == [1] * MAX_ATTEMPTS + [0] * 2
    letter.refresh_from_db()
    assert letter.reason == f"gave up after {MAX_ATTEMPTS} attempts"


def test_a_claim_takes_no_more_than_asked(alice: Subscriber, letter: Letter) -> None:
    owe(alice, Kind.WELCOME, NOW)
    assert len(Letter.objects.claim(NOW, LEASE, 1)) == 1
    assert len(Letter.objects.claim(NOW, LEASE, 1)) == 1
