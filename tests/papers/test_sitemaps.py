"""Search engines find every page, at its one address, and learn what it is about."""

import json
import re
import tracemalloc
from datetime import date, timedelta
from html import unescape
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from defusedxml.ElementTree import fromstring
from django.http import StreamingHttpResponse
from django.test import Client
from pytest_django import DjangoAssertNumQueries, Settings

from papers import sitemaps
from papers.models import Listing, Paper, Topic
from tests.papers.conftest import DAY
from tests.papers.public import HOSTILE, PUBLISHED, SITE, shown, topic

pytestmark = pytest.mark.django_db

NAMESPACE = "{http://www.sitemaps.org/schemas/sitemap/0.9}"


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def graphs() -> Topic:
    return topic()


def sitemap(client: Client, path: str) -> ET.Element:
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "application/xml; charset=utf-8")
    assert isinstance(response, StreamingHttpResponse)
    return fromstring(response.getvalue())


def paths(root: ET.Element) -> list[str]:
    addresses = [loc.text or "" for loc in root.iter(f"{NAMESPACE}loc")]
    assert all(address.startswith(SITE) for address in addresses)
    return [address.removeprefix(SITE) for address in addresses]


def test_every_page_is_in_the_sitemap_once_and_answers(client: Client, graphs: Topic) -> None:
    paper = shown("A <b> & paper", 1, graphs)
    shown("Another month's", 1, day=date(2026, 2, 3))
    index = sitemap(client, "/sitemap.xml")
    assert index.tag == f"{NAMESPACE}sitemapindex"
    found = [path for section in paths(index) for path in paths(sitemap(client, section))]
    assert len(found) == len(set(found))
    papers = {f"/papers/{paper.pk}/a-b-paper/", "/papers/2026-03/", "/papers/2026-03-20/", "/papers/2026-02-03/"}
    assert papers | {"/", "/topics/", "/topics/graphs/", "/about/"} <= set(found)
    assert {client.get(path).status_code for path in found} == {200}


def test_a_month_tells_when_its_papers_changed(client: Client) -> None:
    paper = shown("A paper", 1)
    written = paper.updated_at.isoformat(timespec="seconds")
    for path in ("/sitemap.xml", "/sitemap-papers-2026-03-part1.xml"):
        assert [one.text for one in sitemap(client, path).iter(f"{NAMESPACE}lastmod")] == [written]


def test_a_month_of_very_many_papers_is_cut(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitemaps, "MOST_PAPERS", 2)
    for place in range(1, 6):
        shown(f"Paper {place}", place)
    parts = [path for path in paths(sitemap(client, "/sitemap.xml")) if "2026-03" in path]
    assert [len([path for path in paths(sitemap(client, part)) if "paper-" in path]) for part in parts] == [2, 2, 1]


@pytest.mark.parametrize(
    "name", ["2026-03-part2", "2026-03-part0", "2025-01-part1", "2026-W12-part1", "2026-03-20-part1"]
)
def test_there_is_no_other_sitemap(client: Client, name: str) -> None:
    shown("A paper", 1)
    assert client.get(f"/sitemap-papers-{name}.xml").status_code == 404
    assert client.get(f"/sitemap-papers-2026-03-part{'9' * 30}.xml").status_code == 404


