"""Papers are found by their words, alike on both databases."""

from datetime import date
from itertools import chain

import pytest
from django.db import DatabaseError, connection
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries, Settings

from papers import search, search_index
from papers.models import Listing, Paper
from papers.search import LONGEST_QUERY, MOST_FOUND, Query, find, plain
from papers.trends import rank
from papers.views.lists import PAGE_SIZE

pytestmark = pytest.mark.django_db

# What an older make, or a table made anew, lacks.
BREAK = {"sqlite": "DROP TRIGGER papers_search_inserted", "postgresql": "COMMENT ON FUNCTION papers_plain(text) IS ''"}
CHGNET = "CHGNet: Pretrained universal neural network potential"


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


@pytest.fixture
def library() -> dict[str, Paper]:
    """A few papers that share words."""
    rows = [
        ("materials", CHGNET, ["Bowen Deng", "Gerbrand Ceder"], "We train on inorganic crystals."),
        ("crystals", "Growing crystals", ["Ada Müller"], "A study of potentials in neural tissue."),
        ("gpt", "GPT-4 and p53/MDM2", ["Alex Graves"], "State-of-the-art results with 3.5 times fewer errors."),
        ("french", "Méthode générale", ["Jean-Pierre Serre"], "On the crystals of l'École."),
        ("carbon", "CO₂ ﬁlters", ["Kaiming He", "Søren Łukasz Groß"], "Poincaré’s “guess”—out–of–reach, 10⁻³."),
        ("cyrillic", "О Графах и Δ", ["Иван Петров"], "Ｗｉｄｅ ℓ₁ and AT&T/IBM."),
    ]
    papers = {
        name: Paper.objects.create(title=title, authors=authors, abstract=abstract)
        for name, title, authors, abstract in rows
    }
    papers["gpt"].arxiv_id, papers["gpt"].doi = "2503.01234", "10.1000/abc.1"
    papers["gpt"].save()
    return papers


def names(library: dict[str, Paper], text: str) -> list[str]:
    by_row = {paper.pk: name for name, paper in library.items()}
    return [by_row[pk] for pk in find(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("chgnet", ["materials"]),
        ("crystal", ["crystals", "materials", "french"]),  # the title before abstracts
        ("CRYSTALS Ceder", ["materials"]),  # all words, wherever they stand
        ("muller", ["crystals"]),
        ("Müller", ["crystals"]),
        ("Mu\u0308ller", ["crystals"]),
        ("ecole", ["french"]),
        ("methode", ["french"]),
        ("graves", ["gpt"]),
        ("gpt 4", ["gpt"]),
        ("GPT-4", ["gpt"]),
        ("MDM2", ["gpt"]),
        ("state of the art", ["gpt"]),
        ("3.5", ["gpt"]),
        ("jean-pierre", ["french"]),
        ('"universal neural network"', ["materials"]),
        ('"network neural"', []),
        ("“neural network”", ["materials"]),
        ("neural -tissue", ["materials"]),
        ('neural -"neural network"', ["crystals"]),
        ("-neural", []),
        ("CO2", ["carbon"]),
        ("CO₂ filter", ["carbon"]),
        ("soren lukasz gross", ["carbon"]),
        ("Søren Groß", ["carbon"]),
        ("poincare guess reach", ["carbon"]),
        ("10", ["carbon"]),
        ("He", ["carbon"]),  # a stop word, and a name
        ("kaiming he", ["carbon"]),
        ("the filters of he", ["carbon"]),
        ("of the", []),
        ("filters -the", ["carbon"]),
        ("графах", ["cyrillic"]),
        ("ИВАН δ", ["cyrillic"]),
        ("wide l1", ["cyrillic"]),
        ("IBM", ["cyrillic"]),
        ("neural OR nothing", []),
        ("zebra", []),
        ("", []),
        ("?!", []),
        ("arXiv:2503.01234v3", ["gpt"]),
        ("https://arxiv.org/abs/2503.01234", ["gpt"]),
        ("https://doi.org/10.1000/ABC.1", ["gpt"]),
    ],
)
def test_papers_are_found_by_their_words(library: dict[str, Paper], text: str, expected: list[str]) -> None:
    assert sorted(names(library, text)) == sorted(expected)
    assert names(library, text)[:1] == expected[:1]


def test_a_title_counts_more_than_an_author_and_an_author_more_than_an_abstract() -> None:
    said = Paper.objects.create(title="One", abstract="The Boltzmann machine.", hot=9)
    wrote = Paper.objects.create(title="Two", authors=["Ludwig Boltzmann"], abstract="Gases.", hot=5)
    named = Paper.objects.create(title="Boltzmann machines", abstract="Gases.", hot=1)
    assert find("boltzmann") == [named.pk, wrote.pk, said.pk]


def test_among_equals_the_hotter_one_comes_first() -> None:
    rows = [Paper.objects.create(title="Equal words", authors=[f"Writer{n}"], hot=n) for n in (1, 3, 2)]
    assert find("equal") == [rows[1].pk, rows[2].pk, rows[0].pk]


def test_an_authors_full_name_finds_that_author_before_the_same_words_elsewhere() -> None:
    namesake = Paper.objects.create(title="Young and will", authors=["Thomas Will", "Ada Young"], hot=9)
    meant = Paper.objects.create(title="Optics", authors=["Thomas Young"])
    assert find("Thomas Young") == find("young, thomas") == [meant.pk, namesake.pk]
    assert meant.pk not in find("thomas -optics")


