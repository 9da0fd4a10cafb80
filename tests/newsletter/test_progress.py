"""Long commands say how far they are to whoever watches, all in the same way; and nothing in a pipe."""

import sys
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from newsletter.models import Edition
from papers.models import Paper
from subscribers.models import Subscriber
from tests.subscribers.imports.conftest import rows

pytestmark = pytest.mark.usefixtures("fixed_clock")


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture
def commands(alice: Subscriber, edition: Edition, papers: list[Paper], tmp_path: Path) -> dict[str, list[str]]:
    table, topic_file = tmp_path / "readers.csv", tmp_path / "topics.json"
    table.write_text(rows("carol@example.org", "dave@example.org"))
    topic_file.write_text(
        '[{"slug": "a", "name": "A", "description": "A.", "field": "A", "categories": [], "phrases": ["a"]}]'
    )
    return {
        "100%": ["import_subscribers", str(table)],
        " rules": ["ledger", "check"],
        " kinds of rows": ["merge_papers", str(papers[0].pk), str(papers[1].pk)],
        " papers": ["load_topics", str(topic_file)],
        " readers": ["reader", "pause", "alice@example.org", "--because", "she asked"],
        "reading": ["train_topics"],
    }


UNITS = ["100%", " rules", " kinds of rows", " papers", " readers", "reading"]


def told(words: list[str], error: StringIO, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a command draws beside what it says."""
    monkeypatch.setattr(sys, "stderr", error)
    call_command(*words, stdout=StringIO())
    return error.getvalue()


@pytest.mark.parametrize("unit", UNITS)
def test_on_a_terminal_there_is_a_bar(
    commands: dict[str, list[str]], unit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    bar = told(commands[unit], Terminal(), monkeypatch)
    assert unit in bar
    assert "%|" in bar


@pytest.mark.parametrize("unit", UNITS)
def test_in_a_pipe_there_is_none(commands: dict[str, list[str]], unit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert told(commands[unit], StringIO(), monkeypatch) == ""
