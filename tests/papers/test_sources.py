"""What each source's answers are read as, in their documented shapes."""

from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from papers.records import ListingRecord, PaperRecord, ReadingRecord
from papers.sources import arxiv_api, arxiv_feed, arxiv_oai, hugging_face, table
from papers.sources.shapes import Ask, Parsed, SourceError, Wish
from tests.conftest import NOW
from tests.papers.conftest import DAY
from tests.papers.replay import announced, as_json, daily, feed, found, harvested, rss

ASK = Ask("https://source.example/x", DAY)
WISH = Wish("https://source.example/x", today=DAY, categories=("cs.LG", "hep-th"))


def only(parsed: Parsed) -> PaperRecord:
    assert parsed.skipped == ()
    (record,) = parsed.records
    return record


def reasons(parsed: Parsed) -> str:
    return "; ".join(map(str, parsed.skipped))


def test_a_daily_paper_is_read_with_its_day_place_and_counts() -> None:
    record = only(hugging_face.parse(as_json(daily("2603.00001v2", "Pointer Networks")), ASK, NOW))
    assert (record.arxiv_id, record.authors) == ("2603.00001", ("Ada Lovelace", "Alan Turing"))
    assert (record.listing, record.reading) == (ListingRecord("hugging-face", DAY, 1), ReadingRecord(NOW, 12, 3, 152))
    assert (record.code_url, record.published_at) == (
        "https://github.com/ada/engine",
        datetime(2026, 3, 18, tzinfo=UTC),
    )


def test_a_daily_paper_without_its_day_is_of_the_day_asked_for() -> None:
    row = daily("2603.00001", "Pointer Networks", submittedOnDailyAt=None, summary=None)
    record = only(hugging_face.parse(as_json({**row, "summary": "Outside."}), ASK, NOW))
    assert (record.listing, record.abstract) == (ListingRecord("hugging-face", DAY, 1), "Outside.")


def test_a_paper_on_the_list_of_another_day_has_no_place_there() -> None:
    record = only(hugging_face.parse(as_json(daily("2603.00001", "T", day="2026-03-18")), ASK, NOW))
    assert record.listing == ListingRecord("hugging-face", date(2026, 3, 18), None)


def test_malformed_daily_papers_are_skipped_and_reported() -> None:
    rows = [
        "a string",
        {"paper": "a string"},
        daily("1", "…"),
        daily("2603.00001", "Good"),
        None,
        daily("x", "A title"),
    ]
    parsed = hugging_face.parse(as_json(*rows), ASK, NOW)
    assert [record.title for record in parsed.records] == ["Good", "A title"]
    assert reasons(parsed).startswith("paper 1: it is no paper; paper 2: it is no paper; paper 3: The title has no")


@pytest.mark.parametrize("count", [-1, True, "many", 10**30, 1.5, None, [], float("nan")])
def test_a_count_that_is_none_is_not_read(count: object) -> None:
    record = only(hugging_face.parse(as_json(daily("2603.00001", "T", upvotes=count)), ASK, NOW))
    assert record.reading == ReadingRecord(NOW, 0, 3, 152)


@pytest.mark.parametrize("day", ["0000-01-01", "9999-12-31", "2026-06-30", "1969-01-01", "soon"])
def test_an_impossible_day_is_replaced_by_the_day_asked_for_and_reported(day: str) -> None:
    parsed = hugging_face.parse(as_json(daily("2603.00001", "T", day=day)), ASK, NOW)
    assert parsed.records[0].listing == ListingRecord("hugging-face", DAY, 1)
    assert "is no day for a listing" in reasons(parsed)


def test_a_full_answer_is_followed_by_its_next_page() -> None:
    full = as_json(*(daily(f"2603.{n:05}", f"Paper {n}") for n in range(100)))
    (ask,) = hugging_face.asks(replace(WISH, categories=()))
    (following,) = hugging_face.parse(full, ask, NOW).follow
    assert following.url.endswith("date=2026-03-20&limit=100&p=1")
    assert hugging_face.parse(as_json(daily("1", "Last")), following, NOW).records[0].listing == ListingRecord(
        "hugging-face", DAY, 101
    )


def test_daily_papers_are_asked_for_by_day_week_month_and_trend() -> None:
    def queries(**words: object) -> list[str]:
        wish = replace(WISH, since=date(2026, 2, 27), until=date(2026, 3, 2), **words)
        return [ask.url.partition("?")[2].removesuffix("&limit=100") for ask in hugging_face.asks(wish)]

    assert queries(view="day") == ["date=2026-02-27", "date=2026-02-28", "date=2026-03-01", "date=2026-03-02"]
    assert queries(view="week") == ["week=2026-W09", "week=2026-W10"]
    assert queries(view="month") == ["month=2026-02", "month=2026-03"]
    assert queries(view="trending") == ["sort=trending"]


