"""A Redis that forgets, goes, or is full: it carries wake-ups only, so mail is late by a tick and nothing is lost."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
import redis

from tests.kill.harness import Scene, chance, one_database_is_enough, size
from tests.kill.providers import Relay
from tests.servers import free_port, redis_server

pytestmark = pytest.mark.kill


class OwnRedis(ExitStack):
    """One that can be stopped, and started again at the same port with nothing in it."""

    def __init__(self) -> None:
        super().__init__()
        self.port = free_port()
        self.start()

    def start(self) -> None:
        self.url = self.enter_context(redis_server(self.port))

    @property
    def client(self) -> redis.Redis:
        return self.enter_context(redis.Redis.from_url(self.url))


@pytest.fixture
def own_redis() -> Iterator[OwnRedis]:
    with OwnRedis() as server:
        yield server


@pytest.fixture
def redis_url(own_redis: OwnRedis) -> str:
    return own_redis.url


@pytest.fixture
def busy(scene: Scene, relay: Relay) -> Scene:
    """Readers enough that mail still goes out while it happens."""
    one_database_is_enough()
    relay.delay = 0.05  # no run can send them all
    scene.readers(size(200, 1000))
    return scene


def test_k3_flushed(busy: Scene, own_redis: OwnRedis) -> None:
    dice, times = chance("K3 flush"), size(2, 20)
    with busy.machine.beat(), busy.machine.kept():
        for _ in range(times):
            busy.until_taken(dice.randint(1, 20))
            own_redis.client.flushall()
        busy.harmed()
        verdict = busy.ends("K3 FLUSHALL", times)
    assert verdict.once == busy.planned


def test_k3_restarted(busy: Scene, own_redis: OwnRedis) -> None:
    dice, times = chance("K3 restart"), size(1, 20)
    with busy.machine.beat(), busy.machine.kept():
        for _ in range(times):
            busy.until_taken(dice.randint(1, 20))
            own_redis.close()
            own_redis.start()
        busy.harmed()
        verdict = busy.ends("K3 restarted", times)
    assert verdict.once == busy.planned


def test_k3_gone_and_back(busy: Scene, own_redis: OwnRedis) -> None:
    seconds = size(4, 60)
    with busy.machine.beat(), busy.machine.kept():
        busy.until_taken(chance("K3 gone").randint(1, 20))
        own_redis.close()
        threading.Event().wait(seconds)
        own_redis.start()
        busy.harmed()
        verdict = busy.ends(f"K3 gone for {seconds} s", 1, 120)
    assert verdict.once == busy.planned


def test_k3_full(busy: Scene, own_redis: OwnRedis) -> None:
    seconds = size(4, 60)
    with busy.machine.beat(), busy.machine.kept():
        busy.until_taken(chance("K3 full").randint(1, 20))
        own_redis.client.config_set("maxmemory-policy", "noeviction")
        own_redis.client.config_set("maxmemory", 1)
        threading.Event().wait(seconds)
        assert busy.machine.times_said("not allowed when used memory")
        own_redis.client.config_set("maxmemory", 0)
        busy.harmed()
        verdict = busy.ends(f"K3 maxmemory reached for {seconds} s", 1, 120)
    assert verdict.once == busy.planned
