"""What editors' corrections say of a topic, and that they hold."""

import pytest
from django.test import Client
from django.urls import reverse

from papers.models import Paper, PaperTopic, Topic
from papers.quality import quality, training_of
from papers.topics import assign, assign_all

pytestmark = pytest.mark.django_db


def paper(title: str, **fields: object) -> Paper:
    row = Paper.objects.create(title=title, abstract=f"{title}.", listed_on="2026-03-20", **fields)
    assign([row])
    return row


@pytest.fixture
def robotics(topics: dict[str, Topic]) -> Topic:
    return topics["robotics"]


def decide(row: Paper, topic: Topic, strength: float) -> None:
    PaperTopic.objects.update_or_create(
        paper=row, topic=topic, defaults={"strength": strength, "source": PaperTopic.Source.EDITOR}
    )


def test_corrections_measure_what_the_machine_says(robotics: Topic) -> None:
    right, wrong, missed = paper("Robot arms"), paper("A robot of the law"), paper("Arms that reach")
    for row, strength in ((right, 1.0), (wrong, 0.01), (missed, 1.0)):
        decide(row, robotics, strength)
    measured = quality(robotics)
    assert (measured.agreed, measured.wrong, measured.missed) == (1, 1, 1)
    assert (measured.precision, measured.recall) == (50.0, 50.0)


def test_without_corrections_nothing_is_claimed(robotics: Topic) -> None:
    paper("Robot arms")
    measured = quality(robotics)
    assert (measured.precision, measured.recall, measured.corrected) == (None, None, 0)
    assert training_of(robotics) == (None, False)


def test_it_says_how_many_papers_find_a_topic(robotics: Topic) -> None:
    paper("Robot arms")
    paper("On nothing that we know")
    measured = quality(robotics)
    assert (measured.latest, measured.classified, measured.mine) == (2, 1, 1)
    assert (measured.share_classified, measured.by_source) == (50.0, {"title and abstract": 1})


def test_what_an_editor_takes_away_is_gone_from_the_site_and_stays_away(robotics: Topic, admin_client: Client) -> None:
    row = paper("Robot arms")
    given = row.paper_topics.get()
    form = {"title": "Robot arms", "abstract": "Robot arms.", "authors": "", "categories": ""}
    form |= {f"listings-{part}_FORMS": 0 for part in ("TOTAL", "INITIAL")}
    form |= {f"paper_topics-{part}_FORMS": 1 for part in ("TOTAL", "INITIAL")}
    form |= {"paper_topics-0-id": given.pk, "paper_topics-0-paper": row.pk, "paper_topics-0-DELETE": "on"}
    form |= {"paper_topics-0-topic": robotics.pk, "paper_topics-0-strength": 1}
    assert admin_client.post(reverse("admin:papers_paper_change", args=[row.pk]), form, secure=True).status_code == 302
    assign_all()
    given.refresh_from_db()
    assert (given.strength, given.source) == (0.01, "editor")
    for address in (f"/topics/{robotics.slug}/", f"/topics/{robotics.slug}/feed.json"):
        assert "Robot arms" not in admin_client.get(address, secure=True).content.decode()
    assert admin_client.get(f"/api/v1/papers/{row.pk}", secure=True).json()["topics"] == []
    assert (
        f"/topics/{robotics.slug}/"
        not in admin_client.get(f"/papers/{row.pk}/robot-arms/", secure=True).content.decode().split('id="topics"')[1]
    )
