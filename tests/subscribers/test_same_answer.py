"""Whatever we know of an address, who asks learns nothing: the same words, headers and statements, in the same time."""

import gc
import json
import re
from collections.abc import Callable
from time import perf_counter

import pytest
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from pytest_django import Settings

from subscribers import links
from subscribers.leaving import erase
from subscribers.models import Letter, Move, Subscriber, Suppression
from subscribers.preferences import ask_for_link
from tests.conftest import NOW

Ask = Callable[[str], HttpResponse]
ROUNDS, SAMPLES = 5, 20
BAND = 1.3  # how far the undisturbed times of two states may lie apart, as a factor; two letters cost more


@pytest.fixture
def states(everybody: dict[str, Subscriber]) -> dict[str, str]:
    """An address in each state, by the state's name."""
    gone = Subscriber.objects.create(email="gone@example.org")
    erase(gone, NOW)
    Suppression.objects.add("banned@example.org", Suppression.Reason.OPERATOR)
    known = {name: str(person.email) for name, person in everybody.items()}
    return {"new": "new@example.org", "erased": "gone@example.org", "suppressed": "banned@example.org", **known}


@pytest.fixture(params=["form", "API", "link", "move"])
def ask(request: pytest.FixtureRequest, states: dict[str, str], settings: Settings) -> Ask:
    """Asks for something in the name of an address; no limit stands in the way."""
    settings.SIGNUP_INBOX = settings.SIGNUP_SOFT_PER_HOUR = settings.SIGNUP_POSTS_PER_DAY = (
        settings.MOVES_PER_NETWORK
    ) = 1_000_000
    client, mover = Client(), Subscriber.objects.create(email="mover@example.org", status="active")

    def move(email: str) -> HttpResponse:
        Move.objects.all().delete()
        Letter.objects.all().delete()
        return client.post(reverse("move", args=[links.preferences_token(mover)]), {"email": email})

    wishes = {"cadence": "daily", "local_hour": "8", "zone": "UTC"}
    asks: dict[str, Ask] = {
        "form": lambda email: client.post(reverse("subscribe"), {"email": email, **wishes}),
        "API": lambda email: client.post(
            reverse("subscriptions"), json.dumps({"email": email}), content_type="application/json"
        ),
        "link": lambda email: client.post(reverse("send_preferences_link"), {"email": email}),
        "move": move,
    }
    return asks[request.param]


def statements(ask: Ask, email: str) -> list[str]:
    """What the database was asked, in its order, without the values."""
    with CaptureQueriesContext(connection) as captured:
        ask(email)
    return [re.sub(r"'[^']*'|\bs\d+_x\d+\b|\b[0-9a-f]{16,}\b|\b\d+\b", "?", query["sql"]) for query in captured]


def test_words_status_and_headers_are_the_same(ask: Ask, states: dict[str, str]) -> None:
    answers = [ask(email) for email in [*states.values(), states["new"]]]
    seen = {(answer.status_code, answer.content, tuple(sorted(answer.headers.items()))) for answer in answers}
    assert len(seen) == 1
    assert answers[0].status_code < 400


def test_the_database_is_asked_the_same(ask: Ask, states: dict[str, str]) -> None:
    ask("first@example.org")  # which may find caches empty
    asked = {tuple(statements(ask, email)) for email in states.values()}
    assert len(asked) == 1
    assert any("INSERT INTO" in statement for statement in asked.pop())


@pytest.mark.heavy
def test_it_takes_the_same_time(ask: Ask, states: dict[str, str]) -> None:
    """One quiet round is enough: noise comes and goes, what tells states apart is there in every round."""
    assert any(spread(ask, states) < BAND for _ in range(ROUNDS))


@pytest.mark.heavy
def test_the_clock_would_notice_work_that_depends_on_the_address(states: dict[str, str]) -> None:
    client = Client()

    def ask_and_tell(email: str) -> HttpResponse:
        for _ in range(2 if email == states["active"] else 0):
            Letter.objects.all().delete()
            ask_for_link(email, NOW)
        return client.post(reverse("send_preferences_link"), {"email": email})

    assert all(spread(ask_and_tell, states) > BAND for _ in range(ROUNDS))


def spread(ask: Ask, states: dict[str, str]) -> float:
    """The slowest state's undisturbed time by the quickest one's, measured in turns.

    That is the third quickest of all: what a busy machine adds to some samples, it does not add to those.
    """
    times: dict[str, list[float]] = {name: [] for name in states}
    gc.disable()
    for _ in range(SAMPLES):
        for name, email in states.items():
            start = perf_counter()
            ask(email)
            times[name].append(perf_counter() - start)
    gc.enable()
    undisturbed = [sorted(samples)[2] for samples in times.values()]
    return max(undisturbed) / min(undisturbed)
