"""An operator's own table: what is taken of a row, and that whatever is not is said."""

import json
from datetime import UTC, date, datetime

import pytest

from papers.records import ListingRecord, ReadingRecord
from papers.sources import table
from papers.sources.shapes import Parsed, SourceError
from tests.conftest import NOW
from tests.papers.conftest import DAY


def row(name: str, value: object, day: date | None = None) -> Parsed:
    return table.parse(json.dumps({"title": "T", name: value}).encode(), NOW, day)


def said(parsed: Parsed) -> list[str]:
    assert parsed.skipped == ()
    return [str(one).removeprefix("line 1: ").removesuffix(", and was left out") for one in parsed.left_out]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("yesterday", "is none, such as 2026-03-20"),
        ("2026-03-22", "is still to come"),
        ("2031-01-01", "is still to come"),
        ("1991-07-31", "is before August 1991"),
        ("1950-01-01", "is before August 1991"),
    ],
)
def test_a_day_on_which_nothing_was_listed_is_left_out_and_said(text: str, words: str) -> None:
    parsed = row("day", text)
    assert parsed.records[0].listing is None
    assert said(parsed) == [f"the day “{text}” {words}"]
    asked_for = row("day", text, DAY)
    assert asked_for.records[0].listing == ListingRecord("table", DAY)
    assert said(asked_for) == [f"the day “{text}” {words}, and was left out: 2026-03-20 was asked for"]


@pytest.mark.parametrize("text", ["2026-03-21", "1991-08-01", 20260320])
def test_a_day_of_a_listing_is_taken(text: object) -> None:
    assert said(row("day", text)) == []
    assert row("day", text).records[0].listing


def test_a_paper_may_be_older_than_any_listing_but_not_than_any_paper() -> None:
    assert row("published", "1950-01-01").records[0].published_at == datetime(1950, 1, 1, tzinfo=UTC)
    assert said(row("published", "1899-12-31")) == ["the published “1899-12-31” is before January 1900"]


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("place", "one", "“one” is no number from 1 to 100,000"),
        ("place", 2, "“2” is of no day"),
        ("place", 100_001, "“100001” is no number from 1 to 100,000"),
        ("upvotes", "many", "“many” is no count"),
        ("comments", -1, "“-1” is no count"),
        ("stars", True, "“True” is no count"),
        ("arxiv_id", "zzz", "“zzz” is no arXiv id"),
        ("doi", "zzz", "“zzz” is no DOI"),
        ("url", "ftp://x.example", "“ftp://x.example” is no address of the web"),
        ("pdf_url", {"a": 1}, "“{…}” is no address of the web"),
        ("code_url", "x" * 999, f"“{'x' * 59}…” is no address of the web"),
        ("abstract", 5, "“5” is no text"),
        ("authors", {"name": "Ada"}, "“{…}” is no name"),
        ("authors", ["Ada", 5, ["Alan"]], "“5”, “[…]” is no name"),
        ("categories", "cs.LG Learning 7", "“Learning”, “7” is none of arXiv's"),
        ("categories", 7, "“7” is none of arXiv's"),
    ],
)
def test_a_value_that_is_none_is_left_out_and_said(name: str, value: object, words: str) -> None:
    assert said(row(name, value)) == [f"{'of the' if name in table.PARTS else 'the'} {name} {words}"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        *(
            ("categories", [" cs.LG ", ""]),
            ("upvotes", 7.0),
            ("stars", "0"),
            ("arxiv_id", "arXiv:2603.00001v2"),
            ("authors", "Ada; Alan"),
        ),
        *(("doi", "10.1000/X"), ("doi", "10.48550/arXiv.2603.00001"), ("url", "http://x.example"), ("categories", [])),
        *((name, empty) for name in table.COLUMNS[1:] for empty in (None, "", " ")),
    ],
)
def test_of_what_is_taken_or_empty_nothing_is_said(name: str, value: object) -> None:
    assert said(row(name, value)) == []


def test_a_number_is_taken_with_its_noughts_too() -> None:
    parsed = table.parse(b'{"title": "T", "place": 2.0, "upvotes": 7.0}', NOW, DAY)
    assert (parsed.records[0].listing, parsed.records[0].reading) == (
        ListingRecord("table", DAY, 2),
        ReadingRecord(NOW, 7),
    )
    assert said(parsed) == []


@pytest.mark.parametrize("title", [5, 5.5, True, ["T"], {"T": 1}])
def test_a_title_that_is_no_text_costs_its_row(title: object) -> None:
    parsed = table.parse(json.dumps({"title": "T"}).encode() + b"\n" + json.dumps({"title": title}).encode(), NOW)
    assert [record.title for record in parsed.records] == ["T"]
    assert str(parsed.skipped[0]).startswith("line 2: the title “")
    with pytest.raises(SourceError, match="is no text"):
        row("title", title)


def test_of_a_row_that_is_skipped_no_values_are_said() -> None:
    parsed = table.parse(b"title,place\nT,1\n...,one\n", NOW, DAY)
    assert (len(parsed.skipped), parsed.left_out) == (1, ())
