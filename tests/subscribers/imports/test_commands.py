"""`import_subscribers` and `suppress` from the operator's chair."""

import resource
import stat
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from subscribers.imports import importing
from subscribers.management.caller import private_file
from subscribers.models import Import, Subscriber, Suppression
from tests.conftest import NOW
from tests.subscribers.imports.conftest import HEAD, PROOF, finish, rows, stored


def run(name: str, *words: object) -> str:
    out = StringIO()
    call_command(name, *map(str, words), stdout=out)
    return out.getvalue()


@pytest.fixture
def file(db: None, tmp_path: Path) -> Path:
    path = tmp_path / "readers.csv"
    path.write_text(rows("carol@example.org", "dave@example.org", "none") + f"\n=x,{PROOF}")
    return path


def test_it_imports_and_says_what_came_of_it(file: Path) -> None:
    assert run("import_subscribers", file) == "2 imported\n2 no address\n"
    assert Subscriber.objects.mailable().count() == 2
    assert Import.objects.get().decided_by.endswith("at the command line")


def test_who_is_told_that_a_file_is_refused_need_not_set_it_aside(db: None, tmp_path: Path) -> None:
    (tmp_path / "readers.csv").write_text("email\n")
    with pytest.raises(CommandError, match="Nothing was imported"):
        run("import_subscribers", tmp_path / "readers.csv")
    assert Import.objects.get().decided_at


def test_again_it_changes_nothing(file: Path) -> None:
    run("import_subscribers", file)
    assert "2 known here already" in run("import_subscribers", file)
    assert Subscriber.objects.count() == 2


def test_a_dry_run_leaves_nothing_but_its_report(file: Path, tmp_path: Path) -> None:
    report = tmp_path / "refused.csv"
    said = run("import_subscribers", file, "--dry-run", "--report", report)
    assert "2 imported" in said
    assert "nothing was changed" in said
    assert not Subscriber.objects.exists()
    assert not Import.objects.exists()
    assert [line.split(",")[:2] for line in report.read_text("utf-8-sig").splitlines()] == [
        ["line", "email"],
        ["4", "none"],
        ["5", "'=x"],
    ]


def test_the_report_is_for_its_owner_only(file: Path, tmp_path: Path) -> None:
    report = tmp_path / "refused.csv"
    run("import_subscribers", file, "--report", report)
    assert stat.S_IMODE(report.stat().st_mode) == 0o600


@pytest.mark.parametrize("options", [[], ["--dry-run"]])
@pytest.mark.parametrize("name", ["readers.csv", "a link", "another name", "of last year.csv", "nothing/refused.csv"])
def test_where_no_new_report_can_be_written_nothing_is_imported_or_lost(
    file: Path, tmp_path: Path, name: str, options: list[str]
) -> None:
    (tmp_path / "a link").symlink_to(file)
    (tmp_path / "another name").hardlink_to(file)
    (tmp_path / "of last year.csv").write_text("from before")
    before = file.read_text()
    words = {"of last year.csv": "is there already", "nothing/refused.csv": "cannot be written: No such file"}
    with pytest.raises(CommandError, match=words.get(name, "is the file of readers itself")) as error:
        run("import_subscribers", file, "--report", tmp_path / name, *options)
    assert str(error.value).endswith("Nothing was imported.")
    assert (file.read_text(), (tmp_path / "of last year.csv").read_text()) == (before, "from before")
    assert not Subscriber.objects.exists()
    assert not Import.objects.exists()


def test_where_nothing_is_imported_no_report_is_left(db: None, tmp_path: Path) -> None:
    for name, content in [("readers.csv", "email\n"), ("empty.csv", "")]:
        (tmp_path / name).write_text(content)
        with pytest.raises(CommandError, match="Nothing was imported"):
            run("import_subscribers", tmp_path / name, "--report", tmp_path / "refused.csv")
    with pytest.raises(CommandError, match="cannot be read"):
        run("import_subscribers", tmp_path / "refused.csv", "--report", tmp_path / "refused.csv")
    assert not (tmp_path / "refused.csv").exists()


