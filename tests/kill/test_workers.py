"""Workers that are killed, frozen, or many at once: nobody is forgotten and nobody is mailed twice."""

import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime

import pytest
from anymail.signals import AnymailTrackingEvent

from newsletter.delivery.feedback import events
from newsletter.models import Digest
from tests.kill.harness import (
    LEASE,
    PROCESSES,
    SLICE,
    Process,
    Scene,
    chance,
    kill,
    one_database_is_enough,
    size,
    until,
)
from tests.kill.providers import Keyed, Relay
from tests.servers import children

pytestmark = pytest.mark.kill

OPEN = [*Digest.Status.unsettled(), Digest.Status.IN_DOUBT]
WHOLE = 0.25  # of the kills: a worker with all of its processes, as a machine dies


def kill_one(workers: list[Process], dice: random.Random) -> int:
    """Kill one process of a worker, or a whole worker; returns how many processes that were at most."""
    worker = dice.choice(workers)
    pool = children(worker.pid)
    if dice.random() < WHOLE or not pool:
        kill(worker)
        return PROCESSES
    with suppress(ProcessLookupError):
        os.kill(dice.choice(pool), signal.SIGKILL)
    return 1


def test_k1_random_kills_of_workers(scene: Scene, relay: Relay) -> None:
    dice, kills, killed = chance("K1"), size(8, 200), 0
    relay.delay = 0.01
    scene.readers(size(150, 3000))
    with scene.machine.beat(), scene.machine.kept(2) as workers:
        for _ in range(kills):
            scene.until_taken(dice.randint(1, 10))
            threading.Event().wait(dice.uniform(0, 0.05))  # a moment of no message's own
            killed += kill_one(workers, dice)
        scene.harmed()
        verdict = scene.ends("K1 random SIGKILLs", kills, 300)
    assert verdict.in_doubt <= killed * SLICE


@contextmanager
def kills_after_acceptance(scene: Scene, kills: int, dice: random.Random) -> Iterator[None]:
    """Kill so many workers, each while the provider, which has the message, keeps back its answer; then start one that
    goes on."""
    scene.readers(kills * 20)
    with scene.machine.beat():
        for _ in range(kills):
            scene.log.hold(dice.randint(1, 10))
            with scene.machine.worker() as worker:
                until(scene.log.holding.is_set)
                kill(worker)
            scene.log.go.set()
        scene.harmed()
        with scene.machine.worker():
            yield


def test_k2_a_kill_right_after_the_provider_accepted(scene: Scene) -> None:
    kills = size(2, 20)
    with kills_after_acceptance(scene, kills, chance("K2")):
        verdict = scene.ends("K2 killed after acceptance, SMTP", kills)
    assert 0 < verdict.in_doubt <= kills * PROCESSES * SLICE


def test_k2_what_the_provider_tells_later_ends_the_doubt(http_scene: Scene) -> None:
    one_database_is_enough(vendor="postgresql")
    kills, taken = size(1, 10), http_scene.log.taken
    with kills_after_acceptance(http_scene, kills, chance("K2 events")):
        until(lambda: not Digest.objects.filter(status__in=Digest.Status.unsettled()).exists())
        for digest in taken:
            events.store(delivered(str(digest)), "Postmark")
        until(lambda: Digest.objects.filter(status="delivered").count() == len(taken))
        verdict = http_scene.ends("K2 killed after acceptance, then the provider's events", kills)
    assert verdict.once == len(taken)
    assert verdict.planned - verdict.once == verdict.in_doubt  # what never reached the provider, and nobody can know


def test_k2_a_provider_that_knows_keys_is_asked_again(keyed_scene: Scene, keyed: Keyed) -> None:
    name, kills = type(keyed).__name__, size(2, 20)
    with kills_after_acceptance(keyed_scene, kills, chance(f"K2 {name}")):
        until(lambda: not Digest.objects.filter(status__in=OPEN).exists())
        verdict = keyed_scene.ends(f"K2 killed after acceptance, {name} with keys", kills)
    assert verdict.once == keyed_scene.planned


def test_k2_a_kill_after_a_call_of_many_messages(batch_scene: Scene) -> None:
    one_database_is_enough(vendor="postgresql")
    kills = size(2, 20)
    with kills_after_acceptance(batch_scene, kills, chance("K2 batches")):
        verdict = batch_scene.ends("K2 killed after acceptance, Resend, many a call", kills)
    assert 0 < verdict.in_doubt <= kills * PROCESSES * SLICE


def delivered(digest: str) -> AnymailTrackingEvent:
    now = datetime.now(UTC)
    return AnymailTrackingEvent(event_type="delivered", timestamp=now, event_id=digest, metadata={"digest": digest})


def test_k9_eight_workers_on_one_edition(scene: Scene) -> None:
    workers = size(2, 8)
    scene.readers(size(300, 3000))
    with scene.machine.beat(), scene.machine.kept(workers, "-c", str(8 // workers)):
        scene.harmed()
        verdict = scene.ends("K9 eight workers on one edition", 0, 180)
    assert verdict.once == scene.planned


def test_k11_a_worker_that_freezes_past_its_lease_and_goes_on(scene: Scene, relay: Relay) -> None:
    dice, freezes = chance("K11"), size(1, 10)
    relay.delay = 0.2  # the others send on meanwhile: enough must be left for the next freeze
    scene.readers(size(100, 4000))
    with scene.machine.beat():
        for _ in range(freezes):
            with scene.machine.worker() as frozen:
                scene.until_taken(dice.randint(1, 20))
                os.killpg(frozen.pid, signal.SIGSTOP)
                with scene.machine.worker():
                    until_swept()
                    os.killpg(frozen.pid, signal.SIGCONT)
                    frozen.terminate()  # warmly: it does all the harm that it has in hand
                    frozen.wait(60)
        relay.delay = 0
        scene.harmed()
        with scene.machine.worker():
            verdict = scene.ends("K11 frozen past the lease, then thawed", freezes)
    assert verdict.in_doubt <= freezes * PROCESSES * SLICE


def until_swept() -> None:
    """Wait until everything that is held now was taken from its worker. One that was frozen while it wrote to SQLite
    keeps everybody from doing so: then for three leases."""
    held = set(Digest.objects.filter(status__in=Digest.Status.held()).values_list("pk", "fencing_token"))
    ids, deadline = [pk for pk, _ in held], time.monotonic() + 3 * LEASE

    def is_swept() -> bool:
        still = Digest.objects.filter(pk__in=ids, status__in=Digest.Status.held()).values_list("pk", "fencing_token")
        return not held & set(still)

    until(lambda: is_swept() or time.monotonic() > deadline)
