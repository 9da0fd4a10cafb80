"""Every public page in a real browser: usable by everybody, on small and large screens, in light and dark."""

import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.core.management import call_command
from playwright.sync_api import Browser, Page, sync_playwright
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from newsletter import editions
from newsletter.models import EditionPaper, Feedback
from papers.models import Paper, Topic
from subscribers import links
from subscribers.models import Subscriber
from tests.conftest import NOW

pytestmark = pytest.mark.browser

SEEDS = Path(__file__).parents[1] / "seeds"
CHROMIUM_ARGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser for the time of a block: while one runs, its thread cannot use the database."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=CHROMIUM_ARGS)
        yield browser
        browser.close()


@pytest.fixture
def site(transactional_db: None, settings: Settings) -> Iterator[str]:
    """The address of a site that holds the seeds."""
    # Not pytest-django's own live_server: that one starts before a test's settings are in force.
    settings.SECURE_SSL_REDIRECT = settings.CSRF_COOKIE_SECURE = False
    settings.ALLOWED_HOSTS = ["localhost"]
    call_command("load_topics", verbosity=0)
    call_command("import_papers", str(SEEDS / "trending.txt"), year=2026, verbosity=0)
    server = LiveServer("localhost:0")
    yield server.url
    server.stop()


@pytest.fixture
def paths(site: str, alice: Subscriber, bob: Subscriber) -> list[str]:
    """Every page that a visitor or a reader meets."""
    paper, topic = Paper.objects.all()[0], Topic.objects.all()[0]
    alice.topics.add(topic)
    paper.authors = ["Ada Lovelace"]
    paper.save()
    for days, upvotes in ((0, 66), (2, 187)):
        paper.readings.create(taken_at=NOW + timedelta(days=days), upvotes=upvotes)
    of_papers = ["/", "/?page=2", "/topics/", f"/topics/{topic.slug}/", f"/papers/{paper.pk}/{paper.slug}/", "/about/"]
    of_archive = [
        "/papers/2026-03-20/",
        "/papers/2026-W12/",
        "/papers/2026-03/",
        "/papers/1999-01/",
        "/authors/ada-lovelace/",
    ]
    of_archive += ["/search/", "/search/?q=graph", "/search/?q=zebra"]
    of_visitors = ["/subscribe/", "/subscribe/check-your-inbox/", "/preferences/", "/preferences/sent/", "/nothing/"]
    of_readers = [
        f"/confirm/{links.confirm_token(bob)}",
        f"/preferences/{links.preferences_token(alice)}",
        f"/preferences/{links.preferences_token(alice)}/learned/",
        f"/preferences/{links.preferences_token(alice)}/digests/",
        f"/back/{links.back_token(alice, 0)}",
        *digest_pages(alice, paper),
        f"/erase/{links.preferences_token(alice)}",
        f"/leave/{alice.leave_key}",
        f"/less-often/{alice.leave_key}",
        f"/pause/{alice.leave_key}",
        "/leave/cut-off",
    ]
    return [*of_papers, *of_archive, *of_visitors, *of_readers]


def digest_pages(alice: Subscriber, paper: Paper) -> list[str]:
    """A digest that was sent, each word on a paper of it, and the archive of editions."""
    edition = editions.open_edition("daily", NOW.date())
    EditionPaper.objects.decide(edition, paper, EditionPaper.Choice.PINNED)
    digest = edition.digests.create(
        subscriber=alice, status="accepted", not_before=NOW, expires_at=NOW, submitted_at=NOW, settled_at=NOW
    )
    digest.papers.create(subscriber=alice, paper=paper, place=1, reason="Picked by the editor")
    digest.papers.create(subscriber=alice, paper=Paper.objects.all()[1], place=2, reason="Trending")
    Feedback.objects.say(alice, paper, "more", NOW)
    copy = f"/digests/{digest.uid}/"
    return [copy, f"{copy}1/more/", f"{copy}2/less/", f"{copy}2/saved/", "/editions/", "/editions/daily/2026-03-20/"]


def on_each(site: str, paths: list[str], look: Callable[[Page], object], **context: object) -> dict[str, object]:
    """What `look` found on each page, where it found anything."""
    with chromium() as browser:
        page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
        found = {}
        for path in paths:
            page.goto(site + path)
            found[path] = look(page)
    return {path: what for path, what in found.items() if what}


def violations(page: Page) -> list[tuple[str, str]]:
    rules = Axe().run(page, options=RULES).response["violations"]
    return [(rule["id"], node["html"]) for rule in rules for node in rule["nodes"]]


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_axe_finds_nothing_to_object_to(site: str, paths: list[str], width: int, scheme: str) -> None:
    screen = {"width": width, "height": 800}
    assert on_each(site, paths, violations, viewport=screen, color_scheme=scheme) == {}


def test_no_page_is_wider_than_a_narrow_phone(site: str, paths: list[str]) -> None:
    assert on_each(site, paths, overflow, viewport={"width": 320, "height": 640}) == {}


def test_a_page_asks_nobody_but_our_own_site(site: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(site + "/")
    assert asked
    assert [url for url in asked if not url.startswith(site)] == []


def test_the_form_learns_the_readers_time_zone(site: str) -> None:
    with chromium() as browser:
        page = browser.new_context(timezone_id="Asia/Tokyo").new_page()
        page.goto(site + "/subscribe/")
        assert page.locator("[name=zone]").input_value() == "Asia/Tokyo"


def test_searching_topics_hides_the_others_but_never_a_chosen_one(site: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(site + "/subscribe/")
        page.locator("summary").click()
        page.get_by_label("Robotics").check()
        page.get_by_label("Find a topic").fill("graph neural")
        seen = page.locator(".chip:visible").all_inner_texts()
    assert [name.strip() for name in seen] == ["Graph neural networks", "Robotics"]


def test_topics_can_be_chosen_without_javascript(site: str) -> None:
    with chromium() as browser:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(site + "/subscribe/")
        page.locator("summary").click()
        page.get_by_label("Robotics").check()
        assert page.get_by_label("Robotics").is_checked()
        assert page.get_by_label("Find a topic").count() == 0