@pytest.mark.parametrize(("options", "told"), [([], "in the admin under Imports"), (["--dry-run"], "nothing was ch")])
def test_a_report_that_fails_late_says_what_became_of_the_import(
    file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, options: list[str], told: str
) -> None:
    (tmp_path / "reports").mkdir()
    store = importing.store

    def meanwhile(*words: Any) -> Import:
        (tmp_path / "reports").rmdir()
        return store(*words)

    monkeypatch.setattr(importing, "store", meanwhile)
    with pytest.raises(CommandError, match=rf"cannot be written.*{told}"):
        run("import_subscribers", file, "--report", tmp_path / "reports" / "refused.csv", *options)
    assert Subscriber.objects.count() == (0 if options else 2)


def test_of_a_file_that_finds_no_room_nothing_is_left(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        with pytest.raises(CommandError, match="cannot be written"), private_file(tmp_path / "refused.csv") as file:
            file.write("x" * 100_000)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert not (tmp_path / "refused.csv").exists()


def test_a_broken_off_import_goes_on_where_it_was(file: Path) -> None:
    job = finish(stored(file.read_bytes()))
    importing.confirm(job, "olga", NOW)
    next(importing.work(job, lambda: NOW))
    said = run("import_subscribers", file)
    assert "broken off after line 4: going on there" in said
    assert Import.objects.get().counts == {"imported": 2, "no address": 2}


@pytest.mark.parametrize(("content", "words"), [("", "empty"), ("email", "Missing"), (f'{HEAD}\n"', "line 2")])
def test_a_file_that_cannot_be_read_is_refused(file: Path, content: str, words: str) -> None:
    file.write_text(content)
    with pytest.raises(CommandError, match=words):
        run("import_subscribers", file)
    assert not Subscriber.objects.exists()


def test_a_file_that_is_not_there_is_named(db: None, tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"nothing\.csv cannot be read"):
        run("import_subscribers", tmp_path / "nothing.csv")


def test_an_address_is_suppressed_looked_up_and_lifted(alice: Subscriber) -> None:
    looked = run("suppress", "Alice@Example.org")
    assert looked.startswith("Nothing suppresses it. Its subscription: active.\n")
    assert "an operator's decision" in run("suppress", "Alice@Example.org", "--because", "asked by telephone")
    assert "asked by telephone" in run("suppress", "alice@example.org")
    assert "Nothing suppresses it" in run("suppress", "alice@example.org", "--lift", "--because", "asked again")
    assert Suppression.objects.count() == 2


def test_who_only_looked_an_address_up_is_told_so_and_how_to_decide(alice: Subscriber) -> None:
    looked = run("suppress", "alice@example.org")
    assert looked.endswith("Nothing was changed; to suppress it, say --because WHY.\n")
    assert "Nothing was changed" not in run("suppress", "alice@example.org", "--because", "asked by telephone")
    looked = run("suppress", "alice@example.org", "--dry-run")
    assert looked.endswith("Nothing was changed; to lift that, say --lift --because WHY.\n")
    assert "Nothing was changed" not in run("suppress", "alice@example.org", "--lift", "--because", "asked again")


@pytest.mark.parametrize("words", [["none"], ["a@x.org", "--lift"], ["a@x.org", "--because", " "]])
def test_a_suppression_needs_an_address_and_a_reason(db: None, words: list[str]) -> None:
    with pytest.raises(CommandError):
        run("suppress", *words)
    assert not Suppression.objects.exists()


def test_a_dry_run_says_how_it_would_be_and_leaves_it(alice: Subscriber) -> None:
    tried = run("suppress", "alice@example.org", "--because", "asked by telephone", "--dry-run")
    assert "an operator's decision" in tried
    assert "nothing was changed" in tried
    assert "Nothing suppresses it" in run("suppress", "alice@example.org")
