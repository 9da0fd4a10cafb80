"""One work is one row, however often and from wherever it comes."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from papers.models import Listing, Paper, Reading
from papers.records import ListingRecord, PaperRecord, ReadingRecord

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 3, 20, 9, tzinfo=UTC)
DAY = date(2026, 3, 20)
ARXIV = PaperRecord.from_source(
    title="Pointer Networks",
    abstract="We introduce a new architecture.",
    authors=["Oriol Vinyals", "Meire Fortunato"],
    arxiv_id="1506.03134v1",
    categories=["stat.ML", "cs.LG", "68T05"],
    listing=ListingRecord("arxiv", DAY, 3),
    reading=ReadingRecord(NOW, upvotes=5),
)
PAGE = PaperRecord.from_source(title="Pointer networks", abstract="We introduce sigma.")


def test_a_record_is_stored_with_listing_and_reading() -> None:
    result = Paper.objects.upsert([ARXIV])
    paper = Paper.objects.get()
    assert (result.found, result.new, result.listed, result.read) == (1, 1, 1, 1)
    assert (paper.arxiv_id, paper.categories, paper.listed_on) == ("1506.03134", ["stat.ML", "cs.LG"], DAY)
    assert paper.url == "https://arxiv.org/abs/1506.03134"
    assert (paper.listings.get().place, paper.readings.get().upvotes) == (3, 5)


def test_the_same_records_twice_change_nothing() -> None:
    Paper.objects.upsert([ARXIV, PAGE])
    before = [list(model.objects.order_by("pk").values()) for model in (Paper, Listing, Reading)]
    result = Paper.objects.upsert([ARXIV, PAGE])
    assert (result.new, result.updated, result.unchanged, result.changed_anything) == (0, 0, 1, False)
    assert before == [list(model.objects.order_by("pk").values()) for model in (Paper, Listing, Reading)]


def test_a_new_version_updates_the_text_and_keeps_the_row() -> None:
    Paper.objects.upsert([ARXIV])
    row = Paper.objects.get().pk
    result = Paper.objects.upsert([replace(ARXIV, title="Pointer Nets", abstract="Better.")], at=NOW)
    paper = Paper.objects.get()
    assert (result.updated, paper.pk, paper.title, paper.updated_at) == (1, row, "Pointer Nets", NOW)


def test_a_page_without_ids_finds_the_row_and_does_not_spoil_it() -> None:
    Paper.objects.upsert([ARXIV])
    result = Paper.objects.upsert([PAGE])
    assert (result.unchanged, Paper.objects.get().abstract) == (1, "We introduce a new architecture.")


def test_a_row_from_a_page_learns_its_id_later() -> None:
    Paper.objects.upsert([PAGE])
    Paper.objects.upsert([ARXIV])
    paper = Paper.objects.get()
    assert (paper.arxiv_id, paper.first_author) == ("1506.03134", "vinyals")
    assert paper.title == "Pointer Networks"


def test_different_arxiv_ids_are_different_works_of_one_title() -> None:
    Paper.objects.upsert([ARXIV, replace(ARXIV, arxiv_id="2001.00001")])
    assert Paper.objects.count() == 2


def test_different_first_authors_are_different_works_of_one_title() -> None:
    Paper.objects.upsert([replace(PAGE, authors=("Ada Lovelace",)), replace(PAGE, authors=("Alan Turing",))])
    assert Paper.objects.count() == 2


def test_a_doi_joins_two_sources() -> None:
    journal = PaperRecord.from_source(title="Pointers", doi="10.1000/Pointer")
    Paper.objects.upsert([journal, replace(ARXIV, doi="10.1000/pointer")])
    assert Paper.objects.get().arxiv_id == "1506.03134"


def test_a_doi_of_another_row_is_not_taken_from_it() -> None:
    Paper.objects.upsert([ARXIV, PaperRecord.from_source(title="Other", doi="10.1000/1", arxiv_id="2001.00001")])
    Paper.objects.upsert([replace(ARXIV, doi="10.1000/1")])
    assert list(Paper.objects.order_by("pk").values_list("doi", flat=True)) == [None, "10.1000/1"]


def test_listed_on_is_the_latest_day() -> None:
    older = ListingRecord("arxiv", DAY - timedelta(days=1), 1)
    Paper.objects.upsert([ARXIV, replace(ARXIV, listing=older)])
    assert (Paper.objects.get().listed_on, Listing.objects.count()) == (DAY, 2)


def test_a_place_that_moved_is_moved() -> None:
    Paper.objects.upsert([ARXIV])
    result = Paper.objects.upsert([replace(ARXIV, listing=ListingRecord("arxiv", DAY, 1))])
    assert (result.listed, Listing.objects.get().place) == (1, 1)


def test_the_first_version_dates_a_paper() -> None:
    Paper.objects.upsert([replace(ARXIV, published_at=NOW), replace(ARXIV, published_at=NOW - timedelta(days=9))])
    assert Paper.objects.get().published_at == NOW - timedelta(days=9)


def test_a_thousand_records_need_few_queries(django_assert_max_num_queries: object) -> None:
    records = [replace(ARXIV, arxiv_id=f"2603.{n:05}", title=f"Paper {n}") for n in range(1000)]
    with django_assert_max_num_queries(60):  # type: ignore[operator]
        assert Paper.objects.upsert(records).new == 1000


def test_an_editor_who_corrects_a_title_keeps_identity_in_step() -> None:
    Paper.objects.upsert([PAGE])
    paper = Paper.objects.get()
    paper.title, paper.arxiv_id = "Pointer nets", ""
    paper.save()
    assert Paper.objects.upsert([replace(PAGE, title="Pointer Nets")]).new == 0


def test_addresses_that_no_mail_may_carry_are_dropped() -> None:
    for url in ("javascript:alert(1)", "ftp://x.example/", "https://", "https://a b", "https://[x"):
        assert PaperRecord.from_source(title="T", url=url).url == ""


def test_the_code_is_found_in_the_abstract() -> None:
    record = PaperRecord.from_source(title="T", abstract="Code: https://github.com/ada/engine.git. More.")
    assert record.code_url == "https://github.com/ada/engine.git"


def test_a_title_without_a_letter_is_refused() -> None:
    with pytest.raises(ValueError, match="no letter"):
        PaperRecord.from_source(title=" …\u202e ")
