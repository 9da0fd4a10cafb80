"""What editors can see and change."""

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
