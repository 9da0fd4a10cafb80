"""Long commands say how far they are to whoever watches, all in the same way; and nothing in a pipe."""

import shlex
import sys
from contextlib import suppress
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from newsletter.models import Digest, Edition
from papers.models import Paper
from subscribers.models import Subscriber, SubscriptionRequest
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned
from tests.subscribers.imports.conftest import rows

pytestmark = pytest.mark.usefixtures("fixed_clock")

NAME = f"daily:{NOW.date()}"
# What is drawn, and the command that draws it; with the paths and numbers of this run.
COMMANDS = [
    ("100%", "import_subscribers {readers}"),
    (" rules", "ledger check"),
    (" digests", f"ledger retry-failed {NAME}"),
    (" digests", f"ledger resolve {NAME} --as accepted --yes-i-mean '1 accepted'"),
    (" requests", "signups release --all"),
    (" kinds of rows", "merge_papers {keep} {drop}"),
    (" papers", "load_topics {topics}"),
    (" papers", "import_papers {papers}"),
    (" readers", "reader pause alice@example.org --because asked"),
    ("reading", "train_topics"),
]


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def places(alice: Subscriber, edition: Edition, papers: list[Paper], tmp_path: Path) -> dict[str, object]:
    """Something for each command to do: a digest that failed, one in doubt, a request that is held, and files."""
    for status, reader in zip(("failed", "in_doubt"), add_readers(2), strict=True):
        Digest.objects.filter(pk=planned(edition, reader).pk).update(status=status, reason="x", submitted_at=NOW)
    SubscriptionRequest.objects.create(email="eve@example.org", status="held")
    files = {name: tmp_path / f"{name}.csv" for name in ("readers", "papers")} | {"topics": tmp_path / "topics.json"}
    files["readers"].write_text(rows("carol@example.org", "dave@example.org"))
    files["papers"].write_text("title\nA paper of ours\n")
    files["topics"].write_text(
        '[{"slug": "a", "name": "A", "description": "A.", "field": "A", "categories": [], "phrases": ["a"]}]'
    )
    return {**files, "keep": papers[0].pk, "drop": papers[1].pk}


def told(command: str, places: dict[str, object], error: StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command draws beside what it says."""
    words = shlex.split(command.format(**places))
    monkeypatch.setattr(sys, "stderr", error)
    with suppress(CommandError):  # of a ledger whose rows are made up the rules do not hold
        call_command(*words, stdout=StringIO())
    return error.getvalue()


@pytest.mark.parametrize(("unit", "command"), COMMANDS)
def test_on_a_terminal_there_is_a_bar(
    places: dict[str, object], unit: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = told(command, places, Terminal(), monkeypatch)
    assert unit in bar
    assert "%|" in bar


@pytest.mark.parametrize(("unit", "command"), COMMANDS)
def test_in_a_pipe_there_is_none(
    places: dict[str, object], unit: str, command: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert told(command, places, StringIO(), monkeypatch) == "", unit
