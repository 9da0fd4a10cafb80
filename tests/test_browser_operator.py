"""An operator's day in a real browser: everything by the pages, while workers do their part in between."""

from base64 import b64encode
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from django.conf import settings as project
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django import Settings

from newsletter import census, editions
from newsletter.delivery import canaries
from newsletter.delivery.feedback import events
from newsletter.delivery.sending import deliver_batch
from newsletter.models import Digest, Edition
from papers import tasks
from papers.models import Source, Topic
from subscribers import requests
from subscribers.abuse import attack
from subscribers.abuse.counting import note
from subscribers.models import Subscriber, SubscriptionRequest, Suppression
from tests.browser import chromium, in_database
from tests.papers.replay import Reply, as_json, daily, replay_server
from tests.servers import redis_server
from tests.stubs import Relay, smtp_relay
from tests.test_browser_desk import signed_in

pytestmark = pytest.mark.browser

SECRET = "papers:only-for-tests"
FIRST, LATER = 8, 4  # readers whose hour comes, one after the other
TITLES = [f"Robot arms that learn to {what}" for what in ("sort", "weld", "paint", "sew", "cook", "dance")]


@pytest.fixture
def source(site: str, settings: Settings) -> Iterator[None]:
    """Hugging Face on this machine: six papers about robots, of today."""
    today = timezone.now().date().isoformat()
    rows = [
        daily(f"2603.0000{number}", title, today, summary="A robot learns.", upvotes=90 - number)
        for number, title in enumerate(TITLES)
    ]
    with replay_server() as replay, redis_server() as redis:
        replay.on["/api/daily_papers"] = Reply(as_json(*rows))
        settings.REDIS_URL = redis
        settings.FETCH_HOSTS, settings.FETCH_LOOPBACK = ["127.0.0.1"], True
        settings.FETCH_EVERY = {"arxiv": 0.001, "hugging-face": 0.001}
        settings.SOURCE_URLS = {**project.SOURCE_URLS, "hugging-face": replay.url("/api/daily_papers")}
        Source.objects.get_or_create(name="hugging-face", defaults={"kind": Source.Kind.HUGGING_FACE})
        yield


@pytest.fixture
def relay(settings: Settings) -> Iterator[Relay]:
    with smtp_relay(Relay()) as relay:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", relay.port
        settings.ANYMAIL = {"WEBHOOK_SECRET": SECRET}
        settings.CANARY_WAIT = timedelta(0)
        settings.STOP_AFTER_BOUNCES = 3
        yield relay


@dataclass
class Operator:
    """Who clicks, and the workers who do what was asked for meanwhile."""

    page: Page
    site: str

    def opens(self, name: str, *args: object) -> None:
        self.page.goto(self.site + reverse(name, args=args))

    def follows(self, words: str) -> None:
        self.page.get_by_role("link", name=words, exact=True).first.click()

    def presses(self, words: str) -> None:
        with self.page.expect_navigation():
            self.page.get_by_role("button", name=words, exact=True).first.click()

    def sees(self, *words: str) -> None:
        for some in words:
            expect(self.page.get_by_text(some).first).to_be_visible()

    def looks_at_today(self) -> None:
        """As a worker has counted it."""
        self.workers(lambda: census.follow(timezone.now()))
        self.opens("admin:index")

    def looks_at_the_edition(self, accepted: int, to_go: int) -> None:
        self.looks_at_today()
        self.follows(str(in_database(Edition.objects.get)))
        for words, number in (("accepted", accepted), ("+ still to go", to_go)):
            row = self.page.get_by_role("row", name=words).first
            expect(row.locator("td.number")).to_have_text(str(number))

    def workers(self, work: Callable[[], Any]) -> None:
        in_database(work)


@pytest.fixture
def readers(site: str) -> list[Subscriber]:
    """Those of the first hour, and those of the next."""
    robotics, now = Topic.objects.get(slug="robotics"), timezone.now()
    people = [
        Subscriber.objects.create(
            email=f"reader{number}@lab{number}.example",
            status="active",
            zone="UTC",
            confirmed_at=now,
            next_digest_at=now - timedelta(minutes=1) if number < FIRST else None,
        )
        for number in range(FIRST + LATER)
    ]
    for person in people:
        person.topics.set([robotics])
    return people


