"""Ten thousand posts at somebody's expense: what comes of them, and what honest people notice.

With a real Redis and without. What the worker does happens between the posts, as it would.
"""

import json
import random
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import timedelta
from urllib.parse import urlencode

import pytest
import time_machine
from django.test import Client, RequestFactory
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from subscribers import requests
from subscribers.abuse.entrance import Evidence, OneMoreStep
from subscribers.addresses import clean_address
from subscribers.models import Attack, Letter, SubscriptionRequest
from subscribers.network import client_network
from subscribers.wishes import Wishes
from tests.conftest import NOW, carry_out_requests
from tests.subscribers.abuse.conftest import NO_REDIS, solve

pytestmark = [pytest.mark.heavy, pytest.mark.django_db]
SUBSCRIBE, API = reverse("subscribe"), reverse("subscriptions")
FORM = "application/x-www-form-urlencoded"
WISHES = {"cadence": "daily", "local_hour": "8", "zone": "UTC"}
POSTS, BATCH = {"Redis": 10_000, "without Redis": 1_000}, 500
NO_WISHES = Wishes().as_json()
BROWSER = Client()  # one for all: each new one would set up the whole site first
Post = tuple[str, str]  # an address, and whence


@pytest.fixture(params=["Redis", "without Redis"], autouse=True)
def posts(request: pytest.FixtureRequest, settings: Settings) -> int:
    """How many posts come. Counting in the database is slower, and shows the same with fewer."""
    settings.SECURE_SSL_REDIRECT = False
    settings.WORK_STEPS = settings.WORK_STEPS_UNDER_ATTACK = 2
    if request.param == "without Redis":
        settings.REDIS_URL = NO_REDIS
    return POSTS[request.param]


def post(email: str, whence: str, **more: str) -> int:
    """One post of the form; its status."""
    return answer(email, whence, **more).status_code


def answer(email: str, whence: str, **more: str):  # type: ignore[no-untyped-def]
    body = urlencode({"email": email, **WISHES, **more})
    return BROWSER.post(SUBSCRIBE, body, content_type=FORM, REMOTE_ADDR=whence)


def post_json(email: str, whence: str) -> int:
    """One request of a program, which takes less time to answer; its status."""
    body = json.dumps({"email": email})
    return BROWSER.post(API, body, content_type="application/json", REMOTE_ADDR=whence).status_code


def hand_in(email: str, whence: str) -> int:
    """What the pages do with a well-filled form, without the form: quicker, and behind the same door."""
    network = client_network(RequestFactory().get("/", REMOTE_ADDR=whence))
    wish = SubscriptionRequest(kind="subscribe", email=clean_address(email), network=network, wishes=NO_WISHES)
    try:
        requests.ask(wish, Evidence(), timezone.now())
    except OneMoreStep:
        return 428
    return 202


def bomb(flood: Iterable[Post], clock: time_machine.Traveller) -> Counter[int]:
    """All of these within some minutes, a tenth by HTTP, and the worker at work; how often which status came."""
    statuses: Counter[int] = Counter()
    doors = [post, post_json, *[hand_in] * 18]
    for number, (email, whence) in enumerate(flood, 1):
        statuses[doors[number % len(doors)](email, whence)] += 1
        if number % BATCH == 0:
            clock.shift(30)
            drain()
    return statuses


def drain() -> None:
    """The worker, until nothing is due."""
    while carry_out_requests():
        pass


def with_proof(email: str, whence: str) -> int:
    """As a browser does it: post, solve what is asked for, post again."""
    first = answer(email, whence)
    if first.status_code == 302:
        return 302
    return post(email, whence, altcha=solve(first.context["step"].challenge))


def with_patience(email: str, whence: str, clock: time_machine.Traveller) -> int:
    """As a person does it whose browser runs no scripts."""
    first = answer(email, whence)
    if first.status_code == 302:
        return 302
    clock.shift(10)
    return post(email, whence, patience=first.context["step"].patience)


def mailed() -> Counter[str]:
    return Counter(Letter.objects.values_list("subscriber__email", flat=True))


