"""The kill suite itself, broken off while a worker is frozen: it takes along all that it started."""

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from tests.kill.harness import ROOT, one_database_is_enough, until
from tests.servers import children

pytestmark = pytest.mark.kill

ORPHAN = """
import subprocess
from tests.servers import nothing_left
with nothing_left():
    subprocess.run(["sh", "-c", "sleep 600 & kill -STOP $!; echo $!"])
"""


def family(pid: int) -> set[int]:
    """A process and all that it and its children have started."""
    return {pid}.union(*map(family, children(pid)))


def is_frozen(pid: int) -> bool:
    with suppress(OSError):  # it has ended
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].startswith("T")
    return False


def alive(pids: set[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


@pytest.mark.parametrize(("number", "tell"), [(signal.SIGTERM, os.kill), (signal.SIGINT, os.killpg)])
def test_what_is_broken_off_leaves_no_process(number: signal.Signals, tell: Callable[[int, int], None]) -> None:
    """`kill` tells one process of it, Ctrl-C all of the terminal's."""
    one_database_is_enough()
    command = [sys.executable, "-m", "tests.run", "--kill", "-k", "test_k11"]
    given = {name: value for name, value in os.environ.items() if not name.startswith("TEST_")}
    with subprocess.Popen(command, cwd=ROOT, env=given, stdout=subprocess.DEVNULL, start_new_session=True) as run:
        try:
            until(lambda: any(map(is_frozen, family(run.pid))), 240)
            started = family(run.pid)
        finally:
            tell(run.pid, number)
        run.wait(30)
    assert len(started) > 5
    assert not alive(started)
    assert run.returncode == 130


def test_what_is_frozen_and_lost_its_parent_ends_with_the_block() -> None:
    orphan = subprocess.run([sys.executable, "-c", ORPHAN], cwd=ROOT, check=True, stdout=subprocess.PIPE, timeout=60)
    assert not alive({int(orphan.stdout)})