@pytest.fixture
def key(readers: list[Subscriber]) -> str:
    """Of the operator's session."""
    operator = User.objects.create_user("ada", "ada@papers.example", is_staff=True)
    operator.groups.set(Group.objects.filter(name="Operator"))
    client = Client()
    client.force_login(operator)
    return str(client.cookies[project.SESSION_COOKIE_NAME].value)


def test_an_operators_day(site: str, key: str, source: None, relay: Relay) -> None:
    with chromium() as browser:
        page = signed_in(browser, site, key, viewport={"width": 1400, "height": 1000}).new_page()
        ada = Operator(page, site)
        fetches(ada)
        ada.workers(lambda: editions.plan(timezone.now()))
        curates(ada)
        previews(ada, relay)
        sends_a_few_ahead(ada, relay)
        pauses_and_resumes(ada, relay)
        weathers_bounces(ada)
        weathers_an_attack(ada)
        erases(ada)


def fetches(ada: Operator) -> None:
    ada.opens("admin:index")
    ada.follows("hugging-face")
    ada.presses("Fetch now")
    ada.sees("1 will be fetched in a moment")
    mirror = in_database(lambda: Source.objects.get(name="hugging-face").pk)
    ada.workers(lambda: tasks.fetch_source(mirror, asked=True))
    ada.opens("admin:index")
    row = ada.page.get_by_role("row", name="hugging-face")
    expect(row.locator("td.number").first).to_have_text(str(len(TITLES)))


def curates(ada: Operator) -> None:
    """A note, a pin and a ban."""
    ada.looks_at_today()
    ada.follows(str(in_database(Edition.objects.get)))
    ada.follows("Note, pins and bans")
    ada.page.get_by_label("Note").fill("A day of robots.")
    decides(ada, 0, "sew", "pinned")
    ada.page.get_by_text("Add another Pin or ban").click()
    decides(ada, 1, "sort", "banned")
    ada.presses("Save")


def decides(ada: Operator, row: int, word: str, choice: str) -> None:
    form = ada.page.locator("tbody", has=ada.page.locator(f"select[name=pool-{row}-choice]"))
    form.locator(".select2-selection").first.click()
    ada.page.locator(".select2-search__field").fill(f"learn to {word}")
    ada.page.locator(".select2-results__option", has_text=f"learn to {word}").first.click()
    form.locator(f"select[name=pool-{row}-choice]").select_option(choice)


def previews(ada: Operator, relay: Relay) -> None:
    edition = in_database(Edition.objects.get)
    ada.opens("desk_edition", edition.pk)
    ada.follows("Preview and checks")
    ada.page.locator("#address").fill("reader0@lab0.example")
    ada.presses("Show it")
    chosen = ada.page.locator(".cockpit-papers li")
    expect(chosen.first).to_contain_text("learn to sew")
    assert not any("learn to sort" in title for title in chosen.all_inner_texts())
    ada.sees("How it looks", "A day of robots.")
    ada.page.locator("#address").fill("reader0@lab0.example")
    ada.presses("Mail it to my own address")
    ada.sees("The test mail is on its way")
    assert relay.recipients == ["ada@papers.example"]


def sends_a_few_ahead(ada: Operator, relay: Relay) -> None:
    ada.opens("desk_edition", in_database(Edition.objects.get).pk)
    ada.page.get_by_label("How many").fill("2")
    ada.presses("Send some copies first")
    ada.workers(lambda: canaries.advance(timezone.now()))
    ada.workers(deliver_batch)
    assert len(relay.accepted) == 1 + 2
    ada.looks_at_the_edition(accepted=2, to_go=FIRST - 2)


