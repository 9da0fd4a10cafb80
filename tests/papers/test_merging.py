"""Two rows of one work become one, and stay one."""

from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from papers import duplicates
from papers.merging import MergeError, merge, relations
from papers.models import Keyword, Merged, Paper, PaperTopic, Topic
from papers.records import PaperRecord
from tests.conftest import NOW

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("fixed_clock")]
ARXIV = PaperRecord.from_source(
    title="Pointer Networks", authors=["Oriol Vinyals"], arxiv_id="1506.03134", abstract="We introduce a network."
)
JOURNAL = PaperRecord.from_source(title="Pointer nets", authors=["O. Vinyals"], doi="10.1000/ptr", abstract="Nets.")
PAGE = PaperRecord.from_source(title="Pointer Network", abstract="We introduce.")


@pytest.fixture
def pair() -> tuple[Paper, Paper]:
    Paper.objects.upsert([ARXIV, JOURNAL])
    return Paper.objects.get(arxiv_id="1506.03134"), Paper.objects.get(doi="10.1000/ptr")


def merged(keep: Paper, drop: Paper) -> Paper:
    merge(keep.pk, drop.pk, NOW, "a test")
    keep.refresh_from_db()
    return keep


def test_the_row_that_stays_learns_the_others_ids_and_keeps_its_text(pair: tuple[Paper, Paper]) -> None:
    keep = merged(*pair)
    assert (keep.arxiv_id, keep.doi, keep.title) == ("1506.03134", "10.1000/ptr", "Pointer Networks")
    assert Paper.objects.get() == keep


def test_better_text_comes_along_and_so_does_what_a_person_has_set(pair: tuple[Paper, Paper]) -> None:
    arxiv, journal = pair
    Paper.objects.filter(pk=journal.pk).update(edited_fields=["title"])
    keep = merged(journal, arxiv)
    assert (keep.title, keep.abstract) == ("Pointer nets", "We introduce a network.")
    assert keep.edited_fields == ["title"]


@pytest.mark.parametrize("record", [ARXIV, JOURNAL], ids=["arXiv", "journal"])
def test_no_source_brings_it_back(pair: tuple[Paper, Paper], record: PaperRecord) -> None:
    keep = merged(pair[1], pair[0])
    title = keep.title
    assert Paper.objects.upsert([record]).new == 0
    assert Paper.objects.upsert([PAGE, record]).updated == 0
    assert Paper.objects.get(pk=keep.pk).title == title


def test_a_page_that_knows_only_the_former_title_means_the_row_that_stayed() -> None:
    Paper.objects.upsert([ARXIV, PAGE])
    keep = merged(Paper.objects.get(arxiv_id="1506.03134"), Paper.objects.get(arxiv_id=None))
    assert Paper.objects.upsert([PAGE]).paper_ids == [keep.pk]
    assert Paper.objects.get().title == "Pointer Networks"


def test_two_arxiv_ids_that_an_editor_calls_one_work_stay_one() -> None:
    again = PaperRecord.from_source(title="Pointer Networks, again", arxiv_id="1506.99999")
    Paper.objects.upsert([ARXIV, again])
    merged(*Paper.objects.order_by("pk"))
    assert Paper.objects.upsert([again]).new == 0
    assert Paper.objects.numbers_by_arxiv_id(["1506.99999"]) == {"1506.99999": Paper.objects.get().pk}


def test_readings_and_listings_come_together_and_the_better_place_counts(pair: tuple[Paper, Paper]) -> None:
    keep, drop = pair
    for paper, place, upvotes, hours in ((keep, 7, 5, 0), (drop, 2, 9, 0), (drop, 4, 30, 1)):
        paper.readings.get_or_create(taken_at=NOW + timedelta(hours=hours), defaults={"upvotes": upvotes})
        paper.listings.create(source="page", day=NOW.date() + timedelta(hours and 1), place=place)
    merged(keep, drop)
    assert list(keep.listings.values_list("place", flat=True)) == [4, 2]
    assert list(keep.readings.values_list("upvotes", flat=True)) == [30, 5]


def test_an_editors_word_on_a_topic_comes_along(pair: tuple[Paper, Paper], topics: dict[str, Topic]) -> None:
    keep, drop = pair
    topic = topics["robotics"]
    PaperTopic.objects.create(paper=keep, topic=topic, strength=0.5, source="text")
    PaperTopic.objects.create(paper=drop, topic=topic, strength=0.9, source="editor")
    merged(keep, drop)
    row = PaperTopic.objects.get(topic=topic)
    assert (row.paper, row.strength, row.source) == (keep, 0.9, "editor")


