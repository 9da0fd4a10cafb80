"""A scene for each scenario: the service's own processes, a real Redis, a provider that writes down what it takes."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.kill.harness import LONG, SEED, Machine, Scene, environment
from tests.kill.judge import table, verdicts
from tests.kill.providers import Brevo, Keyed, Postmark, Relay, Resend, calling
from tests.servers import heed_one_signal, redis_server
from tests.stubs import smtp_server


@pytest.fixture
def redis_url() -> Iterator[str]:
    with redis_server() as url:
        yield url


@pytest.fixture
def relay() -> Iterator[Relay]:
    with smtp_server(Relay()) as relay:
        yield relay
        relay.log.go.set()


@pytest.fixture
def logs(tmp_path: Path) -> Iterator[Path]:
    """Where the processes write what they say; the end of it is shown where a test fails."""
    yield tmp_path
    for log in tmp_path.glob("*.log"):
        sys.stderr.write(f"--- {log.name}\n{log.read_text(errors='replace')[-8000:]}\n")


@pytest.fixture
def machine(transactional_db: None, redis_url: str, relay: Relay, logs: Path) -> Machine:
    """Sends by the relay."""
    by_smtp = {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(relay.port)}
    return Machine(environment(redis_url) | by_smtp, logs)


@pytest.fixture
def scene(machine: Machine, relay: Relay) -> Scene:
    return Scene(machine, relay.log)


@pytest.fixture
def api() -> Iterator[Postmark]:
    with calling(Postmark()) as api:
        yield api


def by_http(api: Postmark) -> dict[str, str]:
    """What the service's processes are told of a provider that is called by HTTP."""
    name = type(api).__name__
    return {
        "EMAIL_BACKEND": f"anymail.backends.{name.lower()}.EmailBackend",
        f"ANYMAIL_{name.upper()}_{'SERVER_TOKEN' if name == 'Postmark' else 'API_KEY'}": "token",
        f"ANYMAIL_{name.upper()}_API_URL": api.url,
        "ANYMAIL_WEBHOOK_SECRET": "papers:only-for-tests",
        "SEND_PER_SECOND": "0",
    }


@pytest.fixture
def http_scene(transactional_db: None, redis_url: str, api: Postmark, logs: Path) -> Scene:
    """The same with a provider that is called by HTTP."""
    return Scene(Machine(environment(redis_url) | by_http(api), logs), api.log)


@pytest.fixture(params=[Brevo, Resend])
def keyed(request: pytest.FixtureRequest) -> Iterator[Keyed]:
    """A provider that knows idempotency keys."""
    with calling(request.param()) as api:
        yield api


@pytest.fixture
def keyed_scene(transactional_db: None, redis_url: str, keyed: Keyed, logs: Path) -> Scene:
    """The same with that one, one message a call."""
    return Scene(Machine(environment(redis_url) | by_http(keyed) | {"SUBMIT_BATCH": "1"}, logs), keyed.log)


@pytest.fixture
def batches() -> Iterator[Resend]:
    with calling(Resend()) as api:
        yield api


@pytest.fixture
def batch_scene(transactional_db: None, redis_url: str, batches: Resend, logs: Path) -> Scene:
    """The same with many messages a call, as they go to Resend unless it is told otherwise."""
    return Scene(Machine(environment(redis_url) | by_http(batches), logs), batches.log)


def pytest_configure(config: pytest.Config) -> None:
    """Who is asked to end takes its processes along."""
    heed_one_signal()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if verdicts:
        terminalreporter.section(f"Kill suite, {'long' if LONG else 'short'} form, seed {SEED}")
        for line in table(verdicts):
            terminalreporter.write_line(line)
