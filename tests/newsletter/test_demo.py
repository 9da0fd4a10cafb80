"""The demo as a newcomer meets it: the real command, real processes, private ports."""

import contextlib
import os
import re
import signal
import smtplib
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from newsletter.demo import ports
from newsletter.demo.lock import AlreadyRunningError, held
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[2]
PATIENCE = 90  # seconds; this machine may be busy


@dataclass
class Demo:
    """One started demo and what it has said so far."""

    process: subprocess.Popen[bytes]
    folder: Path
    log: Path
    port: int
    smtp_port: int

    @property
    def said(self) -> str:
        return self.log.read_text(encoding="utf-8")

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def page(self, path: str) -> str:
        with urllib.request.urlopen(self.site + path, timeout=10) as answer:
            return str(answer.read().decode())

    def interrupt(self) -> int:
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)

    def offspring(self) -> dict[int, str]:
        """Every process that carries this demo's folder in its environment, with its command."""
        mark, found = f"VAR_DIR={self.folder}\0".encode(), {}
        for entry in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if mark in (entry / "environ").read_bytes():
                    found[int(entry.name)] = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode()
        return found


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, f"never: {what}"
        time.sleep(0.1)


def start(folder: Path, port: int, smtp_port: int, log: Path) -> Demo:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    mine = {"DEMO": "1", "VAR_DIR": str(folder), "PORT": str(port), "SMTP_PORT": str(smtp_port)}
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "demo"], cwd=ROOT, env=kept | mine, stdout=output, stderr=output
        )
    return Demo(process, folder, log, port, smtp_port)


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Demo]:
    demo = start(tmp_path / "var", free_port(), free_port(), tmp_path / "log")
    try:
        until(lambda: "is running." in demo.said or demo.process.poll() is not None, "ready")
        assert demo.process.poll() is None, demo.said
        yield demo
    finally:
        demo.process.kill()
        demo.process.wait()
        until(lambda: not demo.offspring(), "the children of a killed supervisor end")


@pytest.mark.kill
def test_the_demo_says_where_everything_is_and_leaves_nothing_behind(demo: Demo) -> None:
    assert f"Site    {demo.site}/" in demo.said
    assert re.search(r"user admin, password \S{12,}", demo.said)
    assert demo.page("/readyz") == "ready\n"
    assert demo.interrupt() == 0, demo.said
    assert demo.offspring() == {}
    ports.check({"PORT": demo.port, "SMTP_PORT": demo.smtp_port})


@pytest.mark.kill
def test_started_again_it_continues_with_the_same_password(demo: Demo, tmp_path: Path) -> None:
    password = re.findall(r"password (\S+)", demo.said)
    demo.interrupt()
    again = start(demo.folder, demo.port, demo.smtp_port, tmp_path / "again")
    try:
        until(lambda: "is running." in again.said, "ready again")
        assert re.findall(r"password (\S+)", again.said) == password
        assert (demo.folder / "admin_password").stat().st_mode & 0o777 == 0o600
        assert "readers at example.org" not in again.said
    finally:
        assert again.interrupt() == 0


@pytest.mark.kill
def test_mail_that_is_sent_lands_in_the_inbox(demo: Demo) -> None:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "a@example.org", "b@example.org", "Grüße"
    message.set_content("Hello")
    with smtplib.SMTP("127.0.0.1", demo.smtp_port) as server:
        server.send_message(message)
    assert "Grüße" in demo.page("/inbox/")


@pytest.mark.kill
def test_a_killed_worker_is_started_again(demo: Demo) -> None:
    def workers() -> set[int]:
        return {pid for pid, command in demo.offspring().items() if "celery" in command and " worker " in command}

    before = workers()
    os.kill(min(before), signal.SIGKILL)
    # Said first: a process that the worker forked in its last moment is no other worker.
    until(lambda: "worker was killed (SIGKILL); starting it again" in demo.said, "the death is reported")
    until(lambda: workers() - before, "another worker")
    assert demo.page("/readyz") == "ready\n"


@pytest.mark.kill
def test_a_second_demo_on_the_same_folder_says_that_it_is_running(demo: Demo, tmp_path: Path) -> None:
    second = start(demo.folder, free_port(), free_port(), tmp_path / "second")
    assert second.process.wait(PATIENCE) == 1
    assert f"already running: {demo.site} (process {demo.process.pid})" in second.said
    assert demo.page("/healthz") == "ok\n"


@pytest.mark.kill
def test_a_taken_port_is_told_before_anything_starts(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        demo = start(tmp_path / "var", port, free_port(), tmp_path / "log")
        assert demo.process.wait(PATIENCE) == 1
    assert f"Port {port} is taken by another program. Stop it, or choose another: make demo PORT=" in demo.said
    assert not (tmp_path / "var" / "papers.sqlite3").exists()


@pytest.mark.parametrize("port", [0, -1, 65536])
def test_a_number_that_is_no_port_is_refused(port: int) -> None:
    with pytest.raises(ports.PortUnavailableError, match=f"SMTP_PORT={port} is not a port"):
        ports.check({"PORT": free_port(), "SMTP_PORT": port})


def test_site_and_mail_need_ports_of_their_own() -> None:
    with pytest.raises(ports.PortUnavailableError, match="give each its own"):
        ports.check({"PORT": 8000, "SMTP_PORT": 8000})


def test_a_folder_is_held_once_and_free_afterwards(tmp_path: Path) -> None:
    refused = pytest.raises(AlreadyRunningError, match=r"here \(process \d+\)")
    with held(tmp_path, "here"), refused, held(tmp_path, "there"):
        pass
    with held(tmp_path, "there"):
        pass
