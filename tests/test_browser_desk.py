"""The operator's own pages in a real browser: usable by everybody, on small and large screens, in light and dark."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.conf import settings
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Browser, BrowserContext, Locator, Page, expect

from newsletter import census, editions
from newsletter.models import Brake, Digest, Edition, EditionPaper, Pulse
from papers.models import Source, Topic
from subscribers.models import Consent, Subscriber
from tests.browser import chromium
from tests.test_browser_pages import RULES, overflow

pytestmark = pytest.mark.browser

SESSION = settings.SESSION_COOKIE_NAME


@pytest.fixture
def day(site: str) -> str:
    """An operator's morning: an edition half gone, readers, a brake; returns the key of the operator's session."""
    now = timezone.now()
    topics = list(Topic.objects.all()[:12])
    edition = editions.open_edition("daily", now.date())
    some = EditionPaper.objects.filter(edition=edition)
    if not some.exists():  # the seeds are older than a pool reaches back
        old = editions.pool_of(Edition(kind="daily", date=now.date().replace(year=2026, month=3, day=20)), 60)
        EditionPaper.objects.bulk_create(
            EditionPaper(edition=edition, paper_id=row.paper_id, hot=row.hot) for row in old
        )
    for number in range(12):
        reader = Subscriber.objects.create(
            email=f"reader{number}@example.org", status="active", zone="Europe/Berlin", confirmed_at=now
        )
        reader.topics.set(topics[: number + 1])
        status = ["accepted", "skipped", "in_doubt", "planned"][number % 4]
        Digest.objects.create(
            edition=edition,
            subscriber=reader,
            status=status,
            reason="nothing new that fits" if status in {"skipped", "in_doubt"} else "",
            submitted_at=now,
            not_before=now,
            expires_at=now + timedelta(hours=9),
        )
        Consent.objects.create(subscriber=reader, action="confirmed", words="Yes, send me the digest", page="confirm")
    for hours in (300, 200, 100, 1):
        census.take(now - timedelta(hours=hours))
    census.follow(now - timedelta(minutes=2))
    Digest.objects.filter(status="planned").first().delete()  # type: ignore[union-attr]
    census.follow(now)
    Source.objects.create(
        name="mirror", kind="hugging-face", is_on=True, failures=2, last_error="timed out", last_run_at=now
    )
    Pulse.objects.create(part="Planning", at=now)
    Brake.objects.pull("535 authentication failed")
    operator = User.objects.create_user("ada", "ada@example.org", is_staff=True)
    operator.groups.set(Group.objects.filter(name="Operator"))
    client = Client()
    client.force_login(operator)
    return str(client.cookies[SESSION].value)


@pytest.fixture
def addresses(day: str) -> dict[str, str]:
    edition, reader = Edition.objects.get(), Subscriber.objects.earliest("pk")
    return {
        "today": reverse("admin:index"),
        "edition": reverse("desk_edition", args=[edition.pk]),
        "preview": reverse("desk_preview", args=[edition.pk]),
        "find": reverse("desk_find"),
        "reader": reverse("desk_reader", args=[reader.pk]),
    }


def signed_in(browser: Browser, site: str, key: str, **context: object) -> BrowserContext:
    there = browser.new_context(**context)  # type: ignore[arg-type]
    there.add_cookies([{"name": SESSION, "value": key, "url": site}])
    return there


def on_each(
    site: str, key: str, addresses: dict[str, str], look: Callable[[Page], object], **context: object
) -> dict[str, object]:
    """What `look` found on each page, where it found anything."""
    found = {}
    with chromium() as browser:
        page = signed_in(browser, site, key, **context).new_page()
        for name, address in addresses.items():
            page.goto(site + address)
            found[name] = look(page)
    return {name: what for name, what in found.items() if what}


def own_violations(page: Page) -> list[tuple[str, str]]:
    """What is wrong with our part of the page; the frame around it is the theme's."""
    rules = Axe().run(page, context=".cockpit-page", options=RULES).response["violations"]
    return [(rule["id"], node["html"]) for rule in rules for node in rule["nodes"]]


@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1280, "dark")])
def test_axe_finds_nothing_to_object_to(
    site: str, day: str, addresses: dict[str, str], width: int, scheme: str
) -> None:
    screen = {"width": width, "height": 800}
    assert on_each(site, day, addresses, own_violations, viewport=screen, color_scheme=scheme) == {}


def test_no_page_is_wider_than_a_narrow_phone(site: str, day: str, addresses: dict[str, str]) -> None:
    assert on_each(site, day, addresses, overflow, viewport={"width": 320, "height": 640}) == {}


SIDEWAYS = "() => [...document.querySelectorAll('.cockpit-scroll')].some(box => box.scrollWidth > box.clientWidth)"


