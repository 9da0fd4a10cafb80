"""Lists are typed one entry on a line; what is wrong is named, and what was typed stays."""

import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.test import Client
from django.urls import reverse

from papers.lines import Lines
from papers.models import Paper, Source, Topic


@pytest.fixture
def editor(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.mark.parametrize(
    ("typed", "entries"),
    [
        ("", []),
        ("cs.LG", ["cs.LG"]),
        ("cs.LG\r\n\r\n  math \r\ncs.LG\r\n", ["cs.LG", "math"]),
        ("Ōta, 大田\nLe\xa0Roux", ["Ōta, 大田", "Le Roux"]),
        ('["cs.LG"]', ['["cs.LG"]']),
    ],
)
def test_each_line_is_an_entry_once(typed: str, entries: list[str]) -> None:
    assert Lines(required=False).clean(typed) == entries


@pytest.mark.parametrize("typed", ["a\0b", "fine\na\x1bb"])
def test_signs_that_cannot_be_seen_are_refused(typed: str) -> None:
    with pytest.raises(ValidationError, match="“a\\?b” has a sign that cannot be shown"):
        Lines().clean(typed)


def test_a_list_is_shown_as_lines_and_what_was_typed_as_it_was() -> None:
    assert Lines().prepare_value(["a", "b"]) == "a\nb"
    assert Lines().prepare_value("  a\n\n") == "  a\n\n"


def test_white_space_is_no_change() -> None:
    assert not Lines().has_changed(["a", "b"], " a\r\nb\r\n")
    assert Lines().has_changed(["a", "b"], "b\r\na")


def topic_form(topic: Topic, **typed: str) -> dict[str, object]:
    form = {"slug": topic.slug, "name": topic.name, "description": "Robots.", "field": "ML", "position": 1}
    return form | {"categories": "cs.RO", "phrases": "robot\nrobotics"} | typed


def test_a_topics_phrases_are_kept_in_their_order(editor: Client, topics: dict[str, Topic]) -> None:
    topic = topics["robotics"]
    page = reverse("admin:papers_topic_change", args=[topic.pk])
    assert editor.post(page, topic_form(topic, phrases="robotic arm\nrobot"), secure=True).status_code == 302
    topic.refresh_from_db()
    assert (topic.phrases, topic.categories) == (["robotic arm", "robot"], ["cs.RO"])
    assert "robotic arm\nrobot</textarea>" in editor.get(page, secure=True).content.decode()


@pytest.mark.parametrize(
    ("field", "typed", "said"),
    [
        ("phrases", " \n", "Name at least one phrase."),
        ("phrases", "robot\n---", "“---” cannot be looked for"),
        ("categories", "cs.RO\nCS.LG", "“CS.LG” is no arXiv category: those look like cs.LG or math."),
    ],
)
def test_what_is_wrong_is_named_and_what_was_typed_stays(
    editor: Client, topics: dict[str, Topic], field: str, typed: str, said: str
) -> None:
    topic = topics["robotics"]
    answer = editor.post(
        reverse("admin:papers_topic_change", args=[topic.pk]), topic_form(topic, **{field: typed}), secure=True
    )
    page = answer.content.decode()
    assert said in page
    assert f"{typed}</textarea>" in page
    topic.refresh_from_db()
    assert topic.description != "Robots."


def test_a_source_names_the_category_that_is_none(editor: Client) -> None:
    form = {"name": "x", "kind": Source.Kind.ARXIV_FEED, "view": "day", "every": 60, "categories": "cs.LG\ncs LG"}
    answer = editor.post(reverse("admin:papers_source_add"), form, secure=True)
    assert "“cs LG” is no arXiv category" in answer.content.decode()
    assert not Source.objects.filter(name="x").exists()


def test_a_paper_says_in_words_what_no_source_writes_over(editor: Client) -> None:
    paper = Paper.objects.create(title="Robots", edited_fields=["code_url", "title"])
    page = editor.get(reverse("admin:papers_paper_change", args=[paper.pk]), secure=True).content.decode()
    assert "code, title" in page
    assert "[&quot;" not in page
