"""The API gives what the pages show, in pages of its own, and answers everything in words."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.test import Client
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from openapi_spec_validator import validate
from pytest_django import DjangoAssertNumQueries, Settings

from papers.api import throttling
from papers.api.docs import in_words
from papers.models import Paper, Reading, Topic
from tests.conftest import NOW
from tests.papers.conftest import DAY
from tests.papers.public import PUBLISHED, SITE, shown, topic

pytestmark = pytest.mark.django_db

V1 = "/api/v1"
LISTS = ["/papers", "/papers?sort=newest", "/papers?topic=graphs", "/topics/graphs/papers", "/search?q=network"]


@pytest.fixture(autouse=True)
def _open(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False
    settings.API_REQUESTS_PER_MINUTE = 10**6


@pytest.fixture
def graphs() -> Topic:
    return topic()


def ask(client: Client, path: str, **query: object) -> Any:
    response = client.get(path if path.startswith(V1) else V1 + path, query or None)
    assert response.status_code == 200, response.content
    assert response["Content-Type"].startswith("application/json")
    return response.json()


def titles(answer: dict[str, Any]) -> list[str]:
    return [paper["title"] for paper in answer["papers"]]


def pages(client: Client, path: str) -> Iterator[dict[str, Any]]:
    """All pages of a list, by their `next`."""
    answer = ask(client, path)
    yield answer
    while answer["next"]:
        assert answer["next"].startswith(SITE)
        answer = ask(client, answer["next"].removeprefix(SITE))
        yield answer


def test_a_paper_is_given_whole(client: Client, graphs: Topic) -> None:
    values = {"arxiv_id": "2603.00001", "categories": ["cs.LG"], "published_at": PUBLISHED, "pdf_url": "http://x.org"}
    paper = shown("A paper", 2, graphs, authors=["Ada Lovelace", "?"], **values)
    Reading.objects.create(paper=paper, taken_at=datetime(2026, 3, 20, 8, tzinfo=UTC), upvotes=3)
    found = ask(client, f"/papers/{paper.pk}")
    assert found["url"] == f"{SITE}/papers/{paper.pk}/a-paper/"
    assert found["authors"] == [{"name": "Ada Lovelace", "key": "ada-lovelace"}, {"name": "?", "key": ""}]
    [given] = found["topics"]
    assert given == {"slug": "graphs", "name": "Graphs & networks", "strength": 0.8, "source": "text", "standing": 0}
    assert (found["published"], found["listed_on"]) == ("2026-03-18T17:00:00Z", "2026-03-20")
    assert found["links"] == {"abstract": paper.url, "pdf": None, "code": None}
    assert found["trend"]["parts"] == [{"words": "3 upvotes", "value": 3.0}]
    assert found["readings"] == [{"taken_at": "2026-03-20T08:00:00Z", "upvotes": 3, "comments": 0, "stars": None}]
    assert found["summary"].startswith("We propose a network")


def test_topics_stand_in_the_editors_order(client: Client, graphs: Topic) -> None:
    Topic.objects.create(slug="first", name="First", description="D", field="F", position=0)
    Topic.objects.filter(pk=graphs.pk).update(position=1)
    found = ask(client, "/topics")["topics"]
    assert [one["slug"] for one in found] == ["first", "graphs"]
    assert found[1]["url"] == f"{SITE}/topics/graphs/"


def test_papers_come_hottest_or_newest_first(client: Client) -> None:
    old = shown("Old and much noticed", 40, day=DAY - timedelta(days=1))
    Reading.objects.create(paper=old, taken_at=NOW, upvotes=9999)
    Paper.objects.filter(pk=old.pk).update(hot=10**6)
    shown("New", 1)
    assert titles(ask(client, "/papers")) == ["Old and much noticed", "New"]
    assert titles(ask(client, "/papers", sort="newest")) == ["New", "Old and much noticed"]


def test_papers_can_be_asked_for_by_day_topic_and_author(client: Client, graphs: Topic) -> None:
    shown("Graph", 1, graphs, authors=["Ada Lovelace"])
    shown("Other", 2, authors=["Bo Li"])
    shown("Earlier", 1, graphs, day=date(2026, 3, 1), authors=["Ada Lovelace"])
    for query, expected in (
        ({"topic": "graphs"}, {"Graph", "Earlier"}),
        ({"author": "bo-li"}, {"Other"}),
        ({"since": "2026-03-02"}, {"Graph", "Other"}),
        ({"until": "2026-03-02"}, {"Earlier"}),
        ({"since": "2026-03-20", "until": "2026-03-20", "author": "ada-lovelace", "topic": "graphs"}, {"Graph"}),
    ):
        for sort in ("hottest", "newest"):
            assert set(titles(ask(client, "/papers", sort=sort, **query))) == expected


def test_a_paper_that_no_list_has_shown_is_in_no_list(client: Client) -> None:
    Paper.objects.create(title="Never listed")
    assert titles(ask(client, "/papers")) == []


@pytest.mark.parametrize("path", LISTS)
def test_pages_hold_each_paper_once_and_in_order(client: Client, graphs: Topic, path: str) -> None:
    for place in range(1, 8):
        shown(f"Network {place}", place, graphs, day=DAY - timedelta(days=place % 3))
    Paper.objects.update(hot=1)  # all alike: the row decides
    whole = titles(ask(client, path))
    joint = "&" if "?" in path else "?"
    cut = list(pages(client, f"{path}{joint}limit=3"))
    assert [title for page in cut for title in titles(page)] == whole
    assert [len(page["papers"]) for page in cut] == [3, 3, 1]


def test_a_paper_that_is_added_meanwhile_moves_no_page(client: Client) -> None:
    for place in (2, 3, 4):
        shown(f"No. {place}", place)
    first = ask(client, "/papers", limit=2)
    shown("No. 1", 1)
    assert titles(ask(client, first["next"].removeprefix(SITE))) == ["No. 4"]


def test_the_next_page_stands_in_a_link_header_too(client: Client) -> None:
    shown("One", 1)
    shown("Two", 2)
    response = client.get(f"{V1}/papers?limit=1&sort=newest")
    assert response["Link"] == f'<{response.json()["next"]}>; rel="next"'
    assert "sort=newest" in response["Link"]
    assert "Link" not in client.get(f"{V1}/papers")


@pytest.mark.parametrize("path", LISTS)
def test_a_list_costs_few_queries_however_long(
    client: Client, graphs: Topic, path: str, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for place in range(1, 8):
        shown(f"Network {place}", place, graphs)
    with django_assert_max_num_queries(6):
        client.get(V1 + path)


# --- bad input ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/papers?limit=0", 422, "limit: Input should be greater than or equal to 1."),
        ("/papers?limit=101", 422, "limit: Input should be less than or equal to 100."),
        ("/papers?limit=x", 422, "limit: "),
        ("/papers?limit=" + "9" * 5000, 422, "limit: "),
        ("/papers?sort=best", 422, "sort: Input should be 'hottest' or 'newest'."),
        ("/papers?since=0000-01-01", 422, "since: Write a day of our time as 2026-03-20."),
        ("/papers?until=9999-12-31", 422, "until: Write a day of our time as 2026-03-20."),
        ("/papers?since=1700000000", 422, "since: "),
        ("/papers?since=2026-03-02&until=2026-03-01", 422, "`since` must not be later than `until`."),
        ("/papers?topic=nothing", 404, "There is no topic nothing."),
        ("/papers?topic=%00", 422, "topic: "),
        ("/papers?author=nobody", 404, "We know no paper by nobody."),
        ("/papers?author=%ED%A0%80", 422, "author: "),
        ("/papers?cursor=x", 422, "This cursor belongs to no page of this list."),
        ("/topics/nothing/papers", 404, "There is no topic nothing."),
        ("/topics/%00/papers", 404, "There is nothing at this address."),
        ("/papers/4711", 404, "We have no paper of this number."),
        ("/papers/" + "9" * 100, 404, "We have no paper of this number."),
        ("/papers/" + "9" * 5000, 404, "There is nothing at this address."),
        ("/papers/-1", 404, "There is nothing at this address."),
        ("/search", 422, "q: Field required."),
        ("/search?q=", 422, "q: "),
        ("/search?q=" + "x" * 201, 422, "q: "),
        ("/nothing", 404, "There is nothing at this address."),
        ("/", 404, "There is nothing at this address."),
    ],
)
def test_what_cannot_be_answered_is_refused_in_words(client: Client, path: str, status: int, words: str) -> None:
    response = client.get(V1 + path)
    assert response.status_code == status
    assert response.json()["detail"].startswith(words)


def test_a_cursor_belongs_to_its_list(client: Client) -> None:
    shown("One", 1)
    shown("Two", 2)
    cursor = ask(client, "/papers", limit=1)["next"].rpartition("cursor=")[2]
    assert client.get(f"{V1}/papers?limit=1&cursor={cursor}").status_code == 200
    assert client.get(f"{V1}/papers?limit=1&sort=newest&cursor={cursor}").status_code == 422
    assert client.get(f"{V1}/papers?limit=1&cursor={cursor}x").status_code == 422


anything = st.text(st.characters(exclude_categories=["Cs"]), max_size=30) | st.sampled_from(
    ["-1", "1e9", "NaN", "9" * 400, "0000-00-00", "9999-12-31", "-infinity", "\0", "[]", "null", "graphs", "\ufffd"]
)
parameters = st.dictionaries(
    st.sampled_from(["limit", "cursor", "sort", "since", "until", "topic", "author", "q"]), anything
)


@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["/papers", "/search", "/topics/graphs/papers", "/topics", "/papers/1"]), parameters)
def test_no_parameter_breaks_anything(client: Client, path: str, query: dict[str, str]) -> None:
    response = client.get(V1 + path, query)
    assert response.status_code in {200, 404, 422}
    assert response.status_code == 200 or response.json()["detail"]


# --- what holds for every address ---------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/topics", "/papers", "/papers?limit=x", "/nothing", "/openapi.json", "/docs"])
def test_every_answer_may_be_read_by_other_sites_and_kept_by_caches(client: Client, path: str) -> None:
    response = client.get(V1 + path)
    assert response["Access-Control-Allow-Origin"] == "*"
    assert response["Cache-Control"] == "public, max-age=300"
    assert not response.cookies
    assert "Cookie" not in response.get("Vary", "")


def test_an_answer_that_has_not_changed_is_empty(client: Client) -> None:
    shown("One", 1)
    shown("Two", 2)
    first = client.get(f"{V1}/papers?limit=1")
    again = client.get(f"{V1}/papers?limit=1", headers={"If-None-Match": first["ETag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_head_and_preflight_are_answered(client: Client) -> None:
    head = client.head(f"{V1}/papers")
    assert (head.status_code, head.content) == (200, b"")
    assert head["ETag"]
    assert client.options(f"{V1}/papers")["Access-Control-Allow-Headers"] == "*"


def test_nothing_can_be_written(client: Client) -> None:
    response = client.post(f"{V1}/papers")
    assert (response.status_code, response["Allow"]) == (405, "GET")
    assert "only be read" in response.json()["detail"]


def test_addresses_come_from_the_settings_and_never_from_the_request(client: Client) -> None:
    shown("One", 1)
    shown("Two", 2)
    response = client.get(f"{V1}/papers?limit=1", headers={"Host": "testserver"})
    assert b"testserver" not in response.content
    assert "testserver" not in response["Link"]


# --- the limit ----------------------------------------------------------------------------------------


@pytest.fixture
def counted(settings: Settings, private_redis: str) -> Iterator[None]:
    """Two requests a minute, counted in a real Redis; it is the start of a minute that nobody has counted in."""
    settings.API_REQUESTS_PER_MINUTE = 2
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": private_redis}}
    throttling.cache.clear()
    with time_machine.travel(NOW + timedelta(seconds=18), tick=False):
        yield


@pytest.mark.usefixtures("counted")
def test_who_asks_too_often_is_told_when_to_come_back(client: Client) -> None:
    statuses = [client.get(f"{V1}/topics").status_code for _ in range(3)]
    refused = client.get(f"{V1}/papers")
    assert statuses == [200, 200, 429]
    assert (refused["Retry-After"], refused["Cache-Control"]) == ("42", "no-store")
    assert refused.json()["detail"].startswith("That is more than 2 requests a minute.")
    with time_machine.travel(NOW + timedelta(seconds=61), tick=False):
        assert client.get(f"{V1}/topics").status_code == 200


@pytest.mark.usefixtures("counted")
def test_the_limit_is_each_networks_own_and_cannot_be_escaped_by_a_header(client: Client, settings: Settings) -> None:
    settings.PROXY_HOPS = 1
    asked = [f"{invented}, 203.0.113.7" for invented in ("1.1.1.1", "2.2.2.2", "3.3.3.3")]
    statuses = [client.get(f"{V1}/topics", headers={"X-Forwarded-For": one}).status_code for one in asked]
    assert statuses == [200, 200, 429]
    assert client.get(f"{V1}/topics", headers={"X-Forwarded-For": "203.0.113.8"}).status_code == 200


def test_without_redis_nobody_is_turned_away(client: Client, settings: Settings) -> None:
    settings.API_REQUESTS_PER_MINUTE = 1
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:1"}}
    assert [client.get(f"{V1}/topics").status_code for _ in range(3)] == [200, 200, 200]


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("203.0.113.77", "203.0.113.77/32"),
        ("::ffff:203.0.113.77", "203.0.113.77/32"),
        ("2001:db8:1:2ff::1", "2001:db8:1:200::/56"),
        ("fe80::1%eth0", "fe80::/56"),
        ("", "unknown"),
        ("unix:", "unknown"),
    ],
)
def test_a_limit_is_shared_by_a_home_and_not_by_a_provider(address: str, expected: str) -> None:
    assert throttling.network(address) == expected


# --- documentation ------------------------------------------------------------------------------------


def test_the_openapi_document_is_valid_and_names_every_answer(client: Client) -> None:
    document = ask(client, "/openapi.json")
    validate(document)
    assert document["servers"] == [{"url": SITE}]
    operations = {path: methods["get"] for path, methods in document["paths"].items()}
    assert len(operations) == 5
    for operation in operations.values():
        assert {"200", "429"} <= set(operation["responses"])
        assert operation["summary"]


def test_the_documentation_is_a_page_of_ours_without_foreign_parts(client: Client) -> None:
    content = client.get(f"{V1}/docs").content.decode()
    assert "GET /api/v1/topics/{slug}/papers" in content
    assert "integer from 1 to 100" in content
    assert re.findall(r'<script src="/static/([a-z-]+\.js)" type="module"></script>', content) == [
        "site.js",
        "in-place.js",
    ]
    assert all(word not in content for word in ("cdn", "swagger", "redoc"))


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "string"}, "string"),
        ({"type": "integer", "minimum": 1, "maximum": 9, "default": 2}, "integer from 1 to 9, else 2"),
        ({"anyOf": [{"format": "date", "type": "string"}, {"type": "null"}]}, "date or null"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Part"}}, "list of Part"),
        ({"enum": ["a", "b"], "type": "string", "default": "a"}, "a or b, else a"),
    ],
)
def test_types_are_said_in_words(schema: dict[str, Any], words: str) -> None:
    assert in_words(schema) == words
