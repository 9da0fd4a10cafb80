"""Every page of ours in the admin leads back: to its list, and over the row that it is about."""

import re
from typing import Any

import pytest
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, reverse

from newsletter.desk.urls import urlpatterns
from newsletter.models import Edition
from papers.models import BackFill, Paper, Topic
from subscribers.models import Import, Subscriber, Suppression
from tests.newsletter.rows import make

pytestmark = pytest.mark.usefixtures("fixed_clock")

ROWS: dict[str, type[Model]] = {"editions": Edition, "readers": Subscriber, "topics": Topic}
# What ModelAdmins of ours have beside the desk, and what each is about.
BESIDE = {
    "embed": Subscriber,
    "admin:newsletter_edition_explain": Edition,
    "admin:papers_paper_duplicates": Paper,
    "admin:papers_paper_merge": Paper,
    "admin:papers_backfill_change": BackFill,
    "admin:subscribers_import_add": Import,
    "admin:subscribers_import_change": Import,
    "admin:subscribers_suppression_look_up": Suppression,
}
ABOUT_NO_ROW = {"embed", "admin:papers_paper_duplicates", "admin:subscribers_import_add"} | {
    "admin:subscribers_suppression_look_up"
}


def list_of(model: type[Model]) -> str:
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def way(page: Any) -> tuple[list[str], str]:
    """Where the steps of its heading lead, and their words."""
    heading = re.search(r"<h1.*?</h1>", page.content.decode(), re.DOTALL)[0]  # type: ignore[index]
    words = re.sub(r"<[^>]*>|chevron_right", " ", heading)
    return re.findall(r'href="([^"]+)"', heading), " ".join(words.split())


@pytest.mark.parametrize("pattern", urlpatterns, ids=lambda pattern: pattern.name)
def test_every_page_of_the_desk_leads_to_its_list_and_says_its_row(admin_client: Client, pattern: URLPattern) -> None:
    route = str(pattern.pattern)
    model = ROWS[route.split("/")[1]]
    row = make(model, 1)[0] if "<" in route else None
    page = admin_client.get(reverse(str(pattern.name), args=[row.pk] if row else []), secure=True)
    if page.status_code == 200:
        links, words = way(page)
        assert links[0] == list_of(model)
        assert row is None or str(row) in words
    else:
        assert page.status_code in {302, 405}, "what is no page is only posted to"


@pytest.mark.parametrize("name", BESIDE)
def test_so_do_the_pages_beside_it(admin_client: Client, name: str) -> None:
    row = None if name in ABOUT_NO_ROW else make(BESIDE[name], 1)[0]
    links, words = way(admin_client.get(reverse(name, args=[row.pk] if row else []), secure=True))
    assert links[0] == list_of(BESIDE[name])
    assert row is None or str(row) in words


def test_from_a_page_below_an_edition_one_comes_to_how_it_stands(admin_client: Client) -> None:
    edition = make(Edition, 1)[0]
    for name in ("desk_preview", "admin:newsletter_edition_explain", "admin:newsletter_edition_change"):
        links, _ = way(admin_client.get(reverse(name, args=[edition.pk]), secure=True))
        assert links == [list_of(Edition), reverse("desk_edition", args=[edition.pk])]


def test_who_is_asked_to_type_a_name_sees_for_what(admin_client: Client) -> None:
    edition = make(Edition, 1)[0]
    page = admin_client.post(list_of(Edition), {"action": "cancel", "_selected_action": [edition.pk]}, secure=True)
    assert way(page)[1] == "Editions Cancel for good"


def test_today_is_called_today(admin_client: Client) -> None:
    assert way(admin_client.get(reverse("admin:index"), secure=True)) == ([], "Today")
