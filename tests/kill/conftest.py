"""Real workers, a real beat, a real Redis, and a relay that holds still at a chosen message."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiosmtpd.smtp import SMTP, Envelope, Session
from django.db import connection

from tests.servers import redis_server
from tests.stubs import Relay, smtp_relay

ROOT = Path(__file__).resolve().parents[2]
Process = subprocess.Popen[bytes]


@dataclass
class HoldingRelay(Relay):
    """Takes its `hold_at`th message, says that it has, and answers only when it is let go."""

    hold_at: int = 0
    holding: threading.Event = field(default_factory=threading.Event)
    go: threading.Event = field(default_factory=threading.Event)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.accepted) == self.hold_at:
            self.holding.set()
            await asyncio.to_thread(self.go.wait, 60)
        return answer


@pytest.fixture
def relay() -> Iterator[HoldingRelay]:
    with smtp_relay(HoldingRelay()) as relay:
        yield relay
        relay.go.set()


@pytest.fixture
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@dataclass
class Machine:
    """Starts the service's own processes on the test's database."""

    environment: dict[str, str]

    @contextmanager
    def running(self, *command: str) -> Iterator[Process]:
        """A process group that is gone afterwards, whatever happened."""
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, env=self.environment, start_new_session=True
        )
        try:
            yield process
        finally:
            kill(process)

    def worker(self) -> AbstractContextManager[Process]:
        return self.running("celery", "-A", "newsletter", "worker", "-c", "2", "--without-mingle", "-l", "WARNING")

    def beat(self, schedule: Path) -> AbstractContextManager[Process]:
        return self.running("celery", "-A", "newsletter", "beat", "-s", str(schedule), "--pidfile=", "-l", "WARNING")


def kill(process: Process) -> None:
    """SIGKILL to the whole group: nothing gets to say goodbye."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def until(condition: Callable[[], bool], seconds: float = 60) -> None:
    """Wait for what another process does. Raises AssertionError when it has not come about in time."""
    pause, left = threading.Event(), seconds
    while not condition():
        left -= 0.1
        assert left > 0, f"not within {seconds} s"
        pause.wait(0.1)


@pytest.fixture
def machine(transactional_db: None, relay: HoldingRelay, redis_url: str) -> Machine:
    return Machine(
        os.environ
        | {
            "DATABASE_URL": database_url(),
            "REDIS_URL": redis_url,
            "EMAIL_HOST": "127.0.0.1",
            "EMAIL_PORT": str(relay.port),
            "TICK_SECONDS": "1",
            "LEASE_SECONDS": "4",
            "SUBMIT_SLICE": "5",
            "CLAIM_SIZE": "20",
        }
    )


def database_url() -> str:
    """The test's own database, as another process names it."""
    made = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{made['NAME']}"
    return f"postgres://{made['USER']}:{made['PASSWORD']}@{made['HOST']}:{made['PORT']}/{made['NAME']}"