def test_a_month_takes_few_queries_and_flat_memory(
    client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    monkeypatch.setattr(sitemaps, "CHUNK", 100)
    rows = (Paper(title=f"Paper {n} " * 9, title_key=str(n), abstract="x" * 900, listed_on=DAY) for n in range(3000))
    Listing.objects.bulk_create(
        Listing(paper=one, source="page", day=DAY) for one in Paper.objects.bulk_create(rows, batch_size=500)[:5]
    )
    with django_assert_max_num_queries(3):
        response = client.get("/sitemap-papers-2026-03-part1.xml")
        tracemalloc.start()
        size = sum(len(piece) for piece in response.streaming_content)
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert size > 300_000
    assert most < 600_000  # a chunk of rows, and not three thousand


# --- the head of a page -------------------------------------------------------------------------------


def head(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return str(response.content.decode().partition("</head>")[0])


def canonical(client: Client, path: str) -> str:
    [address] = re.findall(r'<link rel="canonical" href="([^"]*)">', head(client, path))
    return unescape(address).removeprefix(SITE)


def test_every_page_names_its_one_address(client: Client, graphs: Topic) -> None:
    for place in range(1, 23):
        paper = shown(f"Paper {place}", place, graphs)
    for path in ("/", "/papers/2026-03-20/", "/papers/2026-W12/", "/papers/2026-03/", "/topics/graphs/"):
        for written in (path, f"{path}?page=1", f"{path}?utm_source=x", f"{path}?page=x"):
            assert canonical(client, written) == path
        assert canonical(client, f"{path}?page=2&x=y") == f"{path}?page=2"
    for path in ("/topics/", "/about/", "/authors/ada-lovelace/", f"/papers/{paper.pk}/paper-22/"):
        assert canonical(client, path) == path


def test_an_address_in_another_script_is_written_for_the_web(client: Client) -> None:
    shown("A paper", 1, authors=["李 明"])
    assert canonical(client, "/authors/李-明/") == "/authors/%E6%9D%8E-%E6%98%8E/"


def test_previews_get_title_and_summary(client: Client, graphs: Topic) -> None:
    paper = shown("Q & A", 1, graphs)
    page = head(client, f"/papers/{paper.pk}/q-a/")
    assert '<meta property="og:title" content="Q &amp; A">' in page
    assert '<meta property="og:type" content="article">' in page
    assert '<meta property="og:description" content="We propose a network' in page
    assert '<meta property="og:title" content="Graphs &amp; networks">' in head(client, "/topics/graphs/")
    assert 'content="Trending papers, Friday 20 March 2026"' in head(client, "/papers/2026-03-20/")


def article(client: Client, paper: Paper) -> dict[str, Any]:
    page = client.get(f"/papers/{paper.pk}/{paper.slug}/").content.decode()
    [text] = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    assert not set("<>&") & set(text)
    found: dict[str, Any] = json.loads(text)
    return found


def test_a_paper_is_a_scholarly_article(client: Client, graphs: Topic) -> None:
    ids = {"arxiv_id": "2603.00001", "doi": "10.1000/1"}
    paper = shown("A paper", 1, graphs, published_at=PUBLISHED, **ids)
    found = article(client, paper)
    assert (found["@context"], found["@type"], found["name"]) == ("https://schema.org", "ScholarlyArticle", "A paper")
    assert found["author"] == [{"@type": "Person", "name": "Ada Lovelace"}]
    assert found["datePublished"] == "2026-03-18"
    assert found["mainEntityOfPage"] == f"{SITE}/papers/{paper.pk}/a-paper/"
    assert {one["propertyID"]: one["value"] for one in found["identifier"]} == {
        "arXiv": "2603.00001",
        "DOI": "10.1000/1",
    }
    assert found["sameAs"] == [paper.url]


def test_what_is_not_known_of_a_paper_is_not_claimed(client: Client) -> None:
    found = article(client, shown("A paper", 1, abstract="", authors=[], url=""))
    assert set(found) == {"@context", "@type", "name", "headline", "mainEntityOfPage"}


def test_a_hostile_paper_stays_within_its_script(client: Client) -> None:
    hostile = "</script><!--" + HOSTILE.replace("\0", "\x08")
    found = article(client, shown(hostile, 1, abstract=hostile, authors=[hostile]))
    assert found["name"] == "</script><!--<script>alert(1)</script> ]]> & left {{ 7 }}"


def test_a_page_is_known_by_the_settings_and_not_by_the_request(client: Client, graphs: Topic) -> None:
    paper = shown("A paper", 1, graphs, day=DAY - timedelta(days=1))
    for path in ("/", "/topics/graphs/", f"/papers/{paper.pk}/a-paper/", "/sitemap-pages.xml"):
        response = client.get(path, headers={"Host": "testserver"})
        assert b"testserver" not in b"".join(response)