def test_what_is_made_of_the_text_is_made_anew(pair: tuple[Paper, Paper]) -> None:
    Keyword.objects.create(paper=pair[1], term="nets", weight=1)
    keep = merged(*pair)
    assert list(keep.authorships.values_list("name", flat=True)) == ["Oriol Vinyals"]
    assert not keep.keywords.filter(term="nets", weight=1).exists()


def test_old_addresses_lead_on_also_through_two_mergings(pair: tuple[Paper, Paper], client: Client) -> None:
    keep, drop = pair
    third = Paper.objects.create(title="Pointer net", authors=["O. Vinyals"])
    merged(drop, third)
    merged(keep, drop)
    for number in (drop.pk, third.pk):
        assert client.get(f"/papers/{number}/pointer-nets/", secure=True)["Location"] == (
            f"/papers/{keep.pk}/pointer-networks/"
        )
        assert client.get(f"/api/v1/papers/{number}", secure=True).json()["title"] == "Pointer Networks"


def test_every_relation_to_a_paper_is_known_and_nothing_hangs_on_the_row_that_goes(pair: tuple[Paper, Paper]) -> None:
    tables = {relation.model.__name__ for relation in relations()}
    assert tables >= {"Reading", "Listing", "PaperTopic", "Authorship", "Keyword", "Merged"}
    assert tables >= {"DigestPaper", "EditionPaper", "Feedback"}
    _, drop = pair
    number = drop.pk
    merged(*pair)
    for relation in relations():
        assert not relation.model._base_manager.filter(**{relation.attname: number}).exists()


@pytest.mark.parametrize("numbers", [(1, 1), (0, 0)], ids=["the same", "unknown"])
def test_it_takes_two_papers(pair: tuple[Paper, Paper], numbers: tuple[int, int]) -> None:
    with pytest.raises(MergeError):
        merge(pair[0].pk * numbers[0], pair[0].pk * numbers[1], NOW, "a test")
    assert Paper.objects.count() == 2


def test_a_dry_run_says_what_would_be_done_and_does_nothing(pair: tuple[Paper, Paper]) -> None:
    pair[1].listings.create(source="page", day=NOW.date(), place=1)
    out = StringIO()
    call_command("merge_papers", pair[0].pk, pair[1].pk, dry_run=True, stdout=out)
    assert "1 listings moved." in out.getvalue()
    assert "doi: None -> 10.1000/ptr" in out.getvalue()
    assert (Paper.objects.count(), Merged.objects.count()) == (2, 0)


def test_the_command_merges_and_names_what_is_alike(pair: tuple[Paper, Paper]) -> None:
    Paper.objects.upsert([PAGE])
    out = StringIO()
    call_command("merge_papers", stdout=out)
    assert f"{pair[0].pk} {Paper.objects.latest('pk').pk}  titles 97 % alike: Pointer Networks" in out.getvalue()
    call_command("merge_papers", pair[0].pk, pair[1].pk, stdout=out)
    assert Merged.objects.get().paper == pair[0]
    with pytest.raises(CommandError, match="Name two papers"):
        call_command("merge_papers", pair[0].pk)


class TestProposals:
    @pytest.mark.parametrize(
        ("other", "why"),
        [
            ({"title": "Pointer networks!"}, "the same title"),
            ({"title": "Pointer Network"}, "titles 97 % alike"),
            ({"title": "P-Nets", "pdf_url": "https://arxiv.org/pdf/1506.03134v2"}, "both name 1506.03134"),
            ({"title": "P-Nets", "doi": "10.48550/arxiv.1506.03134"}, "both name 1506.03134"),
            ({"title": "Graph Attention Networks"}, None),
            ({"title": "Pointer Networks", "arxiv_id": "1506.03135"}, None),
        ],
    )
    def test_what_may_be_one_work_is_proposed_with_the_reason(self, other: dict[str, Any], why: str | None) -> None:
        Paper.objects.upsert([ARXIV])
        known = Paper.objects.get()
        row = Paper.objects.create(authors=["Somebody Else"], **other)
        found = duplicates.latest()
        assert [(pair.keep, pair.drop, pair.why) for pair in found] == ([(known, row, why)] if why else [])

    def test_of_a_paper_the_like_are_found_by_its_words(self) -> None:
        text = "Pointer networks learn to point at the parts of their input."
        one = Paper.objects.create(
            title="Pointer Networks", abstract=text, published_at=datetime(2015, 6, 9, tzinfo=UTC)
        )
        other = Paper.objects.create(title="Pointer Network", abstract=text)
        for paper in (one, other):
            Keyword.objects.create(paper=paper, term="pointer", weight=1)
        assert [(pair.keep, pair.drop) for pair in duplicates.of(other)] == [(one, other)]
