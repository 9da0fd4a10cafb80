"""What editors can see and change."""

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse

from papers.models import Paper, PaperTopic, Topic
from papers.topics import assign


@pytest.fixture
def editor(db: None, client: Client) -> Client:
    client.force_login(User.objects.create_superuser("editor"))
    return client


@pytest.fixture
def paper(topics: dict[str, Topic]) -> Paper:
    row = Paper.objects.create(title="Robots", abstract="A robot.", authors=["Ada"])
    row.listings.create(source="page", day="2026-03-20", place=2)
    assign([row])
    return row


@pytest.mark.parametrize("model", ["paper", "topic", "papertopic", "listing", "reading", "source"])
def test_every_model_has_a_searchable_list(editor: Client, paper: Paper, model: str) -> None:
    response = editor.get(reverse(f"admin:papers_{model}_changelist"), {"q": "robot"}, secure=True)
    assert response.status_code == 200


def test_a_paper_shows_what_its_trend_is_made_of(editor: Client, paper: Paper) -> None:
    response = editor.get(reverse("admin:papers_paper_change", args=[paper.pk]), secure=True)
    assert "no. 2 on its page (25.0) · listed on 20 March 2026" in response.content.decode()


def test_a_paper_shows_how_its_popularity_grew(editor: Client, paper: Paper) -> None:
    for hour, upvotes in ((9, 12), (15, 40)):
        paper.readings.create(taken_at=f"2026-03-20T{hour:02}:00Z", upvotes=upvotes, comments=2, stars=7)
    page = editor.get(reverse("admin:papers_paper_change", args=[paper.pk]), secure=True).content.decode()
    assert "40 upvotes at 2026-03-20 15:00, 2 comments, 7 code stars</div><div>12 upvotes" in page


def test_a_strength_that_an_editor_sets_is_the_editors(editor: Client, paper: Paper) -> None:
    row, listing = paper.paper_topics.get(), paper.listings.get()
    form = {
        "title": "Robots",
        "abstract": "A robot.",
        "authors": "Ada",
        "categories": "",
        "paper_topics-TOTAL_FORMS": 1,
        "paper_topics-INITIAL_FORMS": 1,
        "paper_topics-0-id": row.pk,
        "paper_topics-0-paper": paper.pk,
        "paper_topics-0-topic": row.topic_id,
        "paper_topics-0-strength": 0.3,
        "listings-TOTAL_FORMS": 1,
        "listings-INITIAL_FORMS": 1,
        "listings-0-id": listing.pk,
        "listings-0-paper": paper.pk,
        "listings-0-source": "page",
        "listings-0-day": "2026-03-20",
        "listings-0-place": 1,
    }
    response = editor.post(reverse("admin:papers_paper_change", args=[paper.pk]), form, secure=True)
    assert response.status_code == 302
    row.refresh_from_db()
    paper.refresh_from_db()
    assert (row.strength, row.source) == (0.3, PaperTopic.Source.EDITOR)
    assert paper.hot > 22_000


def as_shown(page: Any) -> dict[str, str]:
    """What the browser would send of a form that nobody touched."""
    sets = [one.formset for one in page.context["inline_admin_formsets"]]
    forms = [page.context["adminform"].form, *(form for some in sets for form in [some.management_form, *some.forms])]
    values = {field.html_name: field.value() for form in forms for field in form}
    return {name: value for name, value in values.items() if value not in {None, False}}


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("paper_topics-INITIAL_FORMS", "0", "This is stored already"),
        ("paper_topics-INITIAL_FORMS", "-1", "This is stored already"),
        ("listings-INITIAL_FORMS", "0", "This is stored already"),
        ("paper_topics-0-topic", "abc", "Select a valid choice"),
        ("paper_topics-0-topic", "9" * 30, "Select a valid choice"),
        ("listings-0-place", "9" * 30, "less than or equal to"),
        ("authors", "a\0b", "has a sign that cannot be shown"),
    ],
)
def test_a_form_that_is_stale_or_made_up_is_refused_in_words(
    editor: Client, paper: Paper, field: str, value: str, words: str
) -> None:
    address = reverse("admin:papers_paper_change", args=[paper.pk])
    form = as_shown(editor.get(address, secure=True))
    assert words in editor.post(address, form | {field: value}, secure=True, follow=True).content.decode()


def test_a_paper_may_have_no_authors(editor: Client, paper: Paper) -> None:
    address = reverse("admin:papers_paper_change", args=[paper.pk])
    assert (
        editor.post(address, as_shown(editor.get(address, secure=True)) | {"authors": ""}, secure=True).status_code
        == 302
    )
    paper.refresh_from_db()
    assert paper.authors == []


def test_a_topic_that_an_editor_adds_is_meant_wholly(editor: Client, paper: Paper) -> None:
    page = editor.get(reverse("admin:papers_paper_change", args=[paper.pk]), secure=True)
    [topics] = [one.formset for one in page.context["inline_admin_formsets"] if one.formset.prefix == "paper_topics"]
    assert topics.empty_form["strength"].value() == 1
