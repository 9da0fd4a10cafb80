"""The calendar of editions, and opening one ahead of its day."""

from datetime import date, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from newsletter import census, editions
from newsletter.desk.month import Day
from newsletter.models import Edition
from papers.models import Paper
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.newsletter.test_cockpit import sign_in

CALENDAR, OPEN = reverse("desk_calendar"), reverse("desk_open")
TODAY = NOW.date()


def days(client: Client, month: str = "") -> dict[date, Day]:
    page = client.get(CALENDAR, {"month": month} if month else {}, secure=True)
    return {day.date: day for week in page.context["weeks"] for day in week if day}


def test_a_month_shows_its_editions_with_states_and_counts(edition: Edition, alice: Subscriber) -> None:
    planned(edition, alice)
    census.follow(NOW)
    Edition.objects.create(kind="weekly", date=date(2026, 3, 2), status="cancelled")
    found = days(sign_in("Editor"))
    assert len(found) == 31
    assert [(one.edition.state, one.planned) for one in found[TODAY].editions] == [("going out", 1)]
    assert [one.edition.state for one in found[date(2026, 3, 2)].editions] == ["cancelled"]
    assert [day.date for day in found.values() if day.is_today] == [TODAY]


def test_what_is_coming_is_shown_with_how_many_readers_it_has(db: None) -> None:
    add_readers(3, weekdays=0b0011111)
    Subscriber.objects.create(email="w@example.org", status="active", cadence="weekly", weekday=6, next_digest_at=NOW)
    Subscriber.objects.create(email="m@example.org", status="active", cadence="monthly", next_digest_at=NOW)
    Subscriber.objects.create(email="gone@example.org", status="unsubscribed")
    census.take(NOW)
    client = sign_in("Editor")
    march, april = days(client), days(client, "2026-04")
    assert [(one.name, one.readers) for one in march[TODAY].coming] == [("Daily", 3)]
    assert [(one.name, one.readers) for one in march[TODAY + timedelta(days=1)].coming] == [("Weekly", 1)]
    assert march[TODAY - timedelta(days=1)].coming == march[TODAY + timedelta(days=2)].coming == []
    assert [(one.name, one.readers) for one in april[date(2026, 4, 1)].coming] == [("Daily", 3), ("Monthly", 1)]


def test_an_edition_that_is_open_is_not_coming_too(edition: Edition) -> None:
    add_readers(1)
    census.take(NOW)
    day = days(sign_in("Editor"))[TODAY]
    assert (len(day.editions), day.coming) == (1, [])


def test_a_month_is_found_by_its_name_and_nothing_else_is(db: None) -> None:
    client = sign_in("Editor")
    assert "February 2024" in client.get(CALENDAR, {"month": "2024-02"}, secure=True).content.decode()
    for wrong in ("2024-13", "x", "0000-01", "9999-12", "%00"):
        assert client.get(CALENDAR, {"month": wrong}, secure=True).status_code == 404


def test_it_is_flat(db: None, django_assert_max_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(28):
        for kind in ("daily", "weekly", "sample"):
            Edition.objects.create(kind=kind, date=date(2026, 3, 1 + number))
    client = sign_in("Operator")
    with django_assert_max_num_queries(12):
        client.get(CALENDAR, secure=True)


def test_an_edition_is_opened_ahead_and_on_record(papers: list[Paper]) -> None:
    tomorrow = TODAY + timedelta(days=1)
    answer = sign_in("Editor").post(OPEN, {"kind": "daily", "date": str(tomorrow)}, secure=True)
    opened = Edition.objects.get()
    assert answer.headers["Location"] == reverse("desk_edition", args=[opened.pk])
    assert (opened.date, opened.pool.count()) == (tomorrow, len(papers))
    assert "opened it ahead" in LogEntry.objects.get().change_message


def test_one_that_was_open_already_is_shown_and_nothing_is_recorded(papers: list[Paper]) -> None:
    editions.open_ahead("daily", TODAY, NOW)
    page = sign_in("Editor").post(OPEN, {"kind": "daily", "date": str(TODAY)}, secure=True, follow=True)
    assert "was open already" in page.content.decode()
    assert not LogEntry.objects.exists()


def test_the_address_of_a_refusal_opened_again_is_the_calendar(db: None) -> None:
    assert sign_in("Editor").get(OPEN, secure=True).headers["Location"] == CALENDAR


def test_readers_are_planned_into_what_was_opened_ahead(papers: list[Paper], alice: Subscriber) -> None:
    ahead, _ = editions.open_ahead("daily", TODAY, NOW)
    editions.plan(NOW)
    assert alice.pk in ahead.digests.values_list("subscriber", flat=True)


def test_what_was_opened_ahead_is_public_when_its_day_has_begun_somewhere(papers: list[Paper], client: Client) -> None:
    editions.open_ahead("daily", TODAY + timedelta(days=2), NOW)
    assert list(Edition.objects.public(NOW)) == []
    assert client.get(reverse("edition", args=["daily", "2026-03-22"]), secure=True).status_code == 404
    assert Edition.objects.public(NOW + timedelta(days=2)).count() == 1


@pytest.mark.parametrize(
    ("kind", "day"),
    [
        ("sample", "2026-03-21"),
        ("hourly", "2026-03-21"),
        ("daily", "2026-03-19"),
        ("daily", "2027-03-19"),
        ("daily", "tomorrow"),
        ("monthly", "2026-03-21"),
        ("daily", ""),
    ],
)
def test_what_cannot_come_is_not_opened(db: None, kind: str, day: str) -> None:
    page = sign_in("Editor").post(OPEN, {"kind": kind, "date": day}, secure=True)
    assert (page.status_code, Edition.objects.count()) == (422, 0)
    assert 'role="alert"' in page.content.decode()
