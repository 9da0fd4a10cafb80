"""What visitors see: papers by day, by topic and one by one."""

from datetime import UTC, date, datetime, timedelta

import pytest
import time_machine
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from papers import similar, trends
from papers.models import Listing, Paper, PaperTopic, Reading, Topic
from papers.views.lists import LAST_PAGE, LINE_SUMMARY, PAGE_SIZE
from papers.views.papers import links
from tests.conftest import NOW
from tests.papers.conftest import ABSTRACT, DAY, SEEDS

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def topic() -> Topic:
    return Topic.objects.create(slug="graphs", name="Graph networks", description="On graphs.", field="Learning")


def shown(title: str, place: int, topic: Topic | None = None, day: date = DAY, **values: object) -> Paper:
    """A paper that a page showed at a place on a day."""
    paper = Paper.objects.create(title=title, abstract=ABSTRACT, listed_on=day, **values)
    Listing.objects.create(paper=paper, source="page", day=day, place=place)
    if topic:
        PaperTopic.objects.create(paper=paper, topic=topic, strength=0.8, source=PaperTopic.Source.TEXT)
    trends.rank([paper])
    return paper


def address(paper: Paper) -> str:
    return reverse("paper", args=[paper.pk, paper.slug])


def read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.content.decode()


def test_the_home_page_shows_the_latest_day_hottest_first(client: Client) -> None:
    shown("Second best", 2)
    shown("The best", 1)
    shown("Of yesterday", 1, day=date(2026, 3, 19))
    page = read(client, "/")
    assert "Friday 20 March" in page
    assert page.index("The best") < page.index("Second best")
    assert "Of yesterday" not in page


def test_the_home_page_of_an_empty_site_says_so_and_takes_addresses(client: Client) -> None:
    page = read(client, "/")
    assert "No papers yet" in page
    assert 'name="email"' in page


@pytest.mark.usefixtures("fixed_clock")
def test_a_line_tells_the_upvotes_or_that_a_paper_is_new(client: Client) -> None:
    counted = shown("Counted", 1)
    Reading.objects.create(paper=counted, taken_at=datetime(2026, 3, 20, 8, tzinfo=UTC), upvotes=1)
    Reading.objects.create(paper=counted, taken_at=datetime(2026, 3, 20, 9, tzinfo=UTC), upvotes=312)
    shown("Not counted", 2)
    page = read(client, "/")
    assert "312 upvotes" in page
    assert ">new<" in page


@pytest.mark.parametrize(("days", "is_new"), [(0, True), (2, True), (3, False), (250, False)])
def test_a_paper_that_nobody_ever_counts_is_new_for_three_days(
    client: Client, fixed_clock: time_machine.Traveller, days: int, is_new: bool
) -> None:
    shown("Not counted", 1)
    fixed_clock.shift(timedelta(days=days))
    for path in ("/", "/papers/2026-03/"):
        assert (">new<" in read(client, path)) == is_new


def test_a_line_holds_a_short_summary_and_not_the_abstract(client: Client) -> None:
    shown("One", 1)
    [line] = client.get("/").context["page"].lines
    assert line.summary.startswith("We propose a network")
    assert len(line.summary) <= LINE_SUMMARY


def test_a_long_day_is_cut_into_pages_that_count_on(client: Client) -> None:
    for place in range(1, PAGE_SIZE + 3):
        shown(f"Paper {place}", place)
    assert f"1–{PAGE_SIZE}" in read(client, "/")
    second = client.get("/?page=2").context["page"]
    assert [line.place for line in second.lines] == [PAGE_SIZE + 1, PAGE_SIZE + 2]
    assert not second.more


@pytest.mark.parametrize("number", ["0", "-1", "x", "", "1e9", "²", "9" * 5000])
def test_what_is_no_page_number_is_the_first(client: Client, number: str) -> None:
    shown("One", 1)
    assert "One" in read(client, f"/?page={number}")


def test_a_page_past_the_end_is_not_found(client: Client) -> None:
    shown("One", 1)
    assert client.get("/?page=2").status_code == 404
    assert client.get(f"/?page={LAST_PAGE + 1}").status_code == 404