def pauses_and_resumes(ada: Operator, relay: Relay) -> None:
    ada.presses("Pause")
    ada.workers(lambda: canaries.advance(timezone.now()))
    ada.workers(deliver_batch)
    ada.looks_at_today()
    ada.sees(f"is paused with {FIRST - 2} to go")
    ada.looks_at_the_edition(accepted=2, to_go=FIRST - 2)
    ada.presses("Resume")
    ada.workers(lambda: canaries.advance(timezone.now()))
    ada.workers(deliver_batch)
    ada.looks_at_the_edition(accepted=FIRST, to_go=0)
    for mail in relay.accepted[1:]:
        words = " ".join(str(mail.get_body(("plain",)).get_content()).split())  # type: ignore[union-attr]
        assert ("learn to sew" in words, "learn to sort" in words) == (True, False)


def weathers_bounces(ada: Operator) -> None:
    """While the hour of others comes, those of the first turn out not to exist: the rest is held by itself."""
    ada.workers(next_hour)
    for digest in in_database(lambda: list(Digest.objects.filter(status="accepted").select_related("subscriber")[:3])):
        bounces(ada, digest)
    ada.workers(lambda: events.apply_stored(timezone.now()))
    ada.workers(deliver_batch)
    ada.looks_at_today()
    ada.sees(f"is paused with {LATER} to go")
    ada.opens("admin:newsletter_edition_changelist")
    expect(ada.page.locator("#result_list")).to_contain_text("3 addresses do not exist")
    assert in_database(Suppression.objects.count) == 3


def next_hour() -> None:
    Subscriber.objects.filter(next_digest_at=None).update(next_digest_at=timezone.now() - timedelta(minutes=1))
    editions.plan(timezone.now())


def bounces(ada: Operator, digest: Digest) -> None:
    """As Postmark tells it, to the service's own address."""
    told = {
        "RecordType": "Bounce",
        "ID": digest.pk,
        "Type": "HardBounce",
        "Email": digest.subscriber.email,
        "BouncedAt": timezone.now().isoformat(),
        "MessageID": str(digest.uid),
        "Metadata": {"digest": str(digest.uid)},
    }
    secret = {"Authorization": f"Basic {b64encode(SECRET.encode()).decode()}"}
    answer = ada.page.request.post(f"{ada.site}/anymail/postmark/tracking/", data=told, headers=secret)
    assert answer.status == 200


def weathers_an_attack(ada: Operator) -> None:
    """Many are asked and nobody confirms; what comes now is held, and looked at before it is thrown away."""
    ada.workers(lambda: note(attack.ASKED, timezone.now(), 300))
    ada.workers(lambda: attack.judge(timezone.now()))
    ada.workers(strangers)
    ada.workers(lambda: requests.carry_out(timezone.now()))
    ada.looks_at_today()
    ada.sees("Sign-up is under attack", "Held at sign-up: 3")
    ada.page.get_by_role("link", name="Held at sign-up: 3").click()
    expect(ada.page.locator("#result_list")).to_contain_text("came without a proof, under attack")
    ada.page.locator("#action-toggle").check()
    ada.page.locator("select[name=action]").first.select_option("discard")
    ada.presses("Run")
    ada.sees("discarded")
    assert in_database(SubscriptionRequest.objects.count) == 0


def strangers() -> None:
    for number in range(3):
        requests.store(SubscriptionRequest(kind="subscribe", email=f"victim{number}@else.example", network="192.0.2.0"))


def erases(ada: Operator) -> None:
    reader = "reader11@lab11.example"
    ada.opens("desk_find")
    ada.page.locator("#sought").fill(reader)
    ada.presses("Find")
    deed = ada.page.locator("form.cockpit-deed", has=ada.page.get_by_role("heading", name="Erase everything"))
    deed.get_by_label("Why").fill("Asked for it by post")
    deed.get_by_label("This cannot be taken back").fill(reader)
    with ada.page.expect_navigation():
        deed.get_by_role("button").click()
    ada.sees("Erased. A hash remains")
    assert in_database(lambda: Subscriber.objects.filter(email=reader).exists()) is False
