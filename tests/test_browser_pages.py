"""Every public page in a real browser: usable by everybody, on small and large screens, in light and dark."""

from collections.abc import Callable
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Edition
from papers.models import Paper
from subscribers import links
from subscribers.models import Subscriber
from tests.browser import chromium
from tests.conftest import NOW
from tests.pages import Seen, Visit

pytestmark = pytest.mark.browser

RULES = {"iframes": False, "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]}


@pytest.fixture
def pages(site: str, tmp_path: Path) -> list[Seen]:
    """Every page that a visitor or a reader meets."""
    return Visit(tmp_path).everywhere()


def on_each(site: str, pages: list[Seen], look: Callable[[Page], object], **context: object) -> dict[str, object]:
    """What `look` found on each page, where it found anything."""
    with chromium() as browser:
        page = browser.new_context(**context).new_page()  # type: ignore[arg-type]
        found = {}
        # Where scripts are shut out nobody can look by one: the caught mails, judged in tests/newsletter.
        for seen in (one for one in pages if "sandbox" not in one.answer.get("Content-Security-Policy", "")):
            show(page, site, seen)
            found[seen.name] = look(page)
    return {name: what for name, what in found.items() if what}


def show(page: Page, site: str, seen: Seen) -> None:
    """Fetch the page, or show what a press or a mishap has left."""
    if not seen.is_fetched:
        html, policy = seen.answer.content, seen.answer.get("Content-Security-Policy", "")
        headers = {"Content-Type": "text/html"} | ({"Content-Security-Policy": policy} if policy else {})
        page.route(site + seen.path, lambda route: route.fulfill(body=html, headers=headers), times=1)
    page.goto(site + seen.path)


def violations(page: Page) -> list[tuple[str, str]]:
    rules = Axe().run(page, options=RULES).response["violations"]
    return [(rule["id"], node["html"]) for rule in rules for node in rule["nodes"]]


def overflow(page: Page) -> int:
    return int(page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))


@pytest.mark.parametrize(("width", "scheme"), [(375, "light"), (1280, "dark")])
def test_axe_finds_nothing_to_object_to(site: str, pages: list[Seen], width: int, scheme: str) -> None:
    screen = {"width": width, "height": 800}
    assert on_each(site, pages, violations, viewport=screen, color_scheme=scheme) == {}


def test_no_page_is_wider_than_a_narrow_phone(site: str, pages: list[Seen]) -> None:
    assert on_each(site, pages, overflow, viewport={"width": 320, "height": 640}) == {}


def test_a_link_that_stands_alone_in_a_list_is_easy_to_hit(site: str, pages: list[Seen]) -> None:
    links_alone = "[...document.querySelectorAll('main ul:not([class]) > li > a:only-child, .similar a')]"
    low = f"{links_alone}.filter(link => link.getBoundingClientRect().height < 44).map(link => link.textContent)"
    assert on_each(site, pages, lambda page: page.evaluate(low), viewport={"width": 375, "height": 800}) == {}


@pytest.mark.parametrize("width", [320, 375, 414])
def test_the_head_of_a_page_is_one_line_on_a_phone_and_easy_to_hit(site: str, width: int) -> None:
    heights = "links => links.map(link => link.getBoundingClientRect()).map(box => [box.top, box.height])"
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800})
        page.goto(site + "/about/")
        places = page.locator(".masthead a").evaluate_all(heights)
    assert len(places) == 5
    assert len({top for top, _ in places}) == 1
    assert min(height for _, height in places) >= 44


def test_the_sample_and_the_feeds_are_easy_to_hit_on_a_phone(site: str) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 375, "height": 800})
        page.goto(site + "/")
        heights = page.locator("[data-sample], .feeds a").evaluate_all("links => links.map(link => link.offsetHeight)")
    assert len(heights) == 3
    assert min(heights) >= 44


def test_no_mail_is_wider_than_a_phone_whatever_stands_in_its_papers(db: None) -> None:
    run = "x" * 200
    paper = Paper.objects.create(title=run, title_key="x", abstract=f"https://x.example/{run} {run}.", authors=[run])
    edition = Edition(kind="daily", date=NOW.date(), note=run)
    mail = Renderer(edition, 1).example([Choice(paper.pk, run)], "en")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 375, "height": 800})
        page.set_content(mail)
        assert overflow(page) == 0


def test_links_side_by_side_in_a_mail_are_easy_to_hit_on_a_phone(db: None) -> None:
    paper = Paper.objects.create(title="One", title_key="one", url="https://x.example", pdf_url="https://x.example/pdf")
    mail = Renderer(Edition(kind="daily", date=NOW.date()), 1).example([Choice(paper.pk, "Robots")], "en")
    with chromium() as browser:
        page = browser.new_page(viewport={"width": 375, "height": 800})
        page.set_content(mail)
        heights = page.locator(".links a").evaluate_all("links => links.map(link => link.offsetHeight)")
        page.evaluate("document.querySelectorAll('style').forEach(style => style.remove())")  # as some programs do
        assert overflow(page) == 0
    assert len(heights) == 2 + 5 + 4
    assert min(heights) >= 44


@pytest.fixture
def foreign(site: str, tmp_path: Path) -> list[Seen]:
    """The longest pages in other languages; Hebrew, which has no catalogue yet, for the direction."""
    paths = ["/subscribe/?language=de", "/subscribe/?language=fr"]
    for language in ("de", "fr", "he"):
        reader = Subscriber.objects.create(email=f"{language}@example.org", status="active", language=language)
        paths += [f"/preferences/{links.preferences_token(reader)}", f"/less-often/{reader.leave_key}"]
    visit = Visit(tmp_path)
    return [visit.page(path) for path in paths]


def test_foreign_pages_fit_narrow_phones_too(site: str, foreign: list[Seen]) -> None:
    assert on_each(site, foreign, overflow, viewport={"width": 320, "height": 640}) == {}


def test_axe_objects_to_no_foreign_page(site: str, foreign: list[Seen]) -> None:
    assert on_each(site, foreign, violations, viewport={"width": 375, "height": 800}) == {}


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
        page.locator(".topics > details > summary").click()
        page.get_by_label("Robotics").check()
        page.get_by_label("Find a topic").fill("graph neural")
        seen = page.locator(".topics .chip:visible").all_inner_texts()
    assert [name.strip() for name in seen] == ["Graph neural networks", "Robotics"]


def test_topics_can_be_chosen_without_javascript(site: str) -> None:
    with chromium() as browser:
        page = browser.new_context(java_script_enabled=False).new_page()
        page.goto(site + "/subscribe/")
        page.locator(".topics > details > summary").click()
        page.get_by_label("Robotics").check()
        assert page.get_by_label("Robotics").is_checked()
        assert page.get_by_label("Find a topic").count() == 0