def test_days_that_are_due_are_asked_for_afresh() -> None:
    today, due = hugging_face.asks(replace(WISH, reread=(date(2026, 3, 13),)))
    assert (today.day, today.fresh, due.day, due.fresh) == (DAY, False, date(2026, 3, 13), True)


@pytest.mark.parametrize("content", [feed(announced("2603.00001v1", "Pointers")), rss("2603.00001v1", "Pointers")])
def test_an_announced_paper_is_listed_on_arxivs_own_day(content: bytes) -> None:
    record = only(arxiv_feed.parse(content, ASK, NOW))
    assert (record.arxiv_id, record.listing) == ("2603.00001", ListingRecord("arxiv", DAY))
    assert (record.categories[0], record.abstract.startswith("We propose")) == ("cs.LG", True)
    assert "Emmy Noether" in record.authors


def test_an_announcements_text_is_made_plain() -> None:
    record = only(arxiv_feed.parse(feed(announced("2603.00001v1", "Pointers")), ASK, NOW))
    assert (record.abstract, record.authors) == ("We propose a network with α.", ("André Weil", "Emmy Noether"))
    assert record.categories == ("cs.LG", "stat.ML")


def test_a_new_version_is_no_listing() -> None:
    record = only(arxiv_feed.parse(feed(announced("2603.00001v2", "Pointers", "replace-cross")), ASK, NOW))
    assert (record.listing, record.published_at, record.only_known) == (None, None, True)


def test_a_weekend_feed_is_a_quiet_day() -> None:
    assert arxiv_feed.parse(feed(), ASK, NOW) == Parsed()


def test_a_feed_has_one_request_and_no_past() -> None:
    assert [ask.url for ask in arxiv_feed.asks(WISH)] == ["https://source.example/x/cs.LG+hep-th"]
    with pytest.raises(SourceError, match="arxiv-oai"):
        arxiv_feed.asks(replace(WISH, since=DAY))
    with pytest.raises(SourceError, match="no arXiv category"):
        arxiv_feed.asks(replace(WISH, categories=("../../etc",)))


def test_an_entry_that_is_no_paper_costs_itself_alone() -> None:
    entries = [announced("nonsense", "T"), announced("2603.00001", "T", "gossip"), announced("2603.00002", "T")]
    parsed = arxiv_feed.parse(feed(*entries), ASK, NOW)
    assert [record.arxiv_id for record in parsed.records] == ["2603.00002"]
    assert reasons(parsed) == "entry 1: it has no arXiv id; entry 2: “gossip” is no kind of announcement"


def test_a_feed_in_a_wrong_charset_loses_only_its_letters() -> None:
    content = feed(announced("2603.00001", "Schr\N{LATIN SMALL LETTER O WITH DIAERESIS}dinger")).replace(
        "ö".encode(), b"\xf6"
    )
    parsed = arxiv_feed.parse(content.replace(b"network", b"net\x0bwork"), ASK, NOW)
    assert parsed.records[0].title == "Schr�dinger"
    assert "letters that XML does not have" in reasons(parsed)


def test_a_found_paper_is_read_with_its_primary_category_first() -> None:
    record = only(arxiv_api.parse(found(("2603.00001v3", "Pointer Networks")), ASK, NOW))
    assert (record.arxiv_id, record.doi) == ("2603.00001", "10.1000/engine.v3")
    assert (record.categories, record.code_url) == (("cs.LG", "stat.ML"), "https://github.com/ada/engine")
    assert (record.authors, record.listing) == (("Ada Lovelace", "Alan Turing"), None)


def test_an_error_of_arxiv_comes_as_a_feed_with_one_entry() -> None:
    content = found(("2603.00001", "Error")).replace(b"abs/2603.00001", b"api/errors#incorrect_id_format_for_x")
    with pytest.raises(SourceError, match=r"refuses: We propose\."):
        arxiv_api.parse(content, ASK, NOW)


def test_a_search_goes_on_page_by_page() -> None:
    (ask,) = arxiv_api.asks(replace(WISH, since=date(2026, 3, 1), until=DAY))
    assert (
        "search_query=%28cat%3Acs.LG+OR+cat%3Ahep-th%29+AND+submittedDate%3A%5B202603010000+TO+202603202359" in ask.url
    )
    (following,) = arxiv_api.parse(found(("2603.00001", "T"), total=2), ask, NOW).follow
    assert "start=1&" in following.url
    assert arxiv_api.parse(found(("2603.00002", "T"), total=2), following, NOW).follow == ()
    assert arxiv_api.parse(found(total=2), ask, NOW).follow == ()


def test_ids_are_asked_for_a_hundred_at_a_time() -> None:
    asks = arxiv_api.asks(replace(WISH, ids=tuple(f"2603.{n:05}" for n in range(150))))
    assert [ask.url.count("2603.") for ask in asks] == [100, 50]


