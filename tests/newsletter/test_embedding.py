import re
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from newsletter.models import Digest, Edition
from papers.models import Paper, Topic

SCRIPT, EMBED, EXAMPLE = reverse("embed_script"), reverse("embed"), reverse("example")


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
    settings.SITE_URL = "https://papers.example"


def test_the_script_is_small_and_may_be_kept_by_anybody(client: Client) -> None:
    answer = client.get(SCRIPT)
    assert answer["Content-Type"] == "text/javascript; charset=utf-8"
    assert answer["Cache-Control"] == "public, max-age=300"
    assert len(answer.content) < 6000
    assert not answer.cookies


def test_operators_get_both_snippets_with_their_topics(admin_client: Client, graphs: Topic, robots: Topic) -> None:
    page = admin_client.get(EMBED, {"topics": ["graphs", "nonsense\x00"]}).content.decode()
    assert "&lt;form action=&quot;https://papers.example/subscribe/&quot;" in page
    assert "&lt;script src=&quot;https://papers.example/embed.js&quot; data-topics=&quot;graphs&quot;" in page
    assert re.search(r'value="graphs"\s+checked', page)
    assert not re.search(r'value="robots"\s+checked', page)


def test_operators_are_told_whether_any_site_may(admin_client: Client, db: None, settings: Settings) -> None:
    assert "No other site may show the form yet" in admin_client.get(EMBED).content.decode()
    settings.EMBED_ORIGINS = ["https://lab.example"]
    assert "These sites may show the form: https://lab.example" in admin_client.get(EMBED).content.decode()


def test_the_page_is_one_press_from_the_subscribers(admin_client: Client) -> None:
    assert f'href="{EMBED}"' in admin_client.get(reverse("admin:subscribers_subscriber_changelist")).content.decode()


def test_nobody_else_gets_the_page(client: Client, db: None) -> None:
    assert client.get(EMBED).status_code == 302
    client.force_login(User.objects.create_user("clerk", is_staff=True))
    assert client.get(EMBED).status_code == 403


def test_a_sample_shows_what_a_digest_is(client: Client, papers: list[Paper]) -> None:
    answer = client.get(EXAMPLE)
    page = answer.content.decode()
    assert "5 papers for you, from 8" in page
    assert papers[0].title in page
    assert (answer["X-Robots-Tag"], answer["Cache-Control"]) == ("noindex", "public, max-age=300")
    assert not Edition.objects.exists()
    assert not Digest.objects.exists()


def test_a_sample_holds_no_link_of_anybodys(client: Client, papers: list[Paper]) -> None:
    links = re.findall(r'href="https://papers.example(/[^"]*)"', unescape(client.get(EXAMPLE).content.decode()))
    assert {"/subscribe/"} == {link for link in links if not link.startswith("/papers/")}


def test_a_sample_can_be_of_chosen_topics(client: Client, papers: list[Paper]) -> None:
    page = client.get(EXAMPLE, {"topics": ["robots", "nonsense\x00"]}).content.decode()
    assert "Robotics paper 2" in page
    assert page.index("Robotics paper 2") < page.index("Robotics paper 4")
    assert "Why: Robotics" in page


def test_without_papers_there_is_no_sample(client: Client, db: None) -> None:
    assert "No sample today" in client.get(EXAMPLE).content.decode()
