"""Signing up in a real browser: in place, from other sites, and with everything typed kept."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from django.urls import reverse
from playwright.sync_api import Page, expect
from pytest_django import Settings

from newsletter.views.embedding import snippet
from papers.models import Paper, Topic
from subscribers.models import Subscriber, SubscriptionRequest
from tests.browser import chromium
from tests.conftest import carry_out_requests
from tests.test_browser_pages import overflow, violations

pytestmark = pytest.mark.browser

BERLIN = {"timezone_id": "Europe/Berlin", "viewport": {"width": 375, "height": 800}}


@contextmanager
def visiting(address: str, **context: object) -> Iterator[Page]:
    """A page of a browser; whatever its scripts complain of fails the test."""
    with chromium() as browser:
        page = browser.new_context(**{**BERLIN, **context}).new_page()  # type: ignore[arg-type]
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(address)
        yield page
        assert complaints == []


def subscribe(page: Page, address: str) -> None:
    page.get_by_label("Your email address").fill(address)
    page.get_by_role("button", name="Subscribe").click()


@pytest.fixture
def pages_with_a_form(site: str) -> list[str]:
    """The home page, the form's own, and one with the invitation."""
    paper = Paper.objects.all()[0]
    return [site + "/", site + "/subscribe/", site + reverse("paper", args=[paper.pk, paper.slug])]


def test_every_form_is_answered_where_it_stands(pages_with_a_form: list[str]) -> None:
    for number, address in enumerate(pages_with_a_form):
        with visiting(address) as page:
            subscribe(page, f"ann{number}@example.org")
            news = page.get_by_role("heading", name="Check your inbox")
            expect(news).to_be_focused()
            assert page.url == address
            assert page.get_by_label("Your email address").count() == 0
            assert violations(page) == []
    carry_out_requests()
    assert Subscriber.objects.filter(zone="Europe/Berlin").count() == len(pages_with_a_form)


def test_an_error_comes_where_the_form_stands_with_all_that_was_typed(pages_with_a_form: list[str]) -> None:
    for address in pages_with_a_form:
        with visiting(address) as page:
            subscribe(page, "ann@localhost")
            field = page.get_by_label("Your email address")
            expect(field).to_be_focused()
            expect(field).to_have_value("ann@localhost")
            assert page.url == address
            assert violations(page) == []
            assert overflow(page) == 0
            subscribe(page, "ann@example.org")
            expect(page.get_by_role("heading", name="Check your inbox")).to_be_focused()


def test_a_slip_is_asked_about_in_place(site: str) -> None:
    with visiting(site + "/") as page:
        subscribe(page, "ann@gmial.com")
        expect(page.get_by_role("heading", name="Did you mean ann@gmail.com?")).to_be_focused()
        assert violations(page) == []
        page.get_by_role("button", name="Yes, use that").click()
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_focused()
        assert page.url == site + "/"
    carry_out_requests()
    assert Subscriber.objects.get().email == "ann@gmail.com"


def test_without_a_network_the_browser_takes_over(site: str) -> None:
    with visiting(site + "/") as page:
        page.route(
            "**/subscribe/",
            lambda route: route.abort() if route.request.resource_type == "fetch" else route.continue_(),
        )
        subscribe(page, "ann@example.org")
        page.wait_for_url("**/subscribe/check-your-inbox/")


def test_without_javascript_a_page_answers(site: str) -> None:
    with visiting(site + "/", java_script_enabled=False) as page:
        subscribe(page, "ann@gmial.com")
        page.get_by_role("button", name="No, it is right as I typed it").click()
        page.wait_for_url("**/subscribe/check-your-inbox/")
    carry_out_requests()
    assert Subscriber.objects.get().email == "ann@gmial.com"


def test_the_lines_above_the_choices_say_what_is_chosen(site: str) -> None:
    with visiting(site + "/", locale="de-DE") as page:
        expect(page.locator("summary", has_text="Every day at 8:00, Berlin · 5 papers · Deutsch")).to_be_visible()
        page.get_by_text("change", exact=True).click()
        page.get_by_label("How often").select_option("weekly")
        page.get_by_label("Language of the mail").select_option("en")
        expect(page.locator("summary", has_text="Every week at 8:00, Berlin · 5 papers")).to_be_visible()
        page.get_by_text("Topics: the best of everything").click()
        page.get_by_label("Robotics").check()
        expect(page.locator("summary", has_text="Topics: Robotics")).to_be_visible()
        page.get_by_role("link", name="See a sample").click()
        page.wait_for_url("**/sample/?topics=*robot*")


