"""The list of pages is whole, and what must be true of every page behind a secret link is true of each."""

from pathlib import Path

import pytest
from django.core.management import call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from tests.conftest import SEEDS
from tests.pages import NO_PAGES, Seen, Visit, routes

ROOT = Path(__file__).resolve().parents[1]
SECRETS = {"token", "signed"}  # what a route calls the part of an address that nobody else must learn
BEHIND_A_SECRET = [name for name, pattern in routes() if SECRETS & set(pattern.pattern.converters)]
HEADERS = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store", "X-Robots-Tag": "noindex"}


@pytest.fixture(scope="module")
def kept() -> list[Seen]:
    """What the first of these tests has seen; the others only look at it."""
    return []


@pytest.fixture
def seen(db: None, settings: Settings, tmp_path: Path, kept: list[Seen]) -> list[Seen]:
    if not kept:
        settings.SECURE_SSL_REDIRECT, settings.INBOX_DIR = False, None
        call_command("load_topics", verbosity=0)
        call_command("import_papers", str(SEEDS / "trending.txt"), year=2026, verbosity=0)
        kept += Visit(tmp_path).everywhere()
    return kept


def unlike(answer: object) -> dict[str, str]:
    return {name: found for name, wanted in HEADERS.items() if (found := answer.get(name, "")) != wanted}  # type: ignore[attr-defined]


def test_every_route_and_every_template_is_seen(seen: list[Seen]) -> None:
    missing = {name for name, _ in routes()} - {page.route for page in seen} - set(NO_PAGES)
    assert missing == set()
    folders = ["", "subscribers", "newsletter", "papers", "inbox"]
    files = [file for folder in folders for file in (ROOT / "templates" / folder).glob("*.html")]
    pages = {str(file.relative_to(ROOT / "templates")) for file in files if file.name[0] != "_"}
    shown = {template.name for page in seen for template in getattr(page.answer, "templates", [])}
    # The last are shown by Django itself, which tells the test client nothing.
    assert pages - shown - {"400.html", "403.html", "403_csrf.html", "411.html", "413.html", "500.html"} == set()


def test_no_page_fails_and_each_is_html(seen: list[Seen]) -> None:
    broken = {page.name for page in seen if page.answer.status_code in {500, 502, 504} and page.route != "500"}
    assert broken == set()
    assert {page.name for page in seen if not page.answer["Content-Type"].startswith("text/html")} == set()
    statuses = {page.answer.status_code for page in seen}
    assert {200, 400, 403, 404, 405, 409, 410, 411, 413, 422, 429, 500, 503} == statuses


def test_no_page_behind_a_secret_link_is_cached_indexed_or_referred_from(seen: list[Seen]) -> None:
    secret = [page for page in seen if page.route in BEHIND_A_SECRET]
    assert {page.route for page in secret} == set(BEHIND_A_SECRET) - {"export"}
    assert {page.name: unlike(page.answer) for page in secret if unlike(page.answer)} == {}


@pytest.mark.parametrize("route", BEHIND_A_SECRET)
def test_nor_is_whatever_a_secret_link_answers_otherwise(
    client: Client, db: None, settings: Settings, route: str
) -> None:
    settings.SECURE_SSL_REDIRECT = False
    nobodys = "00000000-0000-4000-8000-000000000000"
    words = {"web_copy": [nobodys], "say": [nobodys, 1, "more"]}.get(route, ["cut-off"])
    for method in ("get", "head", "post", "put", "delete", "options"):
        answer = getattr(client, method)(reverse(route, args=words))
        assert 400 <= answer.status_code < 500
        assert unlike(answer) == {}


@pytest.mark.parametrize("route", BEHIND_A_SECRET)
def test_no_secret_of_an_address_stands_in_the_log(
    client: Client, db: None, settings: Settings, caplog: pytest.LogCaptureFixture, route: str
) -> None:
    settings.SECURE_SSL_REDIRECT = False
    uid = "00000000-0000-4000-8000-000000000000"
    for secret in (uid, "ann@private.org", "cut-off", "änn@private.org"):
        words = {"web_copy": [uid], "say": [uid, 1, "more"]}.get(route, [secret])
        for method in ("get", "post", "put", "options"):
            getattr(client, method)(reverse(route, args=words) + "?to=ann@private.org")
    assert f"/{reverse(route, args=words).split('/')[1]}/… ({route})" in caplog.text
    assert not [word for word in (uid, "private.org", "cut-off", "nn@") if word in caplog.text]


def test_no_page_but_the_sign_up_sets_a_cookie(seen: list[Seen]) -> None:
    assert {page.name: page.answer.cookies for page in seen if page.answer.cookies} == {}