def test_the_home_page_asks_as_much_for_one_paper_as_for_many(
    client: Client, topic: Topic, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    for place in range(1, PAGE_SIZE + 1):
        shown(f"Paper {place}", place, topic)
    with django_assert_max_num_queries(8):
        client.get("/")


def test_every_other_page_asks_as_much_for_one_paper_as_for_many(
    client: Client, topic: Topic, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    papers = [
        shown(f"Paper {place} on graphs", place, topic, authors=["Ada Lovelace"]) for place in range(1, PAGE_SIZE)
    ]
    similar.learn(NOW)
    lists = ["/papers/2026-03-20/", "/papers/2026-W12/", "/papers/2026-03/", "/authors/ada-lovelace/"]
    for path in (*lists, "/topics/", "/topics/graphs/", "/search/?q=graphs", address(papers[0])):
        with django_assert_max_num_queries(8):
            assert client.get(path).status_code == 200


@pytest.mark.usefixtures("topics")
def test_the_first_page_with_all_it_needs_stays_under_60_kb(client: Client) -> None:
    call_command("import_papers", str(SEEDS / "trending.txt"), year=2026, verbosity=0)
    static = SEEDS.parent / "newsletter" / "static"
    assets = sum((static / name).stat().st_size for name in ("site.css", "site.js", "favicon.svg"))
    assert len(client.get("/").content) + assets <= 60_000


def test_topics_stand_under_their_fields_in_the_editors_order(client: Client) -> None:
    for position, name in enumerate(["Zeta", "Alpha"]):
        Topic.objects.create(slug=name.lower(), name=name, field="Learning", position=position)
    page = read(client, "/topics/")
    assert page.index("Learning") < page.index("Zeta") < page.index("Alpha")


def test_a_topic_shows_its_own_papers_only(client: Client, topic: Topic) -> None:
    shown("On graphs", 1, topic)
    shown("On something else", 2)
    page = read(client, "/topics/graphs/")
    assert "On graphs" in page
    assert "On something else" not in page


def test_a_topic_without_papers_says_so(client: Client, topic: Topic) -> None:
    assert "No paper on this topic" in read(client, "/topics/graphs/")


def test_a_paper_is_shown_with_why_it_is_trending(client: Client, topic: Topic) -> None:
    page = read(client, address(shown("A paper", 2, topic, authors=["Ada Lovelace", "Bo"])))
    assert '<a href="/authors/ada-lovelace/">Ada Lovelace</a>, <a href="/authors/bo/">Bo</a>' in page
    assert "It was listed on 20 March 2026, with no. 2 on its page." in page
    assert "80 %" in page


def test_a_papers_page_asks_little_however_much_is_known_of_it(
    client: Client, topic: Topic, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    paper = shown("A paper", 1, topic, authors=["Ada Lovelace"])
    for day in range(40):
        Reading.objects.create(paper=paper, taken_at=datetime(2026, 3, 20, tzinfo=UTC) + timedelta(days=day))
        Listing.objects.create(paper=paper, source=f"s{day}", day=DAY)
    with django_assert_max_num_queries(8):
        client.get(address(paper))


def test_a_papers_address_is_mended_when_its_words_are_wrong(client: Client) -> None:
    paper = shown("A paper", 1)
    response = client.get(f"/papers/{paper.pk}/something-else/")
    assert response.status_code == 301
    assert response["Location"] == address(paper)


@pytest.mark.parametrize(
    ("title", "slug"),
    [
        ("Attention & pay", "attention-pay"),
        ("Quantised " * 9, "-".join(["quantised"] * 6)),
        ("x" * 70, "x" * 60),
        ("?!", "paper"),
        ("量子", "paper"),
    ],
)
def test_a_papers_address_ends_in_whole_words(title: str, slug: str) -> None:
    assert Paper(title=title).slug == slug


def test_only_https_is_ever_linked() -> None:
    paper = Paper(url="javascript:alert(1)", pdf_url="http://example.org/a.pdf", code_url="https://example.org/code")
    assert [link.url for link in links(paper)] == ["https://example.org/code"]


def test_a_paper_without_links_offers_to_look_for_its_title(client: Client) -> None:
    page = read(client, address(shown("Attention & pay", 1)))
    assert "https://arxiv.org/search/?query=Attention+%26+pay&amp;searchtype=title" in page


def test_markup_in_a_paper_is_shown_and_never_run(client: Client) -> None:
    paper = shown("<script>alert(1)</script>", 1, authors=["<b>Eve</b>"])
    for path in ("/", address(paper)):
        assert "<script>alert" not in read(client, path)
    assert "<b>Eve" not in read(client, address(paper))


def test_every_page_has_the_box_with_its_topic_chosen(client: Client, topic: Topic) -> None:
    paper = shown("A paper", 1, topic, authors=["Ada Lovelace"])
    chosen = 'name="topics" value="graphs" checked'
    for path in (address(paper), "/topics/graphs/"):
        assert chosen in read(client, path)
    for path in (
        "/",
        "/topics/",
        "/papers/2026-03-20/",
        "/papers/2026-W12/",
        "/papers/2026-03/",
        "/authors/ada-lovelace/",
    ):
        page = read(client, path)
        assert 'name="email"' in page
        assert chosen not in page


def test_public_pages_set_no_cookie_and_know_when_they_have_not_changed(client: Client, topic: Topic) -> None:
    for path in ("/", "/topics/", "/topics/graphs/", "/about/", address(shown("A paper", 1, topic))):
        first = client.get(path)
        assert not first.cookies
        assert first["Cache-Control"] == "public, max-age=300"
        assert "Cookie" not in first.get("Vary", "")
        assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304


def test_the_about_page_gives_the_numbers_that_the_score_is_made_with(client: Client) -> None:
    page = read(client, "/about/")
    assert f"seconds ÷ {trends.SECONDS_PER_UNIT}" in page
    assert f"{trends.PLACE_BONUS} divided by its place" in page


@pytest.mark.parametrize("path", ["/nothing/", "/topics/nothing/", "/papers/4711/nothing/"])
def test_a_wrong_address_is_answered_with_ways_on(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 404
    assert reverse("topics") in response.content.decode()


@pytest.mark.parametrize("name", ["400.html", "403_csrf.html", "500.html"])
def test_pages_for_broken_requests_need_nothing_that_may_be_broken(
    name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(0):
        assert "<h1>" in render_to_string(name)


@pytest.mark.parametrize("path", ["/", "/topics/", "/about/"])
def test_nothing_here_can_be_posted_to(client: Client, path: str) -> None:
    assert client.post(path).status_code == 405
