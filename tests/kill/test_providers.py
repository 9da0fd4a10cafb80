"""Providers that have the message and do not say so, say it badly, or take nothing for a while."""

import time
from uuid import UUID

import pytest
from django.utils import timezone

from newsletter.models import Brake, Digest
from tests.kill.harness import Scene, chance, one_database_is_enough, size, until
from tests.kill.providers import Keyed, Postmark, Relay, Reply, Resend

pytestmark = pytest.mark.kill

HOW = ["silence", "drip", "garbage", "reset"]
ONE_IN = 8  # answers that go wrong


def spoilt(scenario: str, count: int) -> dict[int, str]:
    """Which messages' answers go wrong, by number, and how: each way at least once."""
    dice = chance(scenario)
    numbers = dice.sample(range(1, count + 1), max(len(HOW), count // ONE_IN))
    return {number: HOW[place % len(HOW)] for place, number in enumerate(numbers)}


def test_k6_a_relay_that_has_it_and_does_not_say_so(scene: Scene, relay: Relay) -> None:
    one_database_is_enough()
    readers = size(60, 2000)
    bad = spoilt("K6 SMTP", readers)
    relay.spoil = lambda number: bad.get(number, "")
    scene.readers(readers)
    with scene.machine.service():
        scene.harmed()
        verdict = scene.ends("K6 SMTP: silence, dripping, garbage, resets", len(bad), 600)
    assert verdict.in_doubt == len(bad)
    assert len(relay.log.taken) == readers  # the doubtful too; nobody a second time


def test_k6_an_api_that_has_it_and_does_not_say_so(http_scene: Scene, api: Postmark) -> None:
    one_database_is_enough(vendor="postgresql")
    readers = size(60, 2000)
    bad = spoilt("K6 HTTP", readers)
    api.answer = lambda api, number, digest: Reply(how=bad.get(number, ""), seconds=20)
    http_scene.readers(readers)
    with http_scene.machine.service():
        http_scene.harmed()
        verdict = http_scene.ends("K6 HTTP: silence, dripping, garbage, resets", len(bad), 600)
    assert verdict.in_doubt == len(bad)
    assert len(api.log.taken) == readers


def test_k6_an_api_with_keys_that_has_it_and_does_not_say_so(keyed_scene: Scene, keyed: Keyed) -> None:
    one_database_is_enough(vendor="postgresql")
    readers, name = size(60, 2000), type(keyed).__name__
    bad = spoilt(f"K6 {name}", readers)
    keyed.answer = lambda api, number, digest: Reply(how=bad.get(number, ""), seconds=20)
    keyed_scene.readers(readers)
    with keyed_scene.machine.service():
        keyed_scene.harmed()
        until(lambda: Digest.objects.filter(status="accepted").count() == readers, 600)
        verdict = keyed_scene.ends(f"K6 {name} with keys: silence, dripping, garbage, resets", len(bad))
    assert verdict.once == readers


def test_k6_calls_of_many_messages_that_are_taken_and_not_answered(batch_scene: Scene, batches: Resend) -> None:
    """A call is made again at once under its key, once: in doubt are the messages of those that went wrong twice."""
    one_database_is_enough(vendor="postgresql")
    readers = size(60, 2000)
    bad = spoilt("K6 batches", readers // 2)
    batches.answer = lambda api, number, digest: Reply(how=bad.get(number, ""), seconds=20)
    batch_scene.readers(readers)
    with batch_scene.machine.service():
        batch_scene.harmed()
        verdict = batch_scene.ends("K6 Resend, many a call: the same", len(bad), 600)
    assert verdict.once > readers * (1 - 1 / ONE_IN)  # fewer in doubt than had no answer at first
    assert len(batches.log.taken) == readers


class Outage:
    """An API that is as usual, then answers all calls with something else for so many seconds from the first on."""

    def __init__(self, reply: Reply, after: int, seconds: float) -> None:
        self.reply, self.after, self.seconds = reply, after, seconds
        self.began = 0.0
        self.met = 0

    def __call__(self, api: Postmark, number: int, digest: UUID) -> Reply:
        if number <= self.after:
            return Reply()
        self.began = self.began or time.monotonic()
        if self.is_over():
            return Reply()
        self.met += 1
        return self.reply

    def is_over(self) -> bool:
        return self.met > 0 and time.monotonic() > self.began + self.seconds


def test_k7_too_many_requests(http_scene: Scene, api: Postmark) -> None:
    one_database_is_enough(vendor="postgresql")
    readers, seconds = size(60, 500), size(3, 30)
    api.answer = outage = Outage(Reply(429, takes=False, retry_after=1), chance("K7 429").randint(5, 30), seconds)
    http_scene.readers(readers)
    with http_scene.machine.service():
        until(outage.is_over, seconds + 60)
        http_scene.harmed()
        verdict = http_scene.ends(f"K7 429 for {seconds} s", 1, 180)
    assert verdict.once == readers


def test_k7_unavailable(http_scene: Scene, api: Postmark) -> None:
    one_database_is_enough(vendor="postgresql")
    readers, seconds = size(60, 1000), size(4, 180)
    api.answer = outage = Outage(Reply(503, takes=False), chance("K7 503").randint(5, 30), seconds)
    http_scene.readers(readers)
    with http_scene.machine.service():
        until(outage.is_over, seconds + 60)
        http_scene.harmed()
        verdict = http_scene.ends(f"K7 503 for {seconds} s", 1, 600)
    assert verdict.in_doubt == outage.met
    assert verdict.once > readers / 2  # the rest waited until it was over


def test_k7_unauthorised(http_scene: Scene, api: Postmark) -> None:
    one_database_is_enough(vendor="postgresql")
    readers = size(60, 500)
    api.answer = Outage(Reply(401, takes=False), chance("K7 401").randint(5, 30), 10**6)
    http_scene.readers(readers)
    with http_scene.machine.service():
        until(lambda: Brake.objects.engaged().exists())
        until(lambda: not Digest.objects.filter(status__in=Digest.Status.held()).exists())
        api.answer = lambda api, number, digest: Reply()
        http_scene.harmed()
        Brake.objects.engaged().update(released_at=timezone.now())  # a person has acted
        Digest.objects.filter(status="planned").update(not_before=timezone.now())  # a minute has passed
        verdict = http_scene.ends("K7 401, until a person acts", 1, 180)
    assert verdict.once == readers
