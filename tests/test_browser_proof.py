"""One more step at signing up, in a real browser: it does its work by itself, asks nobody else, and is not needed."""

from dataclasses import replace
from datetime import timedelta

import pytest
from playwright.sync_api import Page
from pytest_django import Settings

from subscribers.abuse import entrance
from subscribers.models import Attack, SubscriptionRequest
from tests.browser import chromium
from tests.test_browser_pages import overflow, violations

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _attacked(transactional_db: None, settings: Settings) -> None:
    settings.WORK_STEPS_UNDER_ATTACK = 50
    Attack.objects.begin("a test", Attack._meta.get_field("began_at").get_default())


def sign_up(page: Page, site: str) -> None:
    page.goto(site + "/subscribe/")
    page.get_by_label("Your email address").fill("carol@example.org")
    page.get_by_role("button", name="Subscribe", exact=True).click()
    page.get_by_text("One more step").wait_for()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [375, 1280])
def test_the_step_does_its_work_by_itself_and_one_press_finishes(site: str, width: int, scheme: str) -> None:
    with chromium() as browser:
        page = browser.new_page(viewport={"width": width, "height": 800}, color_scheme=scheme)  # type: ignore[arg-type]
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        sign_up(page, site)
        page.locator("input[name=altcha]:not([value=''])").wait_for(state="attached")
        found = violations(page), overflow(page)
        page.get_by_role("button", name="Finish").click()
        page.get_by_role("heading", name="Check your inbox").wait_for()
    assert found == ([], 0)
    assert [url for url in asked if not url.startswith((site, "blob:", "data:"))] == []
    assert SubscriptionRequest.objects.get().proven


@pytest.mark.parametrize(("language", "word"), [("de", "Überprüft"), ("fr", "Vérifié")])
def test_the_step_speaks_the_readers_language(site: str, language: str, word: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(f"{site}/subscribe/?language={language}")
        page.get_by_placeholder("you@lab.org").fill("carol@example.org")
        page.get_by_placeholder("you@lab.org").press("Enter")
        page.locator("altcha-widget").get_by_text(word, exact=True).wait_for()
        assert word in page.locator(".step .with-script").inner_text()


def test_without_javascript_it_takes_a_moment_and_one_press(site: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entrance, "PATIENCE", replace(entrance.PATIENCE, youngest=timedelta(0)))
    with chromium() as browser:
        page = browser.new_context(java_script_enabled=False).new_page()
        sign_up(page, site)
        assert page.get_by_text("Wait ten seconds, then press once").is_visible()
        assert not page.get_by_text("When the box says").is_visible()
        page.get_by_role("button", name="Finish").click()
        page.get_by_role("heading", name="Check your inbox").wait_for()
    assert not SubscriptionRequest.objects.get().proven


def test_a_page_that_is_the_same_for_everybody_fetches_its_ticket_with_the_focus(site: str) -> None:
    with chromium() as browser:
        page = browser.new_page()
        page.goto(site + "/topics/")
        assert page.locator("input[name=ticket]").count() == 0
        page.get_by_label("Your email address").focus()
        page.locator("input[name=ticket]:not([value=''])").wait_for(state="attached")
