"""Feeds hold the lists of the pages, validate, and survive what papers call themselves."""

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import feedparser
import pytest
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from papers.feeds import AUTHORS_SHOWN, FEED_SIZE
from papers.models import Paper, Reading, Topic
from papers.trends import rank
from tests.papers.public import HOSTILE, PUBLISHED, SITE, shown, topic

pytestmark = pytest.mark.django_db

PAGES = ["/papers/", "/papers/2026-03-20/", "/papers/2026-W12/", "/papers/2026-03/", "/topics/graphs/"]
FEEDS = [*(f"{page}feed" for page in PAGES), "/search/feed"]


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def graphs() -> Topic:
    return topic()


def atom(client: Client, path: str, **query: str) -> Any:
    """A feed as a feed reader reads it; it must have nothing to complain of."""
    response = client.get(f"{path}.atom", query)
    assert (response.status_code, response["Content-Type"]) == (200, "application/atom+xml; charset=utf-8")
    parsed = feedparser.parse(response.content)
    assert not parsed.bozo, parsed
    assert parsed.version == "atom10"
    return parsed


def json_feed(client: Client, path: str, **query: str) -> dict[str, Any]:
    """A feed that keeps what JSON Feed 1.1 demands (https://www.jsonfeed.org/version/1.1/)."""
    response = client.get(f"{path}.json", query)
    assert (response.status_code, response["Content-Type"]) == (200, "application/feed+json; charset=utf-8")
    feed: dict[str, Any] = json.loads(response.content)
    assert feed["version"] == "https://jsonfeed.org/version/1.1"
    assert isinstance(feed["title"], str)
    assert all(feed[name].startswith("https://") for name in ("home_page_url", "feed_url"))
    for item in feed["items"]:
        assert isinstance(item["id"], str)
        assert isinstance(item["content_text"], str)
        assert all(set(author) <= {"name", "url", "avatar"} and author["name"] for author in item.get("authors", []))
        assert all(datetime.fromisoformat(item[name]).tzinfo for name in ("date_published", "date_modified"))
        assert all(isinstance(tag, str) for tag in item.get("tags", []))
    assert len({item["id"] for item in feed["items"]}) == len(feed["items"])
    return feed


@pytest.mark.parametrize("path", FEEDS)
def test_every_list_has_a_feed_in_both_forms(client: Client, graphs: Topic, path: str) -> None:
    shown("Second", 2, graphs)
    shown("First", 1, graphs)
    query = {"q": "network"} if "search" in path else {}
    assert {entry.title for entry in atom(client, path, **query).entries} == {"First", "Second"}
    assert {item["title"] for item in json_feed(client, path, **query)["items"]} == {"First", "Second"}


def test_an_atom_entry_says_all_that_a_reader_asks(client: Client, graphs: Topic) -> None:
    paper = shown("A paper", 1, graphs, authors=["Ada Lovelace", "Bo", " "], published_at=PUBLISHED)
    parsed = atom(client, "/topics/graphs/feed")
    [entry] = parsed.entries
    assert entry.id == f"tag:papers.example,2026:paper/{paper.pk}"
    assert entry.link == f"{SITE}/papers/{paper.pk}/a-paper/"
    assert [link.href for link in entry.links if link.rel == "related"] == [paper.url]
    assert [author.name for author in entry.authors] == ["Ada Lovelace", "Bo"]
    assert [(tag.term, tag.label) for tag in entry.tags] == [("graphs", "Graphs & networks")]
    assert (entry.published, entry.updated) == (PUBLISHED.isoformat(), paper.updated_at.isoformat())
    assert entry.summary_detail.type == entry.content[0].type == "text/plain"
    assert entry.summary.startswith("We propose a network")
    assert (parsed.feed.title, parsed.feed.link) == ("Graphs & networks · Trending Papers", f"{SITE}/topics/graphs/")


def test_a_json_item_says_the_same(client: Client, graphs: Topic) -> None:
    paper = shown("A paper", 1, graphs, published_at=PUBLISHED)
    feed = json_feed(client, "/topics/graphs/feed")
    [item] = feed["items"]
    assert item["id"] == f"tag:papers.example,2026:paper/{paper.pk}"
    assert (item["url"], item["external_url"]) == (f"{SITE}/papers/{paper.pk}/a-paper/", paper.url)
    assert (item["authors"], item["tags"]) == ([{"name": "Ada Lovelace"}], ["Graphs & networks"])
    assert item["content_text"] == paper.abstract
    assert feed["feed_url"] == f"{SITE}/topics/graphs/feed.json"


def test_an_entry_changes_with_its_paper_and_not_with_its_popularity(client: Client) -> None:
    paper = shown("A paper", 1)
    before = json_feed(client, "/papers/feed")["items"]
    Reading.objects.create(paper=paper, taken_at=datetime(2026, 3, 21, tzinfo=UTC), upvotes=99)
    assert rank([paper]) == 1
    assert json_feed(client, "/papers/feed")["items"] == before
    Paper.objects.get().save()
    assert json_feed(client, "/papers/feed")["items"][0]["date_modified"] > before[0]["date_modified"]


def test_a_retitled_paper_keeps_its_id(client: Client) -> None:
    paper = shown("Old title", 1)
    before = atom(client, "/papers/feed").entries[0]
    paper.title = "New title"
    paper.save()
    after = atom(client, "/papers/feed").entries[0]
    assert (after.id, after.published) == (before.id, before.published)
    assert (after.title, after.link) != (before.title, before.link)