def test_a_rare_name_is_found_behind_any_number_of_hot_mentions() -> None:
    mentions = [Paper(title=f"No. {n}", title_key=str(n), abstract="By Bayes.", hot=9) for n in range(MOST_FOUND + 1)]
    Paper.objects.bulk_create(mentions)
    wrote = Paper.objects.create(title="Chances", authors=["Thomas Bayes"])
    assert find("bayes")[0] == wrote.pk
    assert len(find("bayes")) == MOST_FOUND


@pytest.mark.parametrize("window", [1, 3, 100])
def test_how_many_of_the_hottest_are_looked_at_first_changes_nothing(
    monkeypatch: pytest.MonkeyPatch, window: int
) -> None:
    monkeypatch.setattr(search, "WINDOW", window)
    rows = [Paper.objects.create(title=f"{'Waves' if n % 2 else 'Tides'} {n}", hot=n) for n in range(10)]
    assert find("waves -tides") == [rows[n].pk for n in (9, 7, 5, 3, 1)]


def test_a_text_of_any_length_can_be_stored_and_its_beginning_found() -> None:
    words = (f"w{number:x}" for number in range(300_000))
    paper = Paper.objects.create(title="Long", abstract=" ".join(["beginning", *words]))
    assert find("beginning") == [paper.pk]


def test_what_is_changed_or_deleted_is_found_as_it_is_now(library: dict[str, Paper]) -> None:
    library["materials"].title = "Renamed"
    Paper.objects.bulk_update([library["materials"]], ["title"])
    Paper.objects.bulk_create([Paper(title="Chgnet again", title_key="x")])
    library.pop("crystals").delete()
    assert [Paper.objects.get(pk=pk).title for pk in find("chgnet")] == ["Chgnet again"]
    assert names(library, "renamed") == ["materials"]
    assert set(names(library, "crystals")) == {"materials", "french"}


def test_the_databases_read_a_text_as_we_read_a_query() -> None:
    codes = chain(range(0x20, 0x530), range(0x1E00, 0x2132), range(0xAC00, 0xAC40), range(0xFB00, 0xFB07))
    text = " ".join(f"a{char}b" for char in map(chr, codes) if char.isalnum())
    with connection.cursor() as cursor:
        cursor.execute("SELECT papers_plain(%s)", [text])
        [(read,)] = cursor.fetchall()
    assert read.lower().split() == plain(text).split()


@pytest.mark.django_db(transaction=True)
def test_an_index_that_lost_a_part_is_made_anew_and_one_that_was_taken_away_is_not() -> None:
    Paper.objects.create(title="Kept")
    with connection.schema_editor() as editor:
        editor.execute(BREAK[connection.vendor])
    search_index.repair("default")
    assert len(find("kept")) == 1
    with connection.schema_editor() as editor:
        search_index.remove(editor)
    search_index.repair("default")
    with pytest.raises(DatabaseError):
        find("kept")
    with connection.schema_editor() as editor:
        search_index.install(editor)
    assert len(find("kept")) == 1


def test_an_index_that_is_whole_is_left_alone(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        search_index.repair("default")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.text(st.characters(), max_size=60) | st.text("\"-*^:(){}\\'%&|!<>+~ aN\x00", max_size=30))
def test_no_text_breaks_the_search(text: str) -> None:
    find(text)


@pytest.mark.parametrize(
    "text",
    [
        "\ud800",
        "x" * 100_000,
        "a " * 50_000,
        "NEAR(a b)",
        "title:x",
        "a* b^",
        '"',
        "--",
        "\x00",
        "10.1000/a\x00b",
        "10.1000/\ud800",
    ],
)
def test_hostile_queries_get_a_page(client: Client, library: dict[str, Paper], text: str) -> None:
    assert find(text) is not None
    response = client.get("/search/", {"q": text.encode("utf-8", "replace").decode()})
    assert response.status_code == 200
    if len(text) > LONGEST_QUERY:
        assert f"first {LONGEST_QUERY} characters" in response.content.decode()


@given(st.text(max_size=300))
def test_a_query_is_words_alone(text: str) -> None:
    query = Query.parse(text)
    for words in (*query.wanted, *query.unwanted):
        assert words.replace(" ", "").isalnum()


def test_the_page_keeps_the_words_and_counts_on(client: Client) -> None:
    papers = [Paper.objects.create(title=f"Wanted <b> {n}", listed_on=date(2026, 3, 20)) for n in range(PAGE_SIZE + 1)]
    Listing.objects.bulk_create(Listing(paper=one, source="page", day=date(2026, 3, 20)) for one in papers)
    rank(papers)
    page = client.get("/search/", {"q": "wanted <b>"})
    assert 'value="wanted &lt;b&gt;"' in page.content.decode()
    assert "?q=wanted" in page.content.decode()
    second = client.get("/search/", {"q": "wanted", "page": 2}).context["page"]
    assert [line.place for line in second.lines] == [PAGE_SIZE + 1]
    assert client.get("/search/", {"q": "wanted", "page": 3}).status_code == 404


def test_nothing_found_offers_ways_on(client: Client) -> None:
    content = client.get("/search/", {"q": "zebra"}).content.decode()
    assert "Nothing has these words" in content
    assert "noindex" in content


def test_a_search_costs_few_queries(
    client: Client, library: dict[str, Paper], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_max_num_queries(8):
        client.get("/search/", {"q": "crystals"})
