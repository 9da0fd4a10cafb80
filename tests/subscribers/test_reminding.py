"""One reminder to who asked and did not confirm, and no way to be asked for ever."""

from datetime import datetime, timedelta

import pytest

from subscribers import reminding, signup
from subscribers.gate import why_not
from subscribers.leaving import leave
from subscribers.models import Letter, Subscriber, Suppression, Unanswered
from subscribers.preferences import ask_for_link
from subscribers.reminding import remind
from subscribers.signup import ask, confirm, forget_unconfirmed
from subscribers.tasks import remind as remind_by_the_clock
from subscribers.wishes import Wishes
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
CAROL = "carol@example.org"
MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
TWO_DAYS = 2 * DAY


def asked(at: datetime = NOW, email: str = CAROL, status: str = Letter.Status.SENT) -> Subscriber:
    """Somebody asked, and what was owed to them went out."""
    ask(email, Wishes(), at)
    Letter.objects.open().update(status=status)
    return Subscriber.objects.get(email=email)


def kinds() -> list[str]:
    return list(Letter.objects.order_by("pk").values_list("kind", flat=True))


def test_a_reminder_comes_after_two_days_and_once() -> None:
    asked()
    moments = [MINUTE, TWO_DAYS - MINUTE, TWO_DAYS, TWO_DAYS + MINUTE, 4 * DAY, 9 * DAY]
    assert [remind(NOW + moment) for moment in moments] == [0, 0, 1, 0, 0, 0]
    assert kinds() == ["confirmation", "reminder"]
    assert why_not(Letter.objects.get(kind="reminder")) is None


@pytest.mark.parametrize("late", [timedelta(0), 7 * DAY, 12 * DAY])
def test_a_late_run_reminds_while_there_is_time_to_confirm(late: timedelta) -> None:
    asked()
    assert remind(NOW + 12 * DAY + late) == (late == timedelta(0))


def test_asking_again_begins_the_two_days_anew() -> None:
    asked()
    asked(NOW + DAY + MINUTE)
    assert [remind(NOW + TWO_DAYS + MINUTE), remind(NOW + 3 * DAY + MINUTE)] == [0, 1]


def test_nobody_is_reminded_again_for_asking_again() -> None:
    asked()
    remind(NOW + TWO_DAYS)
    Letter.objects.update(status="sent")
    asked(NOW + 4 * DAY)
    assert remind(NOW + 6 * DAY) == 0


def test_the_reminder_is_one_of_the_three_that_ask() -> None:
    for day in range(3):
        asked(NOW + day * (DAY + MINUTE))
    assert kinds() == ["confirmation"] * 3
    assert remind(NOW + 5 * DAY) == 0


def test_a_fresh_link_of_the_same_day_is_reminder_enough() -> None:
    asked()
    ask_for_link(CAROL, NOW + TWO_DAYS - MINUTE)
    Letter.objects.update(status="sent")
    assert [remind(NOW + TWO_DAYS), remind(NOW + 4 * DAY)] == [0, 0]


@pytest.mark.parametrize("status", ["failed", "owed"])
def test_a_confirmation_that_never_went_out_is_not_followed_by_a_reminder(status: str) -> None:
    asked(status=status)
    assert remind(NOW + TWO_DAYS) == 0


def test_who_has_confirmed_or_left_is_not_reminded() -> None:
    confirm(asked(), NOW + DAY)
    leave(asked(email="dave@example.org"), NOW + DAY, page="leave")
    assert remind(NOW + 3 * DAY) == 0


@pytest.mark.parametrize("way", ["confirmed", "left", "suppressed"])
def test_a_reminder_on_its_way_is_stopped_by_whatever_comes_first(way: str) -> None:
    carol = asked()
    remind(NOW + TWO_DAYS)
    if way == "confirmed":
        confirm(carol, NOW + TWO_DAYS)
    elif way == "left":
        leave(carol, NOW + TWO_DAYS, page="leave")
    else:
        Suppression.objects.add(CAROL, Suppression.Reason.COMPLAINED)
    assert why_not(Letter.objects.get(kind="reminder"))


def test_a_reminder_that_was_held_up_for_days_is_not_sent() -> None:
    asked()
    remind(NOW + TWO_DAYS)
    assert Letter.objects.claim(NOW + 3 * DAY + MINUTE, MINUTE, 10) == []
    assert Letter.objects.get(kind="reminder").reason == "too late to be welcome"


def test_who_comes_back_after_having_confirmed_is_reminded_anew() -> None:
    carol = asked()
    remind(NOW + TWO_DAYS)
    Letter.objects.update(status="sent")
    confirm(carol, NOW + 3 * DAY)
    carol.refresh_from_db()
    leave(carol, NOW + 4 * DAY, page="leave")
    asked(NOW + 5 * DAY)
    assert remind(NOW + 7 * DAY) == 1


def test_a_run_that_was_cut_off_is_taken_up_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reminding, "CHUNK", 2)
    people = [asked(email=f"p{number}@example.org") for number in range(5)]
    assert reminding.remind_one(people[0], NOW + TWO_DAYS)
    assert [remind(NOW + TWO_DAYS), remind(NOW + TWO_DAYS)] == [4, 0]
    assert kinds().count("reminder") == 5


def test_two_runs_at_once_remind_once() -> None:
    carol = asked()
    assert [reminding.remind_one(carol, NOW + TWO_DAYS) for _ in range(2)] == [True, False]


def test_the_task_reminds_by_the_clock() -> None:
    asked(NOW - TWO_DAYS)
    remind_by_the_clock()
    assert kinds() == ["confirmation", "reminder"]


def test_an_address_that_never_answers_is_asked_three_times_a_year() -> None:
    sent = []
    for day in range(0, 700, 10):
        at = NOW + day * DAY
        forget_unconfirmed(at)
        Unanswered.objects.outdated(at).delete()
        before = set(Letter.objects.values_list("pk", flat=True))
        asked(at)
        remind(at + TWO_DAYS)
        Letter.objects.update(status="sent")
        sent += [day] * Letter.objects.exclude(pk__in=before).count()
    # Two on the first day that has one left, and one more; the count ends a year after the last was forgotten.
    assert len([day for day in sent if day < 365]) == 3
    assert len(sent) == 6


def test_what_is_kept_of_an_address_is_a_hash_and_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signup, "FORGET_CHUNK", 1)
    asked()
    asked(email="dave@example.org")
    remind(NOW + TWO_DAYS)
    assert forget_unconfirmed(NOW + 15 * DAY) == 2
    assert list(Unanswered.objects.values_list("letters", flat=True)) == [2, 2]
    assert not any(word in repr(Unanswered.objects.values()) for word in ("carol", "dave", "@"))


def test_who_answers_is_counted_from_nothing_again() -> None:
    for day in (0, 20):
        carol = asked(NOW + day * DAY)
        forget_unconfirmed(NOW + (day + 15) * DAY)
    carol = asked(NOW + 40 * DAY)
    assert confirm(carol, NOW + 41 * DAY)
    assert not Unanswered.objects.exists()


def test_another_address_has_its_own_count() -> None:
    Unanswered.objects.add({CAROL: 3}, NOW)
    asked()
    asked(email="dave@example.org")
    assert [letter.subscriber.email for letter in Letter.objects.all()] == ["dave@example.org"]
