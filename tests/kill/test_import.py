"""After a kill an import goes on where it was, and doubles nobody."""

import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from subscribers.imports import importing
from subscribers.models import Consent, Import, Subscriber
from tests.kill.harness import ROOT, Machine, kill, until

pytestmark = pytest.mark.kill

READERS = 20_000
LONG_AGO = datetime(2026, 3, 20, tzinfo=UTC)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "readers.csv"
    with path.open("w") as lines:
        lines.write("email,consent_at,consent_source\n")
        lines.writelines(f"reader{number}@example.org,2025-03-20,form\n" for number in range(READERS))
    return path


def has_begun() -> bool:
    return Subscriber.objects.count() >= importing.CHUNK


def assert_complete() -> None:
    assert Import.objects.get().counts == {"imported": READERS}
    assert Subscriber.objects.mailable().count() == READERS
    assert Consent.objects.count() == READERS


def test_a_killed_command_is_started_again(machine: Machine, file: Path) -> None:
    with machine.running("manage", "import_subscribers", str(file)) as process:
        until(has_begun, 120)
        kill(process)
    assert Subscriber.objects.count() < READERS
    command = [sys.executable, "-m", "manage", "import_subscribers", str(file)]
    said = subprocess.run(command, cwd=ROOT, env=machine.environment, check=True, capture_output=True, text=True)
    assert "going on there" in said.stdout
    assert_complete()


def test_a_killed_worker_is_followed_by_another(machine: Machine, file: Path, tmp_path: Path) -> None:
    job = importing.store([file.read_bytes()], file.name, "olga", LONG_AGO)
    for _ in importing.work(job, lambda: LONG_AGO):
        pass
    importing.confirm(job, "olga", LONG_AGO)
    with machine.beat():
        with machine.worker() as worker:
            until(has_begun, 120)
            kill(worker)
        assert Subscriber.objects.count() < READERS
        Import.objects.update(moved_at=LONG_AGO)  # a minute has passed
        with machine.worker():
            until(lambda: Import.objects.get().status == "done", 240)
    assert_complete()