def test_topics_are_chosen_by_keyboard_alone(site: str) -> None:
    with visiting(site + "/") as page:
        page.get_by_label("Your email address").fill("ann@example.org")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.get_by_label("Find a topic").focus()
        page.keyboard.type("robot")
        expect(page.get_by_text("Topics found: 1", exact=True)).to_be_visible()
        page.keyboard.press("Tab")
        page.keyboard.press("Space")
        page.get_by_label("Your email address").focus()
        page.keyboard.press("Enter")
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_focused()
    carry_out_requests()
    assert [topic.slug for topic in Subscriber.objects.get().topics.all()] == ["robotics"]


@pytest.mark.parametrize("scripts", [True, False])
def test_papers_that_are_pasted_propose_topics(site: str, scripts: bool) -> None:
    paper = Paper.objects.filter(paper_topics__strength__gte=0.5).first()
    assert paper is not None
    Paper.objects.filter(pk=paper.pk).update(arxiv_id="2401.01234")
    with visiting(site + "/", java_script_enabled=scripts) as page:
        page.get_by_label("Your email address").fill("ann@example.org")
        page.get_by_text("Topics: the best of everything").click()
        page.get_by_text("Rather show than choose?").click()
        page.get_by_label("Papers you like").fill("see https://arxiv.org/abs/2401.01234v2 and 2512.99999")
        page.get_by_role("button", name="Propose topics").click()
        expect(page.get_by_text("because of 1 of your papers").first).to_be_visible()
        expect(page.get_by_text("We do not have 2512.99999 yet")).to_be_visible()
        expect(page.get_by_label("Your email address")).to_have_value("ann@example.org")
        assert violations(page) == [] if scripts else True
        page.get_by_role("button", name="Subscribe").click()
        expect(page.get_by_role("heading", name="Check your inbox")).to_be_visible()
    carry_out_requests()
    assert Subscriber.objects.get().topics.count() > 0


@contextmanager
def other_site(html: str) -> Iterator[str]:
    """A site of somebody else's with this one page; its address."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write(
                f"<!doctype html><html lang=en><title>Our lab</title><main><h1>Our lab</h1>{html}</main>".encode()
            )

        def log_message(self, *_: object) -> None:
            """Quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=partial(server.serve_forever, poll_interval=0.05))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.parametrize("name", ["form", "script"])
def test_a_site_that_may_embeds_the_form(site: str, settings: Settings, name: str) -> None:
    settings.SITE_URL = site
    with other_site(snippet(name, list(Topic.objects.filter(slug="robotics")))) as lab:
        settings.EMBED_ORIGINS = [lab]
        with visiting(lab) as page:
            subscribe(page, "ann@example.org")
            expect(page.get_by_text("Check your inbox").first).to_be_visible()
            assert page.url.startswith(lab if name == "script" else site)
    carry_out_requests()
    ann = Subscriber.objects.get()
    assert [topic.slug for topic in ann.topics.all()] == ["robotics"]
    assert ann.zone == ("Europe/Berlin" if name == "script" else "UTC")


@pytest.mark.parametrize("name", ["form", "script"])
def test_a_site_that_may_not_is_told_so(site: str, settings: Settings, name: str) -> None:
    settings.SITE_URL, settings.EMBED_ORIGINS = site, ["https://lab.example"]
    with other_site(snippet(name, [])) as lab, visiting(lab) as page:
        subscribe(page, "ann@example.org")
        expect(page.get_by_text("another site").first).to_be_visible()
    assert not SubscriptionRequest.objects.exists()


def test_the_embedded_form_says_what_is_wrong_and_what_was_meant(site: str, settings: Settings) -> None:
    settings.SITE_URL = site
    with other_site(snippet("script", [])) as lab:
        settings.EMBED_ORIGINS = [lab]
        with visiting(lab) as page:
            subscribe(page, "ann@localhost")
            expect(page.get_by_role("alert")).to_contain_text("does not look like an email address")
            expect(page.get_by_label("Your email address")).to_be_focused()
            assert violations(page) == []
            subscribe(page, "ann@gmial.com")
            page.get_by_role("button", name="Yes, use that").click()
            expect(page.get_by_role("status")).to_contain_text("ann@gmail.com")
            assert violations(page) == []


def test_where_more_is_asked_the_embedded_form_leads_to_our_page(site: str, settings: Settings) -> None:
    settings.SITE_URL = site
    with other_site(snippet("script", [])) as lab:
        settings.EMBED_ORIGINS = [lab]
        with visiting(lab) as page:
            page.route("**/api/v1/subscriptions", lambda route: route.fulfill(status=428, json={}))
            subscribe(page, "ann@example.org")
            page.wait_for_url(f"{site}/subscribe/check-your-inbox/")
