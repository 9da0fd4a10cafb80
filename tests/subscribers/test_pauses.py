"""A pause until a day ends by itself, on that day where the reader is."""

from datetime import date, datetime, timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from hypothesis import given

from subscribers import links
from subscribers.leaving import end_pauses, leave, pause, resume
from subscribers.models import Subscriber
from subscribers.schedule import Schedule
from subscribers.tasks import end_pauses as end_pauses_task
from tests.conftest import NOW
from tests.subscribers.test_schedule import MOMENTS, SCHEDULES

DAY = timedelta(days=1)
APRIL = date(2026, 4, 1)


def fresh(subscriber: Subscriber) -> Subscriber:
    return Subscriber.objects.get(pk=subscriber.pk)


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"{text}+00:00")


@pytest.mark.parametrize(
    ("zone", "hour", "midnight", "due"),
    [
        ("Europe/Berlin", 8, "2026-03-31T22:00", "2026-04-01T06:00"),
        ("Europe/Berlin", 0, "2026-03-31T22:00", "2026-03-31T22:00"),
        ("Pacific/Kiritimati", 8, "2026-03-31T10:00", "2026-03-31T18:00"),
        ("Pacific/Niue", 8, "2026-04-01T11:00", "2026-04-01T19:00"),
    ],
)
def test_a_pause_ends_at_the_readers_own_midnight(
    alice: Subscriber, zone: str, hour: int, midnight: str, due: str
) -> None:
    Subscriber.objects.update(zone=zone, local_hour=hour)
    pause(alice, NOW, until=APRIL)
    assert end_pauses(at(midnight) - timedelta(seconds=1)) == 0
    assert end_pauses(at(midnight)) == 1
    now = fresh(alice)
    assert (now.status, now.paused_until, now.next_digest_at) == ("active", None, at(due))


def test_a_pause_that_ends_late_still_brings_that_days_digest(alice: Subscriber) -> None:
    pause(alice, NOW, until=APRIL)
    assert end_pauses(at("2026-04-01T09:00")) == 1
    assert fresh(alice).next_digest_at == at("2026-04-01T06:00")


def test_a_pause_without_an_end_has_none(alice: Subscriber) -> None:
    pause(alice, NOW)
    assert end_pauses(NOW + 400 * DAY) == 0


@pytest.mark.parametrize("status", ["unsubscribed", "bounced", "complained", "pending"])
def test_the_day_revives_nobody(everybody: dict[str, Subscriber], status: str) -> None:
    Subscriber.objects.filter(status=status).update(paused_until=APRIL)
    assert end_pauses(at("2026-04-02T00:00")) == 0
    assert fresh(everybody[status]).status == status


def test_who_resumed_or_left_before_is_let_be(alice: Subscriber) -> None:
    pause(alice, NOW, until=APRIL)
    resume(alice, NOW)
    due = fresh(alice).next_digest_at
    leave(fresh(alice), NOW, page="leave")
    assert due
    assert end_pauses(at("2026-04-02T00:00")) == 0


@given(SCHEDULES, MOMENTS)
def test_the_first_slot_of_a_day_is_never_before_it(schedule: Schedule, moment: datetime) -> None:
    today = schedule.local_date(moment)
    slot = schedule.first_on(today)
    assert schedule.local_date(slot) >= today
    assert schedule.next_after(slot - timedelta(microseconds=1)) == slot
    assert all(schedule.local_date(earlier) < today for earlier in [schedule.slot_on(today - DAY)])


def test_the_page_pauses_until_a_day_and_the_task_ends_it(
    client: Client, alice: Subscriber, fixed_clock: time_machine.Traveller
) -> None:
    token = links.preferences_token(alice)
    answer = client.post(reverse("pause_until", args=[token]), {"until": "2026-04-01", "version": "0"}, follow=True)
    assert "nothing is mailed to <bdi>alice@example.org</bdi> before 1 April 2026" in answer.content.decode()
    fixed_clock.move_to(at("2026-04-01T00:00"))
    end_pauses_task()
    assert fresh(alice).status == "active"


@pytest.mark.parametrize("until", ["2026-03-20", "1999-01-01", "2028-01-01", "soon", "2026-02-30", "9" * 1000])
def test_a_day_that_cannot_be_is_refused_in_words(client: Client, alice: Subscriber, until: str) -> None:
    path = reverse("pause_until", args=[links.preferences_token(alice)])
    page = client.post(path, {"until": until, "version": "0"})
    assert page.status_code == 422
    assert "Choose a day from tomorrow on" in page.content.decode() or "Type the date" in page.content.decode()
    assert fresh(alice).status == "active"


def test_a_pause_from_a_page_left_open_changes_nothing(client: Client, alice: Subscriber) -> None:
    path = reverse("pause_until", args=[links.preferences_token(alice)])
    client.post(path, {"until": "2026-04-01", "version": "0"})
    assert client.post(path, {"until": "2026-05-01", "version": "0"}).status_code == 409
    assert fresh(alice).paused_until == APRIL


def test_a_pause_without_a_day_keeps_to_the_reader(client: Client, alice: Subscriber) -> None:
    path = reverse("pause_until", args=[links.preferences_token(alice)])
    client.post(path, {"until": "", "version": "0"})
    assert (fresh(alice).status, fresh(alice).paused_until) == ("paused", None)
