"""The seed page and its broken copies: everything readable is read, everything left out is named."""

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.sources import seed_page
from papers.sources.seed_page import SeedPageError, parse
from papers.sources.shapes import Parsed
from tests.papers.conftest import ABSTRACT, DAY, TODAY, page

ONE, TWO = ("Pointer Networks", ABSTRACT), ("Neural Tangent Kernel", ABSTRACT)


def titles(found: Parsed) -> list[str]:
    return [record.title for record in found.records]


def reasons(found: Parsed) -> str:
    return "; ".join(map(str, found.skipped))


def test_the_seed_page_has_54_papers_in_their_order(seeds: Parsed) -> None:
    listings = [record.listing for record in seeds.records]
    assert [listing.place for listing in listings if listing] == list(range(1, 55))
    assert (seeds.days, seeds.skipped) == ([DAY], ())
    assert titles(seeds)[0] == "A Deep Neural Network for SSVEP-based Brain-Computer Interfaces"
    assert titles(seeds)[-1].startswith("A brain basis of dynamical intelligence")


def test_every_seed_is_clean_and_whole(seeds: Parsed) -> None:
    assert all(len(record.abstract) > 700 and "\\" not in record.abstract for record in seeds.records)
    texts = " ".join(record.abstract for record in seeds.records)
    assert "100% potential" in texts
    assert "10∼100× speed-up" in texts
    assert "Embedding&MLP" in texts


@pytest.mark.parametrize("end", ["\r\n", "\r", "\n"])
def test_line_ends_of_every_system_are_read(end: str) -> None:
    assert titles(parse(page(ONE, TWO, end=end), today=TODAY)) == [ONE[0], TWO[0]]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_text(encoding: str) -> None:
    found = parse(page(ONE).decode().encode(encoding), today=TODAY)
    assert (titles(found), found.skipped) == ([ONE[0]], ())


def test_a_page_in_another_charset_is_read_and_said_so() -> None:
    found = parse(page(("Schrödinger’s Nets", ABSTRACT)).decode().encode("cp1252"), today=TODAY)
    assert titles(found) == ["Schrödinger’s Nets"]
    assert "line 9: not UTF-8" in reasons(found)


def test_a_page_may_lack_its_banner() -> None:
    assert titles(parse(f"Mar 20\n\n{ONE[0]}\n\n{ONE[1]}".encode(), today=TODAY)) == [ONE[0]]


def test_a_page_may_lack_its_last_abstract() -> None:
    found = parse(page(ONE, ("Neural Tangent Kernel", "")), today=TODAY)
    assert titles(found) == [ONE[0]]
    assert reasons(found) == "line 13: no abstract follows the title “Neural Tangent Kernel”"


def test_an_abstract_lost_in_the_middle_costs_one_paper() -> None:
    found = parse(page(ONE, ("A Title Alone", ""), TWO), today=TODAY)
    assert titles(found) == [ONE[0], TWO[0]]
    assert "no abstract follows the title “A Title Alone”" in reasons(found)


def test_a_title_lost_in_the_middle_costs_one_paper() -> None:
    found = parse(page(ONE, ("", ABSTRACT), TWO), today=TODAY)
    assert titles(found) == [ONE[0], TWO[0]]
    assert "an abstract without a title" in reasons(found)


def test_a_repeated_paper_is_kept_once() -> None:
    found = parse(page(ONE, TWO, ("Pointer networks!", ABSTRACT)), today=TODAY)
    assert [record.listing.place for record in found.records if record.listing] == [1, 2]
    assert reasons(found) == "line 17: “Pointer networks!” is on line 9 already"


def test_a_wrapped_copy_is_joined_again() -> None:
    wrapped = ABSTRACT.replace("network and", "network\nand")
    found = parse(page(("A title of\ntwo lines", wrapped)), today=TODAY)
    assert titles(found) == ["A title of two lines"]
    assert found.records[0].abstract == ABSTRACT.strip()


def test_a_longer_copy_may_hold_several_days() -> None:
    found = parse(page(TWO) + f"\n\nMarch 19\n\n{ONE[0]}\n\n{ONE[1]}".encode(), today=TODAY)
    assert found.days == [date(2026, 3, 19), DAY]
    assert [record.listing.place for record in found.records if record.listing] == [1, 1]


@pytest.mark.parametrize(
    ("day", "today", "expected"),
    [
        ("Mar 20", date(2026, 3, 20), date(2026, 3, 20)),
        ("Mar 20", date(2026, 3, 19), date(2025, 3, 20)),
        ("Feb 29", date(2026, 3, 19), date(2024, 2, 29)),
        ("Dec 31, 2024", date(2026, 3, 19), date(2024, 12, 31)),
    ],
)
def test_a_day_without_a_year_is_the_most_recent_one(day: str, today: date, expected: date) -> None:
    assert parse(page(ONE, day=day), today=today).days == [expected]


def test_year_and_day_can_be_given() -> None:
    assert parse(page(ONE), today=TODAY, year=2024).days == [date(2024, 3, 20)]
    assert parse(page(ONE, day=""), today=TODAY, day=DAY).days == [DAY]
    assert parse(page(ONE), today=TODAY, day=date(2023, 1, 1)).days == [date(2023, 1, 1)]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"),
        (b"new\n\nSubscribe", "it is empty"),
        (page(ONE, day=""), "names no day"),
        (page(ONE, day="Feb 30"), "not in the calendar"),
        (page(ONE, day="Mar 20, 2099"), "in the future"),
        (page(("A title alone", "")), "no abstract follows"),
        (b"<!DOCTYPE html><p>", "HTML"),
        (b"PK\x03\x04\x00\x00", "not a text file"),
    ],
)
def test_a_page_that_cannot_be_read_says_why(content: bytes, words: str) -> None:
    with pytest.raises(SeedPageError, match=words):
        parse(content, today=TODAY)


def test_a_year_out_of_the_calendar_is_refused() -> None:
    with pytest.raises(SeedPageError, match="not in the calendar"):
        parse(page(ONE), today=TODAY, year=0)


def test_a_file_that_is_not_there_or_too_large_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(SeedPageError, match="cannot be read"):
        seed_page.download(tmp_path / "nothing.txt")
    monkeypatch.setattr(seed_page, "MAX_BYTES", 3)
    (tmp_path / "page.txt").write_bytes(page(ONE))
    with pytest.raises(SeedPageError, match="larger"):
        seed_page.download(tmp_path / "page.txt")


LINES = st.lists(
    st.sampled_from(["new", "Mar 20", "Feb 29", "A title", "", "…", ABSTRACT, "\ufeff"]) | st.text(), max_size=30
)


@given(LINES.map("\n".join).map(lambda text: text.encode(errors="surrogatepass")) | st.binary())
def test_any_bytes_are_read_or_refused_in_words(content: bytes) -> None:
    try:
        found = parse(content, today=TODAY)
    except SeedPageError as error:
        assert str(error)  # noqa: PT017 - either outcome is right
    else:
        assert all(record.title.isprintable() and record.listing for record in found.records)
