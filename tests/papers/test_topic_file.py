"""A file of topics is taken whole or not at all."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given
from hypothesis import strategies as st

from papers.models import Paper, Topic
from papers.topic_file import TopicFileError, parse
from tests.papers.conftest import SEEDS

TOPIC: dict[str, Any] = {
    "slug": "graphs",
    "name": "Graphs",
    "description": "Dots and lines.",
    "field": "Mathematics",
    "categories": ["math.CO", "astro-ph"],
    "phrases": ["graph"],
}


def content(*changes: dict[str, Any]) -> bytes:
    return json.dumps([TOPIC | change for change in changes]).encode()


def load(path: Path, *changes: dict[str, Any]) -> str:
    path = path / "topics.json"
    path.write_bytes(content(*changes))
    out = StringIO()
    call_command("load_topics", path, stdout=out)
    return out.getvalue()


def test_our_own_topics_are_fine() -> None:
    topics = parse((SEEDS / "topics.json").read_bytes())
    assert 30 <= len(topics) <= 40
    assert all(topic["description"].endswith(".") for topic in topics)


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"{}", "a list of topics"),
        (b"[]", "at least one"),
        (b"[3]", "no. 1 must be an object"),
        (content({"colour": "red"}), "“graphs” has the unknown key “colour”"),
        (json.dumps([{"slug": "graphs"}]).encode(), "has no “name”"),
        (content({"slug": "Graph nets"}), "“slug” must be small letters"),
        (content({"name": " "}), "“name” must be"),
        (content({"description": "x" * 201}), "“description” must be"),
        (content({"categories": ["CS.LG"]}), "“categories” must be"),
        (content({"categories": ["cs.LG2"]}), "“categories” must be"),
        (content({"categories": "cs.LG"}), "“categories” must be"),
        (content({"phrases": []}), "“phrases” must be"),
        (content({"phrases": ["graph", " "]}), "“phrases” must be"),
        (content({}, {"name": "Other"}), "Two topics have the slug “graphs”"),
        (content({}, {"slug": "other"}), "Two topics have the name “Graphs”"),
    ],
)
def test_a_broken_file_is_refused_in_words(broken: bytes, words: str) -> None:
    with pytest.raises(TopicFileError, match=words):
        parse(broken)


@given(
    st.binary()
    | st.recursive(st.none() | st.text(), lambda x: st.lists(x) | st.dictionaries(st.sampled_from([*TOPIC]), x)).map(
        lambda x: json.dumps(x).encode()
    )
)
def test_any_bytes_are_read_or_refused(broken: bytes) -> None:
    with pytest.raises(TopicFileError):
        parse(broken)


@pytest.mark.django_db
def test_loading_twice_changes_nothing(tmp_path: Path) -> None:
    assert "1 new" in load(tmp_path, {})
    before = list(Topic.objects.values())
    assert "Nothing new" in load(tmp_path, {})
    assert before == list(Topic.objects.values())


@pytest.mark.django_db
def test_a_topic_is_updated_by_its_slug(tmp_path: Path) -> None:
    load(tmp_path, {}, {"slug": "other", "name": "Other"})
    row = Topic.objects.get(slug="graphs").pk
    assert "2 updated" in load(tmp_path, {"name": "Other"}, {"slug": "other", "name": "Graphs"})
    assert Topic.objects.get(name="Other").pk == row


@pytest.mark.django_db
def test_a_broken_file_changes_nothing_at_all(tmp_path: Path) -> None:
    load(tmp_path, {})
    with pytest.raises(CommandError, match="Nothing was changed"):
        load(tmp_path, {"name": "New name"}, {"slug": "other", "phrases": []})
    with pytest.raises(CommandError, match="has the name “Graphs” already"):
        load(tmp_path, {"slug": "other", "phrases": ["other"]})
    assert [topic.name for topic in Topic.objects.all()] == ["Graphs"]


@pytest.mark.django_db
def test_papers_that_are_there_get_the_new_topics(tmp_path: Path) -> None:
    paper = Paper.objects.create(title="A graph")
    assert "1 topic strengths changed" in load(tmp_path, {})
    assert [topic.slug for topic in paper.topics.all()] == ["graphs"]


@pytest.mark.django_db
def test_a_missing_file_is_told() -> None:
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("load_topics", "nothing.json")


def test_a_dry_run_counts_and_changes_nothing(db: None, tmp_path: Path) -> None:
    path, out = tmp_path / "topics.json", StringIO()
    path.write_bytes(content({}))
    call_command("load_topics", path, dry_run=True, stdout=out)
    assert "1 new" in out.getvalue()
    assert "nothing was changed" in out.getvalue()
    assert not Topic.objects.exists()
