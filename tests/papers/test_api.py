"""The API says what the site shows, in pages, to everybody, and bad questions are answered in words."""

from datetime import date, timedelta

import pytest
from django.core.cache import cache
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from pytest_django import DjangoAssertNumQueries, Settings

from papers.api import api, cursor, read_cursor
from papers.models import Listing, Paper, PaperTopic, Reading, Topic
from papers.trends import rank
from tests.conftest import NOW

pytestmark = pytest.mark.django_db
DAY = date(2026, 3, 20)


@pytest.fixture(autouse=True)
def _fresh_limits(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()


@pytest.fixture
def papers() -> list[Paper]:
    topic = Topic.objects.create(slug="graphs", name="Graph networks", description="On graphs.")
    rows = []
    for number in range(5):
        row = Paper.objects.create(title=f"Paper {number}", authors=["Ada Lovelace"], listed_on=DAY - timedelta(number))
        Listing.objects.create(paper=row, source="page", day=row.listed_on, place=1)
        if number % 2 == 0:
            PaperTopic.objects.create(paper=row, topic=topic, strength=0.8, source="text")
        rows.append(row)
    Reading.objects.create(paper=rows[0], taken_at=NOW, upvotes=312)
    rank(rows)
    return rows


def titles(client: Client, path: str) -> list[str]:
    response = client.get(path)
    assert response.status_code == 200, response.content
    return [paper["title"] for paper in response.json()["papers"]]


def test_papers_come_hottest_first_with_all_that_is_known(client: Client, papers: list[Paper]) -> None:
    first = client.get("/api/v1/papers").json()["papers"][0]
    assert (first["title"], first["upvotes"], first["authors"]) == ("Paper 0", 312, ["Ada Lovelace"])
    assert first["url"] == f"https://papers.example/papers/{papers[0].pk}/paper-0/"
    assert first["topics"][0] | {"standing": 0} == {
        "topic": "graphs", "name": "Graph networks", "strength": 0.8, "source": "text", "standing": 0,
    }  # fmt: skip


def test_pages_follow_each_other_and_miss_nothing(client: Client, papers: list[Paper]) -> None:
    path, seen = "/api/v1/papers?limit=2", []
    while path:
        response = client.get(path.removeprefix("https://papers.example"))
        seen += [paper["title"] for paper in response.json()["papers"]]
        path = response.json()["next"]
        assert response.get("Link") == (f'<{path}>; rel="next"' if path else None)
    assert seen == [f"Paper {number}" for number in range(5)]


@pytest.mark.parametrize(
    ("query", "numbers"),
    [
        ("topic=graphs", [0, 2, 4]),
        ("topic=nothing", []),
        ("author=ada-lovelace&since=2026-03-19", [0, 1]),
        ("until=2026-03-17", [3, 4]),
        ("topic=graphs&since=2026-03-17&until=2026-03-18", [2]),
    ],
)
def test_papers_are_asked_for_by_topic_author_and_day(
    client: Client, papers: list[Paper], query: str, numbers: list[int]
) -> None:
    assert titles(client, f"/api/v1/papers?{query}") == [f"Paper {number}" for number in numbers]


def test_one_paper_tells_what_its_trend_is_made_of(client: Client, papers: list[Paper]) -> None:
    paper = client.get(f"/api/v1/papers/{papers[0].pk}").json()
    assert paper["trend_parts"] == [{"words": "312 upvotes", "value": 312.0}]
    assert paper["readings"][0]["upvotes"] == 312


def test_the_search_answers_here_too(client: Client, papers: list[Paper]) -> None:
    assert titles(client, '/api/v1/search?q="paper 3"') == ["Paper 3"]
    assert titles(client, "/api/v1/search?q=") == []


def test_topics_are_listed(client: Client, papers: list[Paper]) -> None:
    assert [topic["slug"] for topic in client.get("/api/v1/topics").json()] == ["graphs"]


def test_any_site_may_read_it_and_any_cache_keep_it(client: Client, papers: list[Paper]) -> None:
    response = client.get("/api/v1/papers")
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "public, max-age=300"
    assert not response.cookies
    assert client.get("/api/v1/papers", headers={"If-None-Match": response["ETag"]}).status_code == 304


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("papers?limit=0", 422),
        ("papers?limit=101", 422),
        ("papers?limit=x", 422),
        ("papers?since=yesterday", 422),
        ("papers?since=0000-00-00", 422),
        ("papers?cursor=x", 400),
        ("papers?cursor=%00", 400),
        ("papers?topic=" + "x" * 51, 422),
        ("papers?topic=%00", 422),
        ("papers?author=a%00", 422),
        ("papers/0", 422),
        ("papers/999", 404),
        ("papers/99999999999999999999", 422),
        ("papers/x", 404),
        ("search", 422),
        ("search?q=" + "x" * 300, 422),
    ],
)
def test_bad_questions_are_answered_in_words(client: Client, path: str, status: int) -> None:
    response = client.get(f"/api/v1/{path}")
    assert response.status_code == status
    if path != "papers/x":
        assert response.json()["detail"]


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["topic", "author", "since", "until", "limit", "cursor", "q"]),
        st.text(max_size=40) | st.integers().map(str) | st.dates().map(str),
    )
)
def test_no_question_breaks_it(client: Client, asked: dict[str, str]) -> None:
    for path in ("papers", "search"):
        cache.clear()
        assert client.get(f"/api/v1/{path}", asked).status_code in {200, 400, 422}


@given(st.text(max_size=60))
def test_a_forged_cursor_is_refused_or_harmless(text: str) -> None:
    try:
        hot, pk = read_cursor(text)
    except ValueError:
        return
    assert abs(hot) < 1e9
    assert pk > 0


def test_a_cursor_is_read_as_it_was_written() -> None:
    assert read_cursor(cursor(Paper(pk=7, hot=22148.123456789012))) == (22148.123456789012, 7)


def test_nothing_can_be_posted(client: Client) -> None:
    assert client.post("/api/v1/papers").status_code == 405


def test_who_asks_too_often_is_told_when_to_come_back(client: Client) -> None:
    for _ in range(120):
        assert client.get("/api/v1/topics").status_code == 200
    refused = client.get("/api/v1/topics")
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) > 0
    assert client.get("/api/v1/topics", REMOTE_ADDR="203.0.113.9").status_code == 200
    forged = {"X-Forwarded-For": "198.51.100.1"}  # no proxy of ours stands there
    assert client.get("/api/v1/topics", headers=forged).status_code == 429


def test_it_answers_without_redis(client: Client, settings: Settings, papers: list[Paper]) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "redis://127.0.0.1:1"}
    }
    assert titles(client, "/api/v1/papers?limit=1") == ["Paper 0"]


def test_its_description_is_valid_openapi(client: Client) -> None:
    validate(client.get("/api/v1/openapi.json").json())


def test_its_pages_ask_nothing_of_other_sites(client: Client) -> None:
    content = client.get("/api/v1/docs").content.decode()
    assert "//" not in content.replace("https://papers.example", "").replace("http://testserver", "")
    assert api.title in content


def test_a_page_costs_few_queries(
    client: Client, papers: list[Paper], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        client.get("/api/v1/papers?topic=graphs")
