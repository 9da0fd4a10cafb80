"""Feeds that readers of feeds can read, whatever stands in a paper."""

import json
from datetime import UTC, date, datetime

import feedparser
import pytest
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from papers.models import Listing, Paper, PaperTopic, Topic
from papers.trends import rank

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 20)
HOSTILE = 'Attention <script>alert(1)</script> & "pay" ]]> %recipient% {{ x }} שלום'
PATHS = [
    "/papers/feed.",
    "/papers/2026-03-20/feed.",
    "/papers/2026-W12/feed.",
    "/papers/2026-03/feed.",
    "/topics/graphs/feed.",
    "/search/feed.{}?q=attention",
]


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def paper() -> Paper:
    topic = Topic.objects.create(slug="graphs", name="Graph networks", description="On graphs & more.")
    row = Paper.objects.create(
        title=HOSTILE,
        abstract="We propose a thing. It is <b>good</b>.",
        authors=["Ada Lovelace", "<Bo>"],
        listed_on=DAY,
        url="https://arxiv.org/abs/2503.01234",
    )
    Listing.objects.create(paper=row, source="page", day=DAY, place=1)
    PaperTopic.objects.create(paper=row, topic=topic, strength=1, source="text")
    rank([row])
    return row


def address(path: str, form: str) -> str:
    return path.format(form) if "{}" in path else path + form


@pytest.mark.parametrize("path", PATHS)
def test_an_atom_feed_is_read_by_a_feed_parser(client: Client, paper: Paper, path: str) -> None:
    response = client.get(address(path, "atom"))
    feed = feedparser.parse(response.content, response_headers={"content-type": response["Content-Type"]})
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "atom10"
    [entry] = feed.entries
    assert entry.id == f"https://papers.example/papers/{paper.pk}/"
    assert entry.link == f"https://papers.example/papers/{paper.pk}/{paper.slug}/"
    assert [author.name for author in entry.authors] == ["Ada Lovelace", "<Bo>"]
    assert [tag.term for tag in entry.tags] == ["Graph networks"]
    assert datetime(*entry.published_parsed[:6], tzinfo=UTC).date() == DAY
    assert feed.feed.links[1].rel == "self"
    assert feed.feed.links[1].href == "https://papers.example" + address(path, "atom")


@pytest.mark.parametrize("path", PATHS)
def test_a_json_feed_has_what_its_standard_asks_for(client: Client, paper: Paper, path: str) -> None:
    response = client.get(address(path, "json"))
    assert response["Content-Type"].startswith("application/feed+json")
    feed = json.loads(response.content)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert feed["feed_url"] == "https://papers.example" + address(path, "json")
    [item] = feed["items"]
    assert isinstance(item["id"], str)
    assert item["title"] == HOSTILE
    assert item["content_text"] == paper.abstract
    assert item["authors"] == [{"name": "Ada Lovelace"}, {"name": "<Bo>"}]
    assert datetime.fromisoformat(item["date_published"]).tzinfo is not None
    assert item["external_url"] == paper.url


def test_a_title_is_text_in_both_forms(client: Client, paper: Paper) -> None:
    content = client.get("/papers/feed.atom").content.decode()
    assert "<script>" not in content
    assert feedparser.parse(content, sanitize_html=False).entries[0].title == HOSTILE


def test_markup_in_an_abstract_is_shown_and_never_run(client: Client, paper: Paper) -> None:
    Paper.objects.filter(pk=paper.pk).update(abstract="We propose <img src=x onerror=alert(1)>.")
    feed = feedparser.parse(client.get("/papers/feed.atom").content, sanitize_html=False)
    assert feed.entries[0].summary == "We propose &lt;img src=x onerror=alert(1)&gt;."


def test_a_feed_that_has_not_changed_costs_an_empty_answer(client: Client, paper: Paper) -> None:
    first = client.get("/papers/feed.atom")
    again = client.get("/papers/feed.atom", headers={"If-None-Match": first["ETag"]})
    assert again.status_code == 304
    assert not first.cookies


@pytest.mark.parametrize(
    "path",
    [
        "/papers/feed.rss",
        "/papers/1999-01-01/feed.atom",
        "/topics/no/feed.json",
        "/search/feed.atom",
        "/search/feed.json?q=",
    ],
)
def test_a_feed_of_nothing_is_not_found(client: Client, paper: Paper, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_row_that_xml_cannot_hold_harms_no_feed(client: Client, paper: Paper) -> None:
    Paper.objects.filter(pk=paper.pk).update(title="Broken \x0b\ufffe title")
    feed = feedparser.parse(client.get("/papers/feed.atom").content)
    assert not feed.bozo
    assert feed.entries[0].title == "Broken  title"


@pytest.mark.parametrize("path", PATHS)
def test_a_feed_costs_few_queries(
    client: Client, paper: Paper, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        client.get(address(path, "atom"))


@pytest.mark.parametrize(
    ("page", "feed"), [("/", "/papers/feed.atom"), ("/topics/graphs/", "/topics/graphs/feed.atom")]
)
def test_a_page_names_its_feeds(client: Client, paper: Paper, page: str, feed: str) -> None:
    content = client.get(page).content.decode()
    assert '<link rel="alternate" type="application/atom+xml" title=' in content
    assert content.count(f'href="{feed}"') == 2
