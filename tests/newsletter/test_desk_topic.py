"""The page of a topic."""

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from newsletter import census
from papers.models import Paper, PaperTopic, Topic
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers


@pytest.fixture
def editor(db: None) -> Client:
    client = Client()
    user = User.objects.create_user("ada", is_staff=True)
    user.groups.set(Group.objects.filter(name="Editor"))
    client.force_login(user)
    return client


def address(topic: Topic) -> str:
    return reverse("desk_topic", args=[topic.pk])


def test_it_has_the_topics_papers_readers_and_quality(
    editor: Client, graphs: Topic, graph_papers: list[Paper], robot_papers: list[Paper]
) -> None:
    add_readers(3, graphs)
    census.take(NOW)
    PaperTopic.objects.filter(paper=graph_papers[0]).update(source="editor")
    page = " ".join(editor.get(address(graphs), secure=True).content.decode().split())
    assert "<dt>Readers</dt><dd>3</dd>" in page
    assert all(paper.title in page for paper in graph_papers)
    assert robot_papers[0].title not in page
    assert "<dt>Corrected by editors</dt><dd>1</dd>" in page
    assert "no model is in use yet" in page


def test_it_takes_few_queries_however_much_there_is(
    editor: Client, graphs: Topic, papers: list[Paper], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    PaperTopic.objects.update(source="editor")
    with django_assert_max_num_queries(15):
        assert editor.get(address(graphs), secure=True).status_code == 200


def test_who_may_not_see_topics_does_not(client: Client, graphs: Topic) -> None:
    client.force_login(User.objects.create_user("eve", is_staff=True))
    assert client.get(address(graphs), secure=True).status_code == 403
