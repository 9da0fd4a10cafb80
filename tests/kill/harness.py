"""The service's own processes, and a scene for them: readers who are due, a provider that writes down what it took."""

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from django.db import OperationalError, connection
from django.utils import timezone

from newsletter.models import Digest
from papers.models import Topic
from subscribers.models import Subscriber
from tests.kill.judge import Verdict, judge
from tests.kill.providers import Log
from tests.newsletter.conftest import make_paper
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
LONG = os.environ.get("KILL_SIZE", "short") == "long"
SEED = os.environ.get("KILL_SEED", "6")
# Digests that each worker process has under way, and so leaves in doubt at most when it is killed.
SLICE = 5
LEASE = 4  # seconds
PROCESSES = 2  # of a worker
Process = subprocess.Popen[bytes]


def size(short: int, long: int) -> int:
    """How much of something: KILL_SIZE says which."""
    return long if LONG else short


def chance(scenario: str) -> random.Random:
    """The same random moments each time; KILL_SEED gives others."""
    return random.Random(f"{SEED} {scenario}")


def one_database_is_enough(*, vendor: str = "sqlite") -> None:
    """Skip a scenario whose outcome does not turn on the database, but in the long form."""
    if not LONG and connection.vendor != vendor:
        pytest.skip(f"in the short form it runs on {vendor} only")


