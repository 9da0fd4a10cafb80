"""`import_papers` from the operator's chair."""

from io import StringIO
from pathlib import Path

import pytest
import time_machine
from django.core.management import CommandError, call_command

from papers.management.commands.import_papers import SHOWN
from papers.models import Listing, Paper, PaperTopic, Topic
from tests.conftest import NOW
from tests.papers.conftest import ABSTRACT, DAY, SEEDS, page

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("the_day_itself")]


@pytest.fixture
def the_day_itself() -> object:
    with time_machine.travel(NOW, tick=False):
        yield


def run(*arguments: object, **options: object) -> str:
    out = StringIO()
    call_command("import_papers", *arguments, stdout=out, **options)
    return out.getvalue()


def everything() -> list[object]:
    return [list(model.objects.order_by("pk").values()) for model in (Paper, Listing, PaperTopic)]


def test_the_seeds_come_in_with_topics_and_trends(topics: dict[str, Topic], seeds: object) -> None:
    assert "Found 54 papers of 20 March 2026: 54 new" in run(SEEDS / "trending.txt")
    assert {*Listing.objects.values_list("source", "day")} == {("seed-page", DAY)}
    by_place = Paper.objects.order_by("listings__place")
    assert list(by_place) == list(Paper.objects.trending())
    assert not Paper.objects.filter(paper_topics=None).exists()


def test_importing_twice_changes_nothing(topics: dict[str, Topic]) -> None:
    run(SEEDS / "trending.txt")
    before = everything()
    assert "Nothing new." in run(SEEDS / "trending.txt")
    assert before == everything()


def test_a_dry_run_reports_and_changes_nothing(topics: dict[str, Topic]) -> None:
    report = run(SEEDS / "trending.txt", dry_run=True)
    assert "54 new" in report
    assert "nothing was changed" in report
    assert everything() == [[], [], []]


def test_what_was_skipped_is_told_and_the_rest_imported(tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_bytes(page(("Pointer Networks", ABSTRACT), ("A title alone", "")))
    report = run(tmp_path / "page.txt")
    assert "1 new, 0 updated, 0 known already; 1 skipped" in report
    assert "skipped line 13: no abstract follows the title “A title alone”" in report
    assert "There are no topics yet" in report


@pytest.mark.parametrize("broken", [b"", b"\x00\x01", page(("Title", ABSTRACT), day=""), b"<html>", page(day="Feb 31")])
def test_a_broken_page_changes_nothing_and_says_why(tmp_path: Path, broken: bytes) -> None:
    (tmp_path / "page.txt").write_bytes(page(("Pointer Networks", ABSTRACT)))
    assert "1 new" in run(tmp_path / "page.txt")
    before = everything()
    (tmp_path / "page.txt").write_bytes(broken)
    with pytest.raises(CommandError, match="Nothing was changed"):
        run(tmp_path / "page.txt")
    assert before == everything()


def test_a_page_of_another_year_is_another_listing() -> None:
    run(SEEDS / "trending.txt")
    report = run(SEEDS / "trending.txt", year=2025)
    assert "54 papers of 20 March 2025: 0 new, 0 updated, 54 known already" in report
    assert (Paper.objects.count(), Listing.objects.count()) == (54, 108)


def test_a_day_that_is_none_is_refused() -> None:
    with pytest.raises(CommandError, match="no day such as"):
        call_command("import_papers", str(SEEDS / "trending.txt"), "--day", "20 March")


def test_what_is_skipped_is_a_row_and_what_is_left_out_is_said_as_such(tmp_path: Path) -> None:
    (tmp_path / "papers.csv").write_text("title,day\nOne,2026-03-20\nTwo,yesterday\n...,\n")
    report = run(tmp_path / "papers.csv")
    assert "2 new, 0 updated, 0 known already; 1 skipped." in report
    assert "skipped line 4: The title has no letter in it." in report
    assert "Left out of these papers:\n  line 3: the day “yesterday” is none, such as 2026-03-20, and was" in report
    assert report.count("skipped") == 2


def test_a_report_names_no_more_than_can_be_read(tmp_path: Path) -> None:
    rows = "".join(f"Paper {number},one\n...,\n" for number in range(SHOWN + 5))
    (tmp_path / "papers.csv").write_text(f"title,place\n{rows}")
    report = run(tmp_path / "papers.csv", "--dry-run")
    assert report.count("  and 5 more\n") == 2
    assert report.count("\n") < 2 * SHOWN + 10


@pytest.mark.parametrize(("day", "words"), [("2031-01-01", "still to come"), ("1950-01-01", "before August 1991")])
def test_a_day_on_which_nothing_can_be_listed_is_refused(day: str, words: str) -> None:
    with pytest.raises(CommandError, match=words):
        call_command("import_papers", str(SEEDS / "trending.txt"), "--day", day)
    assert not Paper.objects.exists()
