"""Databases that stop as they do in a crash, hang up after a commit, or have no room left."""

import signal
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
from django.db import connection

from tests.kill.databases import cutter, fill, instead, postgres_parts, small_disk, sqlite_copy
from tests.kill.harness import Machine, Scene, chance, database_url, size, until
from tests.kill.providers import Relay
from tests.servers import Cluster, cluster_in

pytestmark = pytest.mark.kill

SAFE = ["max_connections=100"]  # all else as it comes: a commit is on the disk before it is told
SMALL = [*SAFE, "shared_buffers=8MB", "max_wal_size=4MB", "min_wal_size=2MB"]


@pytest.fixture
def scene(machine: Machine, relay: Relay) -> Scene:
    """Mail goes out slowly enough for harm to come in between."""
    relay.delay = 0.05
    return Scene(machine, relay.log)


def on(scene: Scene, **environment: str) -> Scene:
    """The same with processes that use the database that is in place now."""
    machine = replace(scene.machine, environment=scene.machine.environment | {"DATABASE_URL": database_url()})
    return replace(scene, machine=replace(machine, environment=machine.environment | environment))


@pytest.fixture
def cluster(scene: Scene) -> Iterator[Cluster]:
    """The files of a PostgreSQL that keeps its word."""
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL")
    with tempfile.TemporaryDirectory(prefix="tp-own-") as folder:
        yield cluster_in(folder)


def begin(scene: Scene, readers: int, stack: ExitStack) -> None:
    """Fill a new database, and let the service run on it until the stack is left."""
    scene.machine.manage("migrate", "-v", "0")
    scene.readers(readers)
    connection.close()
    stack.enter_context(scene.machine.beat())
    stack.enter_context(scene.machine.kept())


def test_k4_postgresql_stops_without_tidying_up(scene: Scene, cluster: Cluster) -> None:
    dice, stops = chance("K4 stop"), size(2, 20)
    with instead(**postgres_parts(cluster.url)), ExitStack() as stack:
        own = on(scene)
        for stop in range(stops):
            with cluster.running(*SAFE, stop=signal.SIGQUIT):
                if not stop:
                    begin(own, stops * 100, stack)
                own.until_taken(dice.randint(1, 30))
        own.harmed()
        with cluster.running(*SAFE), stack:
            own.ends("K4 PostgreSQL stop -m immediate", stops, 240)


def test_k4_the_connection_is_cut_right_after_a_commit(scene: Scene) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL")
    cuts = size(4, 50)
    numbers = set(chance("K4 cut").sample(range(1, cuts * 3), cuts))
    readers = cuts * 40
    with cutter(int(connection.settings_dict["PORT"]), numbers) as between:
        url = database_url().replace(f":{connection.settings_dict['PORT']}/", f":{between.port}/")
        cut = on(scene, DATABASE_URL=url)
        cut.readers(readers)
        with cut.machine.service():
            until(lambda: between.cuts == cuts, 240)
            cut.harmed()
            verdict = cut.ends("K4 connection cut right after COMMIT", cuts, 120)
    assert verdict.in_doubt > 0  # submitting was committed, and nobody was told


def test_k10_the_disk_of_sqlite_is_full(scene: Scene) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("it is about SQLite")
    dice, times = chance("K10 SQLite"), size(1, 10)
    with small_disk(32) as disk:
        sqlite_copy(disk / "papers.sqlite3")
        with instead(NAME=str(disk / "papers.sqlite3")):
            own = on(scene)
            own.readers(times * 200)
            with own.machine.beat(), own.machine.kept():
                for _ in range(times):
                    own.until_taken(dice.randint(1, 30))
                    until_it_is_met(own, "disk is full", fill(disk))
                own.harmed()
                own.ends("K10 disk full, SQLite", times, 240)


def test_k10_the_disk_of_postgresql_is_full(scene: Scene) -> None:
    if connection.vendor != "postgresql":
        pytest.skip("it is about PostgreSQL")
    dice, times = chance("K10 PostgreSQL"), size(1, 10)
    with small_disk(120) as disk, ExitStack() as stack:
        cluster = cluster_in(str(disk), "--wal-segsize", "1")
        with instead(**postgres_parts(cluster.url)):
            own = on(scene)
            for time in range(times):  # where it was the log that found no room, the server has ended itself
                with cluster.running(*SMALL):
                    if not time:
                        begin(own, times * 200, stack)
                    own.until_taken(dice.randint(1, 30))
                    until_it_is_met(own, "OperationalError", fill(disk))
            own.harmed()
            with cluster.running(*SMALL), stack:
                own.ends("K10 disk full, PostgreSQL", times, 240)


def until_it_is_met(scene: Scene, words: str, ballast: Path) -> None:
    """Wait until the service has met the full disk; then there is room again."""
    before = scene.machine.times_said(words)
    until(lambda: scene.machine.times_said(words) > before)
    ballast.unlink()
