"""Files of readers, and the way in."""

from collections.abc import Callable

import pytest

from subscribers.imports import importing, report
from subscribers.models import Import
from tests.conftest import NOW

HEAD = "email,consent_at,consent_source"
PROOF = "2025-03-20,https://old.example/subscribe"
Bring = Callable[..., Import]


def clock() -> object:
    return NOW


def stored(content: str | bytes, name: str = "readers.csv") -> Import:
    data = content.encode() if isinstance(content, str) else content
    return importing.store([data], name, "olga", NOW)


def finish(job: Import) -> Import:
    """Do what is to be done next."""
    for _ in importing.work(job, lambda: NOW):
        pass
    return job


def bring(content: str | bytes) -> Import:
    """Check a file, confirm it, and run it."""
    job = finish(stored(content))
    if importing.confirm(job, "olga", NOW):
        finish(job)
    return job


def rows(*emails: str) -> str:
    """A file of people who agreed."""
    return "\n".join([HEAD, *(f"{email},{PROOF}" for email in emails)])


def reasons(job: Import) -> dict[str, str]:
    """The report's reasons, by line number."""
    found = (line.split(",", 3) for line in "".join(report.report_of(job)).splitlines()[1:])
    return {line: reason.strip('"') for line, _, _, reason in found}


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that a few rows make several."""
    monkeypatch.setattr(importing, "CHUNK", 3)
