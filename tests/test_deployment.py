"""What the images run, run here: the same commands, settings and kinds of server, without the containers."""

import contextlib
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError

import psycopg
import pytest
import yaml

from tests.servers import free_port, postgres_programs, postgres_server, redis_server

ROOT = Path(__file__).resolve().parents[1]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
PATIENCE = 60  # seconds


def example_environment() -> dict[str, str]:
    """.env.example, with something in what must be filled in."""
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    pairs = [line.split("=", 1) for line in lines if line and not line.startswith("#")]
    return {name: value or f"filled-in-{name}-0123456789-abcdefghijklmnopqrstuvwxyz-987" for name, value in pairs}


@dataclass
class Deployment:
    """Starts the commands of docker-compose.yml on servers of the test's own."""

    environment: dict[str, str]
    port: int
    folder: Path

    def command(self, service: str) -> list[str]:
        words = COMPOSE["services"][service].get("command") or image_command()
        here = {
            "python": sys.executable,
            "0.0.0.0": "127.0.0.1",
            "8000": str(self.port),
            "/tmp/beat-schedule": str(self.folder / "beat-schedule"),
        }
        return [here.get(word, word) for word in words]

    def manage(self, *words: str) -> None:
        subprocess.run([sys.executable, "manage.py", *words], cwd=ROOT, env=self.environment, check=True)

    @contextlib.contextmanager
    def running(self, service: str) -> Iterator[Path]:
        """Run a service; its log. A warm stop must end it in order."""
        log = self.folder / f"{service}.log"
        with log.open("wb") as output:
            process = subprocess.Popen(
                self.command(service),
                cwd=ROOT,
                env=self.environment,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )
        try:
            yield log
            process.terminate()
            assert process.wait(PATIENCE) == 0, log.read_text(encoding="utf-8")
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def page(self, path: str) -> str:
        """As a reverse proxy asks, which speaks TLS with the reader."""
        headers = {"Host": "papers.example", "X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.7"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", headers=headers)
        with urllib.request.urlopen(request, timeout=10) as answer:
            return str(answer.read().decode())

    def post_in_chunks(self, path: str, *chunks: bytes) -> str:
        """What a post without a Content-Length is told."""
        headers = {"Host": "papers.example", "X-Forwarded-Proto": "https"}
        headers["Content-Type"] = "application/x-www-form-urlencoded"
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", iter(chunks), headers)
        try:
            return str(urllib.request.urlopen(request, timeout=10).read().decode())
        except HTTPError as refusal:
            return str(refusal.read().decode())

    def ticks(self) -> int:
        """How many the worker has counted in the database."""
        with psycopg.connect(self.environment["DATABASE_URL"]) as database:
            found = database.execute("SELECT beat FROM newsletter_installation").fetchone()
        return found[0] if found else 0

    def is_ready(self) -> bool:
        try:
            return self.page("/readyz") == "ready\n"
        except URLError:
            return False


def image_command() -> list[str]:
    """The CMD of the Dockerfile."""
    found = re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found
    return list(yaml.safe_load(found[1]))


def until(true: Callable[[], bool], what: str, *logs: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline, "\n".join([f"never: {what}", *(log.read_text() for log in logs)])
        time.sleep(0.2)


@pytest.fixture
def deployment(tmp_path: Path) -> Iterator[Deployment]:
    if not postgres_programs():
        pytest.skip("PostgreSQL's server is not installed")
    with redis_server() as redis_url, postgres_server() as database_url:
        servers = {"DATABASE_URL": database_url, "REDIS_URL": redis_url, "TICK_SECONDS": "1"}
        places = {"PATH": os.environ["PATH"], "STATIC_ROOT": str(tmp_path / "static"), "PYTHONUNBUFFERED": "1"}
        yield Deployment(example_environment() | servers | places, free_port(), tmp_path)


@pytest.mark.kill
def test_web_worker_and_beat_work_together_and_stop_in_order(deployment: Deployment) -> None:
    deployment.manage(*COMPOSE["services"]["migrate"]["command"][2:])
    deployment.manage("collectstatic", "--no-input", "--verbosity", "0")
    with (
        deployment.running("worker") as worker,
        deployment.running("beat") as beat,
        deployment.running("web") as web,
    ):
        until(deployment.is_ready, "the site is ready", web)
        until(lambda: deployment.ticks() > 1, "the worker ticks", worker, beat)
        style = re.search(r'href="(/static/site\.\w+\.css)"', deployment.page("/"))
        assert style
        assert deployment.page(style[1])
        told = deployment.post_in_chunks("/one-click/nobodys", b"List-Unsubscribe=", b"One-Click")
        assert "RFC 8058" not in told  # the body was read; it is the link that is none
        assert "nobodys" not in web.read_text()


def test_a_web_worker_that_hangs_is_ended_before_docker_ends_the_container() -> None:
    command = image_command()
    seconds = int(command[command.index("--workers-kill-timeout") + 1])
    assert seconds < int(COMPOSE["services"]["web"]["stop_grace_period"].removesuffix("s"))


def test_every_service_has_a_health_check() -> None:
    once = {"migrate"}
    assert [name for name, service in COMPOSE["services"].items() if "healthcheck" not in service] == [*once]


OF_THE_DEMO_AND_TESTS = {"DEMO", "DEBUG", "PORT", "SMTP_PORT", "INBOX_DIR", "FETCH_LOOPBACK"}


def test_the_example_names_every_setting_with_its_default() -> None:
    settings = (ROOT / "newsletter" / "settings.py").read_text(encoding="utf-8")
    readers = r"(?:env\.\w+|positive|not_negative|said|some)"
    read = dict(re.findall(rf'\b{readers}\(\s*"([A-Z_]+)"(?:, (?:\d+ if DEMO else )?([\d._]+)\b)?', settings))
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    named = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", example, re.MULTILINE))
    assert len(read) > 70
    assert set(read) - OF_THE_DEMO_AND_TESTS <= set(named)
    others = {*OF_THE_DEMO_AND_TESTS, "PROXY_HOPS", "EMAIL_PORT"}  # examples
    numbers = {name: default for name, default in read.items() if default and name not in others}
    assert {name: float(named[name]) for name in numbers} == {name: float(numbers[name]) for name in numbers}


def test_no_secret_has_a_default() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    for name in ("SECRET_KEY", "SUPPRESSION_KEY", "POSTGRES_PASSWORD"):
        assert re.findall(rf"\${{{name}(.)", text), name
        assert set(re.findall(rf"\${{{name}(..)", text)) == {":?"}
        assert f"\n{name}=\n" in (ROOT / ".env.example").read_text(encoding="utf-8")