def test_addresses_come_from_the_settings_and_never_from_the_request(client: Client) -> None:
    shown("A paper", 1)
    for form in ("atom", "json"):
        content = client.get(f"/papers/feed.{form}", headers={"Host": "testserver"}).content
        assert b"testserver" not in content
        assert SITE.encode() in content


@pytest.mark.parametrize("path", FEEDS)
def test_a_hostile_paper_is_text_like_any_other(client: Client, path: str) -> None:
    graphs = Topic.objects.create(slug="graphs", name="<b>&]]>", description=HOSTILE.replace("\0", ""), field="F")
    hostile = HOSTILE.replace("\0", "\x08")  # PostgreSQL stores no NUL
    shown(hostile, 1, graphs, abstract=f"A network. {hostile}", authors=[hostile], url='https://x.org/"><b>\x0b')
    query = {"q": "network"} if "search" in path else {}
    clean = "<script>alert(1)</script> ]]> & left {{ 7 }}"
    [entry] = atom(client, path, **query).entries
    [item] = json_feed(client, path, **query)["items"]
    assert client.get(f"{path}.atom", query).content.count(b"<script") == 0
    assert item["title"] == item["authors"][0]["name"] == clean
    assert entry.authors[0].name == clean


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40))
def test_no_title_breaks_a_feed(client: Client, title: str) -> None:
    Paper.objects.all().delete()
    shown(title, 1, abstract=title, authors=[title])
    assert len(atom(client, "/papers/feed").entries) == 1
    assert len(json_feed(client, "/papers/feed")["items"]) == 1


def test_a_feed_without_papers_is_still_a_feed_and_does_not_change(client: Client, graphs: Topic) -> None:
    for path in ("/papers/feed", "/topics/graphs/feed", "/search/feed"):
        assert atom(client, path, q="zebra").entries == []
        assert json_feed(client, path, q="zebra")["items"] == []
    first, second = (client.get("/topics/graphs/feed.atom")["ETag"] for _ in range(2))
    assert first == second


@pytest.mark.parametrize("q", ["", " ", "\0"])
def test_a_search_for_nothing_is_told_so(client: Client, q: str) -> None:
    response = client.get("/search/feed.atom", {"q": q})
    assert response.status_code == 400
    assert "?q=" in response.content.decode()


@pytest.mark.parametrize("q", ["x" * 10_000, '"', "a\0b", "<&>", "\u202e", "NEAR(a b)", "%"])
def test_a_hostile_search_is_a_feed_or_an_error_in_words(client: Client, q: str) -> None:
    assert client.get("/search/feed.json", {"q": q}).status_code in {200, 400}
    if (response := client.get("/search/feed.atom", {"q": q})).status_code == 200:
        assert not feedparser.parse(response.content).bozo


@pytest.mark.parametrize(
    "path", ["/papers/2020-01-01/feed.atom", "/papers/9999-12-31/feed.json", "/topics/x/feed.atom", "/papers/feed.rss"]
)
def test_what_is_not_there_has_no_feed(client: Client, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_latest_feed_begins_with_the_latest_day(client: Client) -> None:
    shown("Yesterday's best", 1, day=date(2026, 3, 19))
    shown("Today's second", 2)
    shown("Today's best", 1)
    titles = [entry.title for entry in atom(client, "/papers/feed").entries]
    assert titles == ["Today's best", "Today's second", "Yesterday's best"]


def test_a_feed_is_bounded_whatever_its_papers_hold(client: Client) -> None:
    authors = [f"Author {number}" for number in range(AUTHORS_SHOWN + 1)]
    for place in range(1, FEED_SIZE + 3):
        shown(f"Paper {place}", place, authors=authors, abstract="Long. " * 5000)
    feed = json_feed(client, "/papers/feed")
    assert len(feed["items"]) == FEED_SIZE
    assert {len(item["authors"]) for item in feed["items"]} == {AUTHORS_SHOWN}
    assert len(client.get("/papers/feed.atom").content) < 400_000


@pytest.mark.parametrize("path", FEEDS)
def test_a_feed_costs_few_queries_however_long(
    client: Client, graphs: Topic, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for place in range(1, 8):
        shown(f"Network {place}", place, graphs)
    with django_assert_max_num_queries(4):
        client.get(f"{path}.atom", {"q": "network"})


def test_feeds_are_kept_by_caches_and_set_no_cookie(client: Client) -> None:
    shown("A paper", 1)
    first = client.get("/papers/feed.atom")
    assert (first["Cache-Control"], first.cookies) == ("public, max-age=300", {})
    assert client.get("/papers/feed.atom", headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.post("/papers/feed.atom").status_code == 405


@pytest.mark.parametrize("page", ["/", *PAGES[1:], "/search/?q=network", "/about/"])
def test_pages_lead_to_their_feeds(client: Client, graphs: Topic, page: str) -> None:
    shown("A network", 1, graphs, published_at=PUBLISHED - timedelta(days=1))
    links = feedparser.parse(client.get(page).content).feed.links
    feeds = [link.href for link in links if link.rel == "alternate"]
    assert len(feeds) == 2
    assert all(client.get(feed).status_code == 200 for feed in feeds)
