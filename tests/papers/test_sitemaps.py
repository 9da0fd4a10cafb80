"""Search engines find every page, and keep out of what belongs to one reader."""

from datetime import date
from urllib.robotparser import RobotFileParser
from xml.etree import ElementTree

import pytest
from django.test import Client
from pytest_django import Settings

from papers.models import Listing, Paper, Topic
from papers.views.metadata import scholarly_article

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


def places(client: Client, path: str) -> list[str]:
    response = client.get(path)
    assert response.status_code == 200
    assert response["Content-Type"].startswith("application/xml")
    tree = ElementTree.fromstring(response.content)
    return [str(node.text) for node in tree.iter("{http://www.sitemaps.org/schemas/sitemap/0.9}loc")]


def test_every_page_is_found_from_the_index(client: Client) -> None:
    Topic.objects.create(slug="graphs", name="Graph networks")
    papers = []
    for day in (date(2026, 1, 31), date(2026, 3, 20)):
        papers.append(Paper.objects.create(title=f"Of {day}", listed_on=day))
        Listing.objects.create(paper=papers[-1], source="page", day=day)
    sections = places(client, "/sitemap.xml")
    assert [section.rpartition("/")[2] for section in sections] == [
        "sitemap-pages.xml", "sitemap-2026-01.xml", "sitemap-2026-02.xml", "sitemap-2026-03.xml",
    ]  # fmt: skip
    found = {place for section in sections for place in places(client, section.removeprefix("https://papers.example"))}
    expected = {"/", "/about/", "/topics/graphs/", "/papers/2026-01-31/", "/papers/2026-03/"}
    expected |= {f"/papers/{paper.pk}/{paper.slug}/" for paper in papers}
    assert {f"https://papers.example{path}" for path in expected} <= found
    assert all(client.get(place.removeprefix("https://papers.example")).status_code == 200 for place in found - {
        "https://papers.example/papers/2026-02/"
    })  # fmt: skip


@pytest.mark.parametrize("name", ["x", "2026-99", "0000-01"])
def test_a_section_that_does_not_exist_is_not_found(client: Client, name: str) -> None:
    assert client.get(f"/sitemap-{name}.xml").status_code == 404


def test_an_empty_site_has_a_map_too(client: Client) -> None:
    assert places(client, "/sitemap.xml") == ["https://papers.example/sitemap-pages.xml"]


def test_crawlers_are_kept_out_of_what_is_one_readers_own(client: Client) -> None:
    robots = RobotFileParser()
    robots.parse(client.get("/robots.txt").content.decode().splitlines())
    assert robots.site_maps() == ["https://papers.example/sitemap.xml"]
    for path in ("/", "/papers/1/x/", "/papers/2026-03-20/", "/topics/graphs/", "/papers/feed.atom"):
        assert robots.can_fetch("*", path)
    for path in ("/leave/x", "/confirm/x", "/preferences/x", "/admin/", "/search/?q=x", "/digests/x/", "/one-click/x"):
        assert not robots.can_fetch("*", path)


def test_a_papers_data_cannot_end_its_script(client: Client) -> None:
    paper = Paper.objects.create(title="</script><script>alert(1)//", listed_on=date(2026, 3, 20))
    assert "<" not in scholarly_article(paper, [])
    content = client.get(f"/papers/{paper.pk}/{paper.slug}/").content.decode()
    assert "</script><script>alert" not in content
    assert "application/ld+json" in content


def test_a_list_names_its_own_address_on_every_page(client: Client) -> None:
    page = client.get("/topics/?utm_source=x").content.decode()
    assert '<link rel="canonical" href="https://papers.example/topics/">' in page
    assert '<meta property="og:url" content="https://papers.example/topics/">' in page