def variants(count: int) -> Iterator[Post]:
    """Nine mailboxes in many spellings, from everywhere."""
    chance = random.Random(9)
    names = ["anna", "bertha", "clara"]
    for _ in range(count):
        name, domain = chance.choice(names), chance.choice(["gmail.com", "GoogleMail.com", "uni.example", "x.example"])
        if domain in {"gmail.com", "GoogleMail.com"}:
            name = name[0] + "".join(chance.choice(["", "."]) + letter for letter in name[1:])
        tag = chance.choice(["", f"+{chance.randrange(1000)}"])
        spelt = "".join(chance.choice([letter.lower(), letter.upper()]) for letter in name + tag)
        yield f"{spelt}@{domain}", f"{chance.randrange(1, 224)}.{chance.randrange(256)}.{chance.randrange(256)}.7"


def test_nine_mailboxes_get_nine_letters_at_most_from_however_many_posts(
    fixed_clock: time_machine.Traveller, posts: int
) -> None:
    statuses = bomb(variants(posts), fixed_clock)
    assert statuses[302] + statuses[202] > posts * 0.9  # nobody was told anything
    assert 0 < sum(mailed().values()) <= 9
    assert SubscriptionRequest.objects.count() <= 9
    assert post("honest@uni.example", "203.0.113.9") == 302
    drain()
    assert mailed()["honest@uni.example"] == 1


def test_however_many_addresses_from_one_network_reach_the_ceiling_and_nobody_else_suffers(
    fixed_clock: time_machine.Traveller, settings: Settings, posts: int
) -> None:
    flood = ((f"victim{number}@d{number % 400}.example", f"198.51.100.{number % 256}") for number in range(posts))
    statuses = bomb(flood, fixed_clock)
    assert sum(mailed().values()) <= settings.SIGNUP_LETTERS_PER_NETWORK
    assert statuses[302] + statuses[202] <= settings.SIGNUP_SOFT_PER_HOUR
    assert post("honest@uni.example", "203.0.113.9") == 302
    assert with_proof("neighbour@uni.example", "198.51.100.9") == 302
    assert with_patience("patient@uni.example", "198.51.100.10", fixed_clock) == 302
    drain()
    assert {"honest@uni.example", "neighbour@uni.example", "patient@uni.example"} <= set(mailed())


def test_a_flood_from_everywhere_turns_attack_mode_on_and_honest_people_still_get_in(
    fixed_clock: time_machine.Traveller, settings: Settings
) -> None:
    flood = (
        (f"victim{number}@d{number % 400}.example", f"{number % 200 + 1}.{number % 251}.9.7") for number in range(1000)
    )
    bomb(flood, fixed_clock)
    fixed_clock.shift(1)
    drain()
    assert Attack.objects.on().exists()
    assert sum(mailed().values()) < 1000
    assert with_proof("scripts@uni.example", "203.0.113.9") == 302
    assert with_patience("patient@uni.example", "203.0.114.9", fixed_clock) == 302
    fixed_clock.shift(settings.ATTACK_DELAY)
    drain()
    assert mailed()["scripts@uni.example"] == 1
    assert SubscriptionRequest.objects.get(email="patient@uni.example").reason == "attack"
    for _ in range(12):
        fixed_clock.shift(timedelta(minutes=15))
        drain()
    assert mailed()["patient@uni.example"] == 1


def test_a_campus_behind_one_network_subscribes_two_hundred_people_in_an_hour(
    fixed_clock: time_machine.Traveller,
) -> None:
    for number in range(200):
        sign_up = with_patience if number % 4 == 0 else lambda email, whence, _: with_proof(email, whence)
        assert sign_up(f"student{number}@uni.example", f"192.0.2.{number}", fixed_clock) == 302
        fixed_clock.shift(8)
        if number % 20 == 19:
            drain()
    assert NOW + timedelta(hours=1) > NOW + timedelta(seconds=200 * 8 + 50 * 10)
    assert len(mailed()) == 200
