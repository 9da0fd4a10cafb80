"""Every page of the admin that we made, in a real browser; found by the admin's own addresses, so that none can be
forgotten. Lists and forms are the theme's and Django's, and have faults of their own: docs/operating.md.
"""

from collections.abc import Iterator
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db.models import Model
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from django.utils import timezone
from playwright.sync_api import Page

from newsletter import audit
from newsletter.models import Edition
from papers.models import BackFill, Reading, Source, Topic
from subscribers.models import Attack, HeldDomain, Letter, Subscriber, SubscriptionRequest, Suppression
from tests.browser import chromium
from tests.test_browser_desk import day, signed_in  # noqa: F401 - a fixture
from tests.test_browser_pages import RULES, overflow

pytestmark = pytest.mark.browser

APPS = ("newsletter", "papers", "subscribers", "auth", "admin")
# Whose row stands in an address of the desk.
ROWS: dict[str, type[Model]] = {"editions": Edition, "readers": Subscriber, "topics": Topic}
# Not ours, and what is no page to be looked at.
THEIRS = (
    "_changelist",
    "_add",
    "_change",
    "password_change",
    "password_change_done",
    "_history",
    "_delete",
    "app_list",
    "login",
    "logout",
    "jsi18n",
    "autocomplete",
    "search",
    "view_on_site",
)


def patterns(found: list[URLPattern | URLResolver], before: str = "", space: str = "") -> Iterator[tuple[str, str]]:
    """The address and the name of everything that has a name."""
    for one in found:
        if isinstance(one, URLResolver):
            inner = f"{space}{one.namespace}:" if one.namespace else space
            yield from patterns(one.url_patterns, before + str(one.pattern), inner)
        elif one.name:
            yield before + str(one.pattern), space + one.name


def row_of(route: str, name: str) -> Model | None:
    """The row that such a page is about: by the model in its name, or by the word before its number."""
    if route.startswith("admin/desk/"):
        return ROWS[route.split("/")[2]]._default_manager.first()
    app, model, *_ = name.removeprefix("admin:").split("_")
    return apps.get_model(app, model)._default_manager.first()


def addresses() -> Iterator[str]:
    for route, name in patterns(get_resolver().url_patterns):
        parts = name.removeprefix("admin:").split("_")
        is_ours = route.startswith("admin/") and (not route.startswith("admin/otp") and "axes" not in parts)
        if not is_ours or name.endswith(THEIRS):
            continue
        if "<" not in route:
            yield reverse(name)
        elif row := row_of(route, name):
            yield reverse(name, args=[row.pk])


@pytest.fixture
def owner(day: str) -> Client:  # noqa: F811 - the fixture
    """Of everything there is something; and who may see all of it."""
    now, reader, source = timezone.now(), Subscriber.objects.earliest("pk"), Source.objects.earliest("pk")
    edition = Edition.objects.get()
    paper = edition.pool.all()[0].paper
    other = edition.pool.all()[1].paper
    Reading.objects.create(paper=paper, taken_at=now, upvotes=12)
    other.title, other.authors = f"{paper.title}!", ["Grace Hopper"]
    other.save()
    BackFill.objects.create(source=source, since=now.date(), until=now.date(), not_before=now)
    Suppression.objects.add_hash("ab" * 32, "manual")
    Attack.objects.begin("of 300 addresses that we asked within an hour, 0 confirmed", now)
    SubscriptionRequest.objects.create(kind="subscribe", email="carol@example.org", network="192.0.2.0")
    HeldDomain.objects.create(domain="lab.example", reason="all of it bounces", held_at=now, until=now + timedelta(1))
    Letter.objects.create(subscriber=reader, kind="welcome", requested_at=now, not_before=now)
    person = User.objects.create_user("grace", "grace@example.org", is_staff=True)
    person.groups.set(Group.objects.filter(name="Owner"))
    audit.record(person, reader, "looked")
    client = Client()
    client.force_login(person)
    return client


@pytest.fixture
def pages(owner: Client) -> list[str]:
    """Those that are pages, and not what is only posted to, or denied to everybody."""
    asked = ((address, owner.get(address, secure=True)) for address in sorted(set(addresses())))
    return [
        address
        for address, answer in asked
        if answer.status_code == 200 and answer["Content-Type"].startswith("text/html")
    ]


def faults(page: Page) -> list[tuple[str, str]]:
    """Of our part of the page; the frame around it is the theme's. Every page of ours has such a part."""
    assert page.locator(".cockpit-page").count(), page.url
    rules = Axe().run(page, context=".cockpit-page", options=RULES).response["violations"]
    return [(rule["id"], node["html"][:200]) for rule in rules for node in rule["nodes"]]


def complaints(page: Page) -> list[str]:
    """What the page's scripts will fail with, from now on, each with where."""
    heard: list[str] = []
    page.on("pageerror", lambda error: heard.append(f"{page.url}: {error}"))
    return heard


def test_a_file_is_chosen_without_a_complaint_of_any_script(site: str, owner: Client) -> None:
    with chromium() as browser:
        page = signed_in(browser, site, str(owner.cookies[settings.SESSION_COOKIE_NAME].value)).new_page()
        heard = complaints(page)
        page.goto(site + reverse("admin:subscribers_import_add"), wait_until="load")
        page.get_by_label("CSV file").set_input_files({"name": "a.csv", "mimeType": "text/csv", "buffer": b"email"})
        page.get_by_role("button", name="Check the file").click()
        page.wait_for_url("**/change/")
    assert heard == []


def test_axe_objects_to_no_page_on_desk_and_phone_in_light_and_dark(site: str, owner: Client, pages: list[str]) -> None:
    """Each wide in the dark and narrow in the light: fetched for each, since the theme looks at the scheme once."""
    assert len(pages) > 12
    found: dict[tuple[str, str], list[str]] = {}
    with chromium() as browser:
        key = str(owner.cookies[settings.SESSION_COOKIE_NAME].value)
        page = signed_in(browser, site, key, viewport={"width": 1280, "height": 800}, color_scheme="dark").new_page()
        heard = complaints(page)
        for address in pages:
            page.emulate_media(color_scheme="dark")
            page.set_viewport_size({"width": 1280, "height": 800})
            page.goto(site + address)
            faulty = faults(page)
            page.emulate_media(color_scheme="light")
            page.set_viewport_size({"width": 375, "height": 800})
            page.goto(site + address)
            faulty += faults(page)
            if overflow(page):
                faulty.append(("wider than a phone", ""))
            for fault in faulty:
                found.setdefault(fault, []).append(address)
    by_rule: dict[str, list[tuple[str, list[str]]]] = {}
    for (rule, html), where in found.items():
        by_rule.setdefault(rule, []).append((html, sorted(set(where))))
    assert (by_rule, heard) == ({}, [])


def lists_and_forms() -> Iterator[str]:
    """Of every model that has a row: its list, and the form of one."""
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        if row := model._default_manager.first():
            yield reverse(f"{name}_changelist")
            yield reverse(f"{name}_change", args=[row.pk])


def test_no_list_and_no_form_is_wider_than_a_phone(site: str, owner: Client) -> None:
    addresses = list(lists_and_forms())
    assert len(addresses) > 30
    with chromium() as browser:
        key = str(owner.cookies[settings.SESSION_COOKIE_NAME].value)
        page = signed_in(browser, site, key, viewport={"width": 375, "height": 800}).new_page()
        wide, heard = [], complaints(page)
        for address in addresses:
            page.goto(site + address)
            if overflow(page):
                wide.append(address)
    assert not wide + heard
