"""The archive of editions: public, the same for everybody, and without anything of any reader."""

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from newsletter.digest.candidates import FEWEST_UPVOTES
from newsletter.digest.rendering import SOMEBODY
from newsletter.models import Edition, EditionPaper
from papers.models import Paper
from subscribers.links import written
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned

PATH = "/editions/daily/2026-03-20/"


def page(client: Client, path: str = PATH) -> str:
    answer = client.get(path, secure=True)
    assert answer.status_code == 200
    assert "public" in answer["Cache-Control"]
    assert not answer.cookies
    return answer.content.decode()


def test_an_edition_shows_note_pins_and_the_hottest_of_its_pool(
    client: Client, edition: Edition, papers: list[Paper]
) -> None:
    Edition.objects.update(note="Read the last one <first>.")
    EditionPaper.objects.decide(edition, papers[-1], EditionPaper.Choice.PINNED)
    EditionPaper.objects.decide(edition, papers[0], EditionPaper.Choice.BANNED)
    text = page(client)
    marks = ["Read the last one &lt;first&gt;.", "Picked by the editor", papers[-1].title, papers[4].title]
    assert sorted(marks, key=text.index) == marks
    assert papers[0].title not in text


def test_few_upvotes_are_not_told_as_the_mail_does_not(client: Client, edition: Edition, papers: list[Paper]) -> None:
    EditionPaper.objects.decide(edition, papers[0], EditionPaper.Choice.PINNED)
    for paper, upvotes in zip(papers, (0, FEWEST_UPVOTES - 1, FEWEST_UPVOTES), strict=False):
        paper.readings.create(taken_at=NOW, upvotes=upvotes)
    assert re.findall(r"\d+ upvotes?\b", page(client)) == [f"{FEWEST_UPVOTES} upvotes"]


def test_a_past_edition_calls_no_paper_new(client: Client, edition: Edition, clock: time_machine.Traveller) -> None:
    assert ">new<" in page(client)
    clock.shift(timedelta(days=30))
    assert ">new<" not in page(client)


def test_it_holds_nothing_of_any_reader(client: Client, edition: Edition, alice: Subscriber) -> None:
    digest = planned(edition, alice)
    text = page(client)
    keys = (alice.leave_key, *map(written, (digest.uid, alice.uid, SOMEBODY)))
    for secret in (*keys, alice.email, "Less often"):
        assert str(secret) not in text


def test_the_archive_leads_to_it(client: Client, edition: Edition) -> None:
    assert reverse("editions") in page(client, "/papers/2026-03-20/")
    assert PATH in page(client, reverse("editions"))


@pytest.mark.parametrize("fields", [{"status": "paused"}, {"status": "cancelled"}, {"kind": "sample"}])
def test_what_was_stopped_or_made_for_one_is_not_shown(
    client: Client, edition: Edition, fields: dict[str, str]
) -> None:
    Edition.objects.update(**fields)
    assert client.get(f"/editions/{fields.get('kind', 'daily')}/2026-03-20/", secure=True).status_code == 404
    assert "2026-03-20" not in page(client, reverse("editions"))


@pytest.mark.parametrize("path", ["daily/2026-03/", "daily/2026-02-30/", "hourly/2026-03-20/", "?page=9", "daily/0/"])
def test_an_edition_that_never_was_is_not_found(client: Client, edition: Edition, path: str) -> None:
    assert client.get(f"/editions/{path}", secure=True).status_code == 404


def test_a_page_costs_a_few_queries_however_many_papers(
    client: Client, edition: Edition, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(9):
        page(client)


def test_an_edition_without_papers_says_so(client: Client, edition: Edition) -> None:
    edition.pool.all().delete()
    assert "No paper was new then." in page(client)
