"""Digests at the pace of the throttle, with a real Redis and without one."""

import os
import subprocess
import sys
from datetime import timedelta

import pytest
import redis
import time_machine
from pytest_django import Settings

from newsletter.delivery.ledger import RETRIED
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.sending import deliver_batch
from newsletter.delivery.wire import throttle
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.throttle import Lane
from newsletter.models import Digest, DigestPaper
from papers.models import Paper, Topic
from subscribers import shared
from subscribers.models import Letter, Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import planned_readers, statuses
from tests.stubs import Api, Server

SECOND = timedelta(seconds=1)


@pytest.fixture(params=["Redis", "without Redis"], autouse=True)
def _buckets(request: pytest.FixtureRequest, settings: Settings) -> None:
    if request.param == "without Redis":
        settings.REDIS_URL = "redis://127.0.0.1:1"
    settings.WORKER_PROCESSES, settings.SUBMIT_SLICE = 1, 5


@pytest.fixture
def readers(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    return planned_readers(30, graphs)


def test_no_more_go_than_the_provider_takes_and_the_rest_stays_planned(
    readers: list[Subscriber], server: Server, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.SEND_PER_SECOND = 10
    assert deliver_batch() == 8  # of a second's ten, two are the letters'
    assert statuses() == {"accepted": 8, "planned": 22}
    assert DigestPaper.objects.values("digest").distinct().count() == 8
    assert deliver_batch() == 0
    clock.shift(SECOND)
    assert deliver_batch() == 8


def test_what_is_tried_again_is_still_known_as_that_where_it_waits_for_its_domain(
    readers: list[Subscriber], server: Server, settings: Settings
) -> None:
    """That it was refused before is no news of its address."""
    settings.DOMAINS_PER_SECOND = {"example.org": 1}
    Digest.objects.update(reason=RETRIED)
    deliver_batch()
    assert Digest.objects.filter(status="planned", reason=RETRIED, not_before__gt=NOW).count() > 20


@pytest.mark.usefixtures("readers", "server", "clock")
@pytest.mark.parametrize(("rate", "least"), [(100, 30), (10_000, 100)])
def test_a_quick_provider_is_asked_about_once_a_hundred_and_a_slow_one_for_each_few(
    settings: Settings, rate: int, least: int
) -> None:
    settings.SEND_PER_SECOND, settings.SUBMIT_CONNECTIONS = rate, 3
    assert deliver_batch() == 30
    taken = rate - throttle.calls(rate, Lane.LETTERS, NOW).given
    assert least <= taken <= least + 3  # the first three tell that it is quick


@pytest.mark.parametrize("most", [1, 2, 3])
def test_a_server_that_takes_fewer_sessions_than_were_opened_gets_all(
    readers: list[Subscriber], server: Server, most: int
) -> None:
    server.most, server.delay = most, 0.002
    assert deliver_batch() == 30
    assert statuses() == {"accepted": 30}


def test_a_run_waits_for_its_turn_as_long_as_it_may(
    readers: list[Subscriber], server: Server, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.SEND_PER_SECOND = 100
    throttle.calls(70, Lane.DIGESTS, NOW)

    def answer(verb: str, recipient: str) -> None:
        if verb == ".":
            clock.shift(SECOND / 100)

    server.answer = answer
    assert deliver_batch(seconds=60) == 30


def test_a_run_that_has_waited_long_enough_calls_another(
    readers: list[Subscriber], server: Server, settings: Settings
) -> None:
    settings.SEND_PER_SECOND = 10
    calls: list[str] = []
    assert deliver_batch(seconds=0.2, more=lambda: calls.append("help")) == 8
    assert calls == ["help"]


def test_while_the_provider_wants_rest_nothing_is_even_claimed(
    readers: list[Subscriber], postmark: Api, clock: time_machine.Traveller
) -> None:
    postmark.status, postmark.headers = 429, {"Retry-After": "30"}
    deliver_batch()
    asked = len(postmark.requests)
    claimed = Digest.objects.filter(attempts__gt=0).count()
    clock.shift(SECOND)
    calls: list[str] = []
    assert deliver_batch(seconds=5, more=lambda: calls.append("help")) == 0
    assert (len(postmark.requests), Digest.objects.filter(attempts__gt=0).count()) == (asked, claimed)
    assert calls == []
    postmark.status = 200
    clock.shift(60 * SECOND)
    assert deliver_batch() == 30


def test_a_rate_falls_when_the_provider_asks_and_grows_back(
    readers: list[Subscriber], postmark: Api, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.SEND_PER_SECOND = 20
    postmark.status = 429
    deliver_batch()
    assert throttle.calls(30, Lane.LETTERS, NOW + SECOND).given == 10
    throttle.calls(30, Lane.LETTERS, NOW + timedelta(seconds=throttle.RECOVERY))
    assert throttle.calls(30, Lane.LETTERS, NOW + timedelta(seconds=throttle.RECOVERY + 1)).given == 20


def test_what_a_busy_domain_does_not_take_has_its_turn_in_a_queue(
    readers: list[Subscriber], server: Server, settings: Settings, clock: time_machine.Traveller
) -> None:
    settings.DOMAINS_PER_SECOND = {"example.org": "10"}
    Subscriber.objects.filter(pk=readers[0].pk).update(email="someone@example.net")
    assert deliver_batch() == 9
    assert "someone@example.net" in [recipient for recipient, _ in server.accepted]
    turns = list(Digest.objects.filter(status="planned").order_by("not_before").values_list("not_before", flat=True))
    assert turns == pytest.approx([NOW + SECOND * (place + 1) / 10 for place in range(21)], abs=SECOND / 1000)
    assert set(Digest.objects.filter(status="planned").values_list("reason", flat=True)) == {"waits for its turn"}
    for _ in range(5):
        clock.shift(SECOND / 2)
        deliver_batch()
    assert statuses() == {"accepted": 30}
    assert set(Digest.objects.values_list("attempts", flat=True)) <= {1, 2}  # each was put off once


def test_all_that_is_put_off_at_once_calls_another_run(
    readers: list[Subscriber], server: Server, settings: Settings
) -> None:
    settings.DOMAINS_PER_SECOND = {"example.org": "10"}
    throttle.mails({"example.org": 8}, Lane.DIGESTS, NOW)
    calls: list[str] = []
    assert deliver_batch(size=10, more=lambda: calls.append("help")) == 0
    assert calls == ["help"]


def test_letters_go_while_digests_must_wait(
    readers: list[Subscriber], postmark: Api, bob: Subscriber, settings: Settings
) -> None:
    settings.SEND_PER_SECOND = 10
    deliver_batch()
    Letter.objects.create(subscriber=bob, kind="confirmation", not_before=NOW, requested_at=NOW)
    assert deliver_batch() == 0
    send_owed_letters(NOW)
    assert Letter.objects.get().status == "sent"
    assert len(postmark.requests) == 9


def test_answers_about_many_messages_slow_down_once(settings: Settings) -> None:
    settings.SEND_PER_SECOND = 10
    busy = Outcome(Kind.LATER, "HTTP 429")
    assert throttle.heed([("a.example", busy), ("b.example", Outcome(Kind.ACCEPTED)), ("c.example", busy)], NOW)
    assert throttle.calls(30, Lane.LETTERS, NOW + SECOND).given == 5


def test_a_bucket_that_nobody_slows_down_is_not_kept(settings: Settings) -> None:
    assert throttle.mails({"a.example": 500, "b.example": 1}, Lane.DIGESTS, NOW)["a.example"].given == 500
    assert not any(key.startswith(settings.REDIS_PREFIX) for key in throttle._own)


TAKE = """
import sys
from datetime import datetime
from newsletter.delivery.wire import throttle
sys.stdin.readline()
at = datetime.fromisoformat(sys.argv[1])
print(sum(throttle.calls(3, throttle.Lane.DIGESTS, at).given for _ in range(40)))
"""


def test_two_worker_processes_share_a_rate(settings: Settings) -> None:
    """With Redis they have it together; without, each has its half."""
    ours = {"SEND_PER_SECOND": "50", "WORKER_PROCESSES": "2", "REDIS_PREFIX": settings.REDIS_PREFIX}
    environment = {**os.environ, **ours, "REDIS_URL": settings.REDIS_URL}
    command = [sys.executable, "-c", TAKE, NOW.isoformat()]
    workers = [
        subprocess.Popen(command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        for _ in range(2)
    ]
    taken = [int(worker.communicate("go\n", timeout=60)[0]) for worker in workers]
    assert sum(taken) == 40  # a fifth is the letters'
    if not redis_answers():
        assert taken == [20, 20]


def redis_answers() -> bool:
    try:
        return bool(shared.ask(lambda client: client.ping()))
    except redis.RedisError:
        return False
