"""Schedulers by threes, or asleep for nine hours, and clocks that are wrong by two."""

from collections.abc import Sequence
from datetime import timedelta
from itertools import cycle

import pytest
from django.utils import timezone

from newsletter.models import Digest
from subscribers.models import Subscriber
from tests.kill.harness import Process, Scene, chance, one_database_is_enough, size, until
from tests.kill.providers import Relay

pytestmark = pytest.mark.kill

TWO_HOURS = timedelta(hours=2)


def spread(readers: Sequence[Subscriber], hours: Sequence[int]) -> None:
    """Let their hours be so many hours before this one, in turn."""
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    for reader, ago in zip(readers, cycle(hours), strict=False):
        reader.next_digest_at = hour - timedelta(hours=ago)
        reader.local_hour = reader.next_digest_at.hour
    Subscriber.objects.bulk_update(readers, ["next_digest_at", "local_hour"])


def test_k5_three_schedulers_at_once(scene: Scene) -> None:
    one_database_is_enough()
    scene.readers(size(200, 2000))
    with scene.machine.beat(), scene.machine.beat(), scene.machine.beat(), scene.machine.worker():
        scene.harmed()
        verdict = scene.ends("K5 three beats at once", 0, 180)
    assert verdict.once == scene.planned


def test_k5_nothing_ran_for_nine_hours(scene: Scene) -> None:
    one_database_is_enough(vendor="postgresql")
    spread(scene.readers(size(120, 2000)), range(11))
    before = Subscriber.objects.filter(next_digest_at__lte=timezone.now() - timedelta(hours=9)).count()
    with scene.machine.service(clock=timedelta(hours=-9)):
        until(lambda: Digest.objects.filter(status="accepted").count() >= before, 180)
    assert 0 < len(scene.log.taken) == before < scene.planned
    with scene.machine.service():
        scene.harmed()
        verdict = scene.ends("K5 nothing ran for nine hours", 1, 180)
    assert verdict.once == scene.planned


def test_k5_clocks_that_are_two_hours_wrong(scene: Scene, relay: Relay) -> None:
    """Beside a right one, and all at once; a step of a clock is a service that stops and one that begins by another."""
    one_database_is_enough(vendor="postgresql")
    dice, steps = chance("K5 clocks"), size(1, 6)
    relay.delay = 0.02
    readers = scene.readers(steps * 150, next_digest_at=timezone.now() + timedelta(days=30))
    with scene.machine.service() as right:
        for step in range(steps):
            # Those of the next hour too, for whom the fast clock is early.
            spread(readers[step * 150 : (step + 1) * 150], [-1, 0, 1, 2])
            with scene.machine.service(clock=TWO_HOURS) as fast, scene.machine.service(clock=-TWO_HOURS) as slow:
                scene.until_taken(dice.randint(1, 60))
                scene.harmed()
                stop(slow)
                if step == steps - 1:
                    stop(right)  # three workers in step may get each other's wake-ups for long, and these are too old
                    scene.ends("K5 clocks two hours fast and slow", 2 * steps, 180)
                stop(fast)


def stop(process: Process) -> None:
    """In order. What a fast worker has leased when it is killed stays leased until its clock says so.

    A pool process that ends waits up to half a minute for its last message to be heard (billiard/pool.py).
    """
    process.terminate()
    process.wait(200)
