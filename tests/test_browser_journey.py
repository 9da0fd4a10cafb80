"""From signing up to being erased in a real browser: in one click where one has signed up, and by keyboard alone."""

from dataclasses import dataclass
from datetime import date, timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import BrowserContext, Page
from pytest_django import Settings

from newsletter.delivery.letters import send_owed_letters
from subscribers import links
from subscribers.models import Subscriber
from tests.browser import chromium, in_database
from tests.conftest import carry_out_requests
from tests.newsletter.test_lives import LINK

pytestmark = pytest.mark.browser

CAROL = "carol@example.org"
# What has the focus: its name, where it stands in the page, and whether it and its outline can be seen. The outline of
# a chip is drawn around its label.
FOCUS = r"""() => {
  const here = document.activeElement;
  if (!here || here === document.body) return null;
  const parts = [here, here.closest("label")].filter(Boolean);
  const box = parts.at(-1).getBoundingClientRect();
  const outlined = parts.map((part) => getComputedStyle(part)).some(
    (style) => style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2);
  const name = here.labels?.[0]?.textContent ?? here.getAttribute("aria-label") ?? here.textContent;
  return {
    name: name.trim().replace(/\s+/g, " "),
    place: [...document.querySelectorAll("*")].indexOf(here),
    seen: outlined && box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""


@pytest.fixture
def mailed(site: str, settings: Settings) -> str:
    """The site, whose mail stays in this process."""
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    return site


def link_in_the_mail(site: str, page: str) -> str:
    """Send what is owed, and open the newest mail that has a link to such a page."""
    in_database(carry_out_requests)
    in_database(lambda: send_owed_letters(timezone.now()))
    found = [path for message in mail.outbox for path in LINK.findall(str(message.body))]
    return site + next(path for path in reversed(found) if path.startswith(f"/{page}/"))


def status() -> str:
    return in_database(lambda: Subscriber.objects.get().status)


def sign_up(context: BrowserContext, site: str) -> Page:
    page = context.new_page()
    page.goto(site + "/subscribe/")
    page.get_by_label("Your email address").fill(CAROL)
    page.get_by_role("button", name="Subscribe", exact=True).click()
    page.get_by_role("heading", name="Check your inbox").wait_for()
    in_database(carry_out_requests)
    return page


def test_the_link_confirms_by_itself_in_the_browser_that_signed_up(mailed: str) -> None:
    with chromium() as browser:
        page = sign_up(browser.new_context(), mailed)
        assert status() == "pending"
        page.goto(link_in_the_mail(mailed, "confirm"))
        page.wait_for_url("**/preferences/*?new")
        assert page.get_by_role("status").first.inner_text().startswith("You are in.")
        assert status() == "active"


@pytest.mark.parametrize("which", ["another browser", "no scripts", "another address"])
def test_anywhere_else_there_is_a_button(mailed: str, bob: Subscriber, which: str) -> None:
    link = mailed + reverse("confirm", args=[links.confirm_token(bob)])
    Subscriber.objects.filter(pk=bob.pk).update(email=CAROL if which != "another address" else bob.email)
    with chromium() as browser:
        page = sign_up(browser.new_context(java_script_enabled=which != "no scripts"), mailed)
        page = browser.new_page() if which == "another browser" else page
        page.goto(link)
        page.wait_for_load_state("networkidle")
        waits = "pending"
        assert in_database(lambda: Subscriber.objects.get(pk=bob.pk).status) == waits
        page.get_by_role("button", name="Yes, send me the digest").click()
        page.wait_for_url("**/preferences/*?new")


def test_a_page_that_nobody_looks_at_presses_nothing(mailed: str) -> None:
    with chromium() as browser:
        context = browser.new_context()
        sign_up(context, mailed)
        context.add_init_script("Object.defineProperty(document, 'visibilityState', {get: () => 'hidden'})")
        page = context.new_page()
        page.goto(link_in_the_mail(mailed, "confirm"))
        page.wait_for_load_state("networkidle")
        assert status() == "pending"


@dataclass
class Keyboard:
    """Hands that know no mouse. They complain of a focus that cannot be seen, or jumps back, or is held fast."""

    page: Page

    def open(self, url: str) -> None:
        self.page.goto(url)
        self.lands_well()

    def lands_well(self) -> None:
        """A new page has one heading, and begins with it, or at its own beginning with a way past the navigation."""
        assert self.page.locator("h1").count() == 1
        if self.page.evaluate(FOCUS) is None:
            assert self.to("Skip to the content") == 1
            self.page.keyboard.press("Enter")
        # Who skipped before comes with the address of the content, and need not skip again.
        assert self.page.evaluate("document.activeElement.id") == "content"

    def to(self, name: str) -> int:
        """Go on to what has this name; after how many steps it was reached."""
        place = -1
        for steps in range(1, 300):
            self.page.keyboard.press("Tab")
            here = self.page.evaluate(FOCUS)
            if here is None:
                place = -1
                continue
            assert here["seen"], here
            assert here["place"] >= place, here
            if here["name"].startswith(name):
                return steps
            place = here["place"]
        raise AssertionError(f"nothing is called {name}")

    def type(self, name: str, text: str) -> None:
        self.to(name)
        self.page.keyboard.type(text)

    def press(self, name: str, key: str = "Enter") -> None:
        """Press what leads to another page."""
        self.to(name)
        with self.page.expect_navigation():
            self.page.keyboard.press(key)
        self.lands_well()

    def reads(self, words: str) -> bool:
        return words in " ".join(self.page.locator("main").inner_text().split())


@pytest.mark.parametrize("scripts", [True, False], ids=["scripts", "no scripts"])
def test_the_whole_journey_by_keyboard_alone(mailed: str, scripts: bool) -> None:
    with chromium() as browser:
        here, elsewhere = (browser.new_context(java_script_enabled=scripts) for _ in range(2))
        joins(Keyboard(here.new_page()), mailed, scripts)
        hands = Keyboard(elsewhere.new_page())
        hands.open(link_in_the_mail(mailed, "confirm"))
        hands.press("Yes, send me the digest", key="Space")
        assert hands.reads("You are in.")
        changes_and_pauses(hands)
        leaves_and_returns(hands)
        goes(hands, mailed)


def joins(hands: Keyboard, site: str, scripts: bool) -> None:
    hands.open(site)
    hands.type("Your email address", CAROL)
    hands.to("Topics")
    hands.page.keyboard.press("Enter")
    if scripts:
        hands.type("Find a topic", "robot")
    hands.to("Robotics")
    hands.page.keyboard.press("Space")
    hands.to("Every day at 8:00")
    hands.page.keyboard.press("Enter")
    hands.to("How often")
    hands.page.keyboard.press("ArrowDown")
    if scripts:
        hands.to("Subscribe")
        hands.page.keyboard.press("Enter")
        hands.page.get_by_role("heading", name="Check your inbox").wait_for()
        focused = hands.page.evaluate(FOCUS)
        assert focused is not None
        assert focused["name"].startswith("Check your inbox")
    else:
        hands.press("Subscribe")
    assert hands.reads("Check your inbox")


def changes_and_pauses(hands: Keyboard) -> None:
    hands.type("Words to mute", "blockchain")
    hands.to("Papers in a digest")
    hands.page.keyboard.press("ArrowDown")
    hands.press("Save")
    assert hands.reads("Saved.")
    hands.press("Undo the last change")
    assert hands.page.get_by_label("Words to mute").input_value() == ""
    until = date.today() + timedelta(days=9)  # noqa: DTZ011 - the browser's own day
    hands.type("Until", f"{until:%m%d%Y}")
    hands.press("Pause")
    assert hands.reads(f"before {until.day} {until:%B %Y}")
    hands.press("Resume now")


def leaves_and_returns(hands: Keyboard) -> None:
    hands.press("Unsubscribe")
    hands.press("Unsubscribe")
    assert hands.reads("You have left")
    hands.press("Undo")
    assert hands.reads("Welcome back")


def goes(hands: Keyboard, site: str) -> None:
    reader = in_database(Subscriber.objects.get)
    hands.open(site + reverse("less_often", args=[reader.leave_key]))
    hands.press("Send it every")
    assert hands.reads("Done.")
    hands.open(site + reverse("send_preferences_link"))
    hands.type("Your email address", CAROL)
    hands.press("Send me the link")
    hands.open(link_in_the_mail(site, "preferences"))
    hands.press("Erase everything")
    hands.press("Erase everything")
    assert hands.reads("We have forgotten you.")
    assert status() == "erased"