@dataclass
class Machine:
    """Starts the service's own processes on the test's database."""

    environment: dict[str, str]
    folder: Path

    @contextmanager
    def running(self, *command: str, log: Path | None = None, **environment: str) -> Iterator[Process]:
        """A process group that is gone afterwards, whatever happened. What it says is added to `log`."""
        with open(log or os.devnull, "ab") as said:
            process = subprocess.Popen(
                [sys.executable, "-m", *command],
                cwd=ROOT,
                env=self.environment | environment,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )
        try:
            yield process
        finally:
            kill(process)

    def worker(self, *options: str, clock: timedelta | None = None) -> AbstractContextManager[Process]:
        worker = ["worker", "-c", str(PROCESSES), "--without-mingle", "--without-gossip", "-l", "WARNING", *options]
        return self.running(*celery(clock), *worker, log=self.folder / "workers.log")

    def beat(self, clock: timedelta | None = None) -> AbstractContextManager[Process]:
        """A scheduler; each has a schedule file of its own, as on machines of their own."""
        schedule = str(self.folder / f"schedule-{free_port()}")
        beat = ["beat", "-s", schedule, "--pidfile=", "-l", "WARNING"]
        return self.running(*celery(clock), *beat, log=self.folder / "workers.log")

    def service(self, *options: str, clock: timedelta | None = None) -> AbstractContextManager[Process]:
        """A worker with the scheduler in it: the quickest to start."""
        return self.worker("-B", "-s", str(self.folder / f"schedule-{free_port()}"), *options, clock=clock)

    @contextmanager
    def kept(self, count: int = 1, *options: str) -> Iterator[list[Process]]:
        """Workers, each followed by another where it ends, as the supervisor of any deployment does it."""
        with ExitStack() as stack:
            workers = [stack.enter_context(self.worker(*options)) for _ in range(count)]
            over = threading.Event()

            def watch() -> None:
                while not over.wait(0.1):
                    for place, worker in enumerate(workers):
                        if worker.poll() is not None:
                            workers[place] = stack.enter_context(self.worker(*options))

            watcher = threading.Thread(target=watch)
            watcher.start()
            try:
                yield workers
            finally:
                over.set()
                watcher.join()

    @contextmanager
    def web(self) -> Iterator[str]:
        """The web server; its address."""
        port = free_port()
        server = ["granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port), "--blocking-threads"]
        plain = {"SITE_URL": "http://papers.example"}  # no proxy that speaks TLS stands before it
        with self.running(*server, "4", "newsletter.wsgi:application", log=self.folder / "web.log", **plain):
            until(lambda: is_up(f"http://127.0.0.1:{port}/healthz"))
            yield f"http://127.0.0.1:{port}"

    def manage(self, *words: str, **environment: str) -> str:
        """What a command says. Raises CalledProcessError where it fails."""
        command = [sys.executable, "-m", "manage", *words]
        given = {"cwd": ROOT, "env": self.environment | environment, "timeout": 120}
        return subprocess.run(command, check=True, capture_output=True, text=True, **given).stdout  # type: ignore[call-overload,no-any-return]

    def times_said(self, words: str) -> int:
        """How often workers and schedulers have said this."""
        log = self.folder / "workers.log"
        return log.read_text(errors="replace").count(words) if log.exists() else 0


def celery(clock: timedelta | None) -> Sequence[str]:
    """Celery, by the machine's clock or by one that is wrong by so much."""
    program = ["celery"] if clock is None else ["tests.kill.shifted", str(int(clock.total_seconds()))]
    return [*program, "-A", "newsletter"]


def kill(process: Process) -> None:
    """SIGKILL to the whole group: nothing gets to say goodbye."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what another process does. Raises AssertionError when it has not come about in time."""
    pause, deadline = threading.Event(), time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"not within {seconds} s"
        pause.wait(0.05)


def is_up(url: str) -> bool:
    try:
        with urlopen(Request(url, headers={"Host": "papers.example"}), timeout=5) as answer:
            return bool(answer.status == 200)
    except URLError:
        return False


def database_url() -> str:
    """The test's own database, as another process names it."""
    made = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{made['NAME']}"
    return f"postgres://{made['USER']}:{made['PASSWORD']}@{made['HOST']}:{made['PORT']}/{made['NAME']}"


def environment(redis_url: str) -> dict[str, str]:
    """What the service's processes are told: everything goes quickly, so that a scenario takes seconds."""
    return os.environ | {
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis_url,
        "TICK_SECONDS": "1",
        "LEASE_SECONDS": str(LEASE),
        "DELIVER_SECONDS": "2",
        "SUBMIT_SLICE": str(SLICE),
        "SUBMIT_CONNECTIONS": str(SLICE),
        "CLAIM_SIZE": "20",
        "EMAIL_TIMEOUT": "3",
    }


@dataclass
class Scene:
    """A machine, a provider's log, and the readers; `ends` asks the judge."""

    machine: Machine
    log: Log
    planned: int = 0
    harmed_at: float = field(default_factory=time.monotonic)

    def readers(self, count: int, **fields: object) -> list[Subscriber]:
        """People who are due now, and papers for them: of a day before that of anybody's edition, whatever the hour."""
        now = timezone.now()
        topic = Topic.objects.create(slug="graphs", name="Graphs", description="On graphs.", field="ML")
        for number in range(1, 7):
            make_paper(number, topic, listed_on=(now - timedelta(days=2)).date())
        values = {"status": Subscriber.Status.ACTIVE, "next_digest_at": now - timedelta(seconds=1)} | fields
        readers = Subscriber.objects.bulk_create(
            Subscriber(email=f"reader{number}@example.org", **values) for number in range(count)
        )
        follows = Subscriber.topics.through
        follows.objects.bulk_create(follows(subscriber=reader, topic=topic) for reader in readers)
        self.planned += count
        return readers

    def until_taken(self, more: int) -> None:
        """Wait until the provider has so many more."""
        goal = len(self.log.taken) + more
        until(lambda: len(self.log.taken) >= goal)

    def harmed(self) -> None:
        """From here on recovery counts."""
        self.harmed_at = time.monotonic()

    def ends(self, scenario: str, moments: int = 1, seconds: float = 90) -> Verdict:
        """Wait until every planned digest is settled, and judge."""
        until(lambda: is_settled(self.planned), seconds)
        recovery = time.monotonic() - self.harmed_at
        return judge(f"{scenario} · {connection.vendor}", self.log.taken, self.planned, moments, recovery)


def is_settled(planned: int) -> bool:
    try:
        digests = Digest.objects.all()
        return digests.count() >= planned and not digests.filter(status__in=Digest.Status.unsettled()).exists()
    except OperationalError:  # the database is what is being harmed
        connection.close()
        return False