def test_a_harvested_paper_is_read_and_a_deleted_one_is_not() -> None:
    (ask,) = arxiv_oai.asks(replace(WISH, categories=("cs",)))
    record = only(arxiv_oai.parse(harvested(("2603.00001", "Pointer Networks")), ask, NOW))
    assert (record.arxiv_id, record.authors, record.doi) == ("2603.00001", ("Ada Lovelace",), "10.1000/oai.01")
    assert record.published_at == datetime(2026, 3, 18, tzinfo=UTC)


def test_a_harvest_goes_on_by_its_token_and_keeps_to_its_categories() -> None:
    ask, physics = arxiv_oai.asks(WISH)
    assert ("set=cs&from=2026-03-18" in ask.url, "set=physics" in physics.url) == (True, True)
    parsed = arxiv_oai.parse(harvested(("2603.00001", "T"), token="a|b&amp;c", categories="cs.CV"), ask, NOW)
    assert (parsed.records, parsed.follow[0].categories) == ((), ("cs.LG",))
    assert parsed.follow[0].url.endswith("?verb=ListRecords&resumptionToken=a%7Cb%26c")


def test_a_harvest_of_a_quiet_day_is_no_error() -> None:
    quiet = harvested(error='<error code="noRecordsMatch">none</error>')
    assert arxiv_oai.parse(quiet, ASK, NOW) == Parsed()
    with pytest.raises(SourceError, match="badResumptionToken it expired"):
        arxiv_oai.parse(harvested(error='<error code="badResumptionToken">it expired</error>'), ASK, NOW)


CSV = (
    "\ufefftitle;abstract;authors;arXiv_id;doi;categories;day;place;upvotes;colour\r\n"
    "Pointer Networks;We propose.;Ada Lovelace, Alan Turing;2603.00010;;cs.LG stat.ML;2026-03-20;2;7;red\r\n"
    "\r\n"
    '"Two\nlines";;;;10.1000/X;;20 March;0;many\r\n'
    ";An abstract alone\r\n"
)


def test_a_table_is_read_row_by_row() -> None:
    parsed = table.parse(CSV.replace("Ada Lovelace, Alan Turing", '"Ada Lovelace; Alan Turing"').encode(), NOW)
    first, second = parsed.records
    assert (first.arxiv_id, first.authors) == ("2603.00010", ("Ada Lovelace", "Alan Turing"))
    assert (first.listing, first.reading) == (ListingRecord("table", DAY, 2), ReadingRecord(NOW, 7))
    assert (second.title, second.doi, second.listing, second.reading) == ("Two lines", "10.1000/x", None, None)
    assert reasons(parsed) == "line 6: The title has no letter in it."
    assert [*map(str, parsed.left_out)] == [
        "line 1: unknown columns, not read: colour",
        "line 4: the day “20 March” is none, such as 2026-03-20, and was left out",
        "line 4: the place “0” is no number from 1 to 100,000, and was left out",
        "line 4: the upvotes “many” is no count, and was left out",
    ]


def test_lines_of_json_are_a_table_too() -> None:
    lines = b'{"title": "One", "authors": ["Ada"]}\n\n[1]\n{"title": \n{"arxiv_id": 2603.0001, "title": "T"}\n'
    parsed = table.parse(lines, NOW, DAY)
    assert [(one.title, one.authors, one.listing) for one in parsed.records] == [
        ("One", ("Ada",), ListingRecord("table", DAY))
    ]
    assert [one.where for one in parsed.skipped] == ["line 3", "line 4", "line 5"]


def test_what_a_table_took_from_a_web_page_is_read_as_text() -> None:
    csv = 'title,abstract,authors\n<b>Nets</b> &amp; Trees,"<p>We find p &lt; 0.05 and n > 3.</p>",Ren&eacute; Thom\n'
    record = only(table.parse(csv.encode(), NOW))
    assert (record.title, record.abstract) == ("Nets & Trees", "We find p < 0.05 and n > 3.")
    assert record.authors == ("René Thom",)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"name,year\nx,1\n", "title"),
        (b"title\n\xff\n", "Line 2 is not UTF-8"),
        (b"title\n", "empty"),
    ],
)
def test_a_table_that_cannot_be_read_says_why(content: bytes, words: str) -> None:
    with pytest.raises(SourceError, match=words):
        table.parse(content, NOW)


def test_a_cell_of_a_megabyte_costs_its_row() -> None:
    parsed = table.parse(b"title,abstract\nBig," + b"x" * 1_000_000 + b"\nSmall,ok\n", NOW)
    assert [record.title for record in parsed.records] == ["Small"]


def test_a_table_that_is_not_there_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SourceError, match="cannot be read"):
        table.download(tmp_path / "nothing.csv")
    monkeypatch.setattr(table, "MAX_BYTES", 1)
    (tmp_path / "t.csv").write_bytes(b"title")
    with pytest.raises(SourceError, match="larger"):
        table.download(tmp_path / "t.csv")