@pytest.mark.parametrize("width", [320, 375, 768, 1024, 1280])
def test_no_table_of_today_is_scrolled_sideways_and_each_stays_a_table(site: str, day: str, width: int) -> None:
    with chromium() as browser:
        page = signed_in(browser, site, day, viewport={"width": width, "height": 800}).new_page()
        page.goto(site + reverse("admin:index"))
        assert page.evaluate(SIDEWAYS) is False
        going_out = page.get_by_role("region", name="Going out").get_by_role("table")
        expect(going_out.get_by_role("columnheader", name="In doubt")).to_have_count(1)
        expect(going_out.get_by_role("rowheader")).to_contain_text("Daily")
        expect(going_out.get_by_role("cell").nth(5)).to_have_text("3")


def test_today_can_be_read_without_javascript(site: str, day: str) -> None:
    with chromium() as browser:
        page = signed_in(browser, site, day, java_script_enabled=False).new_page()
        page.goto(site + reverse("admin:index"))
        assert page.get_by_text("All mail is stopped: 535").is_visible()


def test_the_charts_of_today_are_tables_without_javascript(site: str, day: str) -> None:
    with chromium() as browser:
        page = signed_in(browser, site, day, java_script_enabled=False).new_page()
        page.goto(site + reverse("admin:index"))
        page.get_by_text("As a table").click()
        expect(page.get_by_role("columnheader", name="Counted at")).to_be_visible()
        assert page.locator(".cockpit-chart tbody tr").count() == 4
        for name in ("Graph neural networks", "Germany"):
            expect(page.get_by_role("row", name=name).first.locator("td.number")).not_to_be_empty()


@pytest.mark.parametrize("width", [375, 1300])
def test_without_javascript_an_operator_looks_narrows_chooses_and_acts(site: str, day: str, width: int) -> None:
    """From the menu to the list, by its filters to a row, by an action to its end, and out."""
    with chromium() as browser:
        there = signed_in(browser, site, day, java_script_enabled=False, viewport={"width": width, "height": 800})
        page = there.new_page()
        page.goto(site + reverse("admin:index"))
        page.locator("#nav-sidebar a", has_text="Editions").click()
        page.get_by_role("link", name="not stopped", exact=True).click()
        page.locator("input.action-select").first.check()
        page.locator("select[name=action]").first.select_option("pause")
        page.get_by_role("button", name="Run").click()
        expect(page.get_by_text("1 changed: each is paused.")).to_be_visible()
        page.get_by_role("button", name="Log out").click()
        page.wait_for_load_state()
    assert Edition.objects.get().status == "paused"


def test_progress_comes_by_itself(site: str, day: str) -> None:
    with chromium() as browser:
        page = signed_in(browser, site, day).new_page()
        page.clock.install()
        page.goto(site + reverse("admin:index"))
        with page.expect_response(site + reverse("admin:index")):
            page.clock.run_for(21_000)
        assert page.get_by_text("All mail is stopped: 535").is_visible()


def test_a_session_that_has_ended_leads_to_the_password(site: str, day: str) -> None:
    with chromium() as browser:
        there = signed_in(browser, site, day)
        page = there.new_page()
        page.clock.install()
        page.goto(site + reverse("admin:index"))
        there.clear_cookies()
        page.clock.run_for(21_000)
        page.wait_for_url("**/admin/login/**")


def test_who_reads_a_table_is_not_interrupted(site: str, day: str) -> None:
    with chromium() as browser:
        page = signed_in(browser, site, day).new_page()
        page.clock.install()
        page.goto(site + reverse("admin:index"))
        page.get_by_text("As a table").click()
        page.clock.run_for(61_000)
        assert page.locator("details[open]").count() == 1


def test_pins_are_put_in_order_by_dragging(site: str, day: str) -> None:
    edition = Edition.objects.get()
    for place, row in enumerate(edition.pool.order_by("pk")[:3]):
        EditionPaper.objects.filter(pk=row.pk).update(choice="pinned", place=place)
    first, second, third = (row.paper_id for row in edition.pool.filter(choice="pinned").order_by("place"))
    with chromium() as browser:
        page = signed_in(browser, site, day, viewport={"width": 1500, "height": 1500}).new_page()
        page.goto(site + reverse("admin:newsletter_edition_change", args=[edition.pk]))
        drag(page, page.locator("tbody.form-group"), start=2, end=0)
        page.locator("[name=_save]").first.click()
        page.wait_for_url("**/newsletter/edition/")
    pins = EditionPaper.objects.filter(choice="pinned").order_by("place")
    assert list(pins.values_list("paper_id", flat=True)) == [third, first, second]


def drag(page: Page, rows: Locator, start: int, end: int) -> None:
    """A row upwards by its handle, as a hand does: past one row after the other, each when the last has made way."""
    grip, words = rows.nth(start).locator(".cursor-move").bounding_box(), rows.nth(start).inner_text()
    assert grip
    page.mouse.move(grip["x"] + 5, grip["y"] + 5)
    page.mouse.down()
    for place in range(start - 1, end - 1, -1):
        goal = rows.nth(place).bounding_box()
        assert goal
        page.mouse.move(grip["x"] + 5, goal["y"] + 5, steps=10)
        expect(rows.nth(place)).to_have_text(words, use_inner_text=True)
        page.wait_for_function("document.getAnimations().length === 0")
    page.mouse.up()
