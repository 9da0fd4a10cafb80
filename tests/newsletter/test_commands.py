"""What the admin does about editions and readers, at the command line."""

import io
import json
import os
import stat
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from pytest_django import Settings

from newsletter import census
from newsletter.delivery import ledger
from newsletter.models import Digest, Edition, EditionPaper
from papers.models import Paper, Topic
from subscribers.addresses import address_hash
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, make_paper, planned
from tests.stubs import Relay

NAME = f"daily:{NOW.date()}"


def run(*words: str, **options: object) -> str:
    out = io.StringIO()
    call_command(*words, stdout=out, **options)
    return out.getvalue()


def manage(*words: str, environment: Mapping[str, str], stdout: int = subprocess.PIPE) -> tuple[int, str]:
    """The exit code of a command that runs by itself, and what it said on stderr."""
    command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *words]
    ended = subprocess.run(command, env=environment, stdout=stdout, stderr=subprocess.PIPE, text=True, check=False)
    return ended.returncode, ended.stderr


def test_without_its_settings_a_command_says_in_a_line_what_to_set() -> None:
    code, said = manage("explain", "alice@example.org", environment={"PATH": os.environ["PATH"]})
    assert (code, said.count("\n")) == (1, 1)
    for name in ('"SECRET_KEY" not set', "DEMO=1", ".env.example"):
        assert name in said


def test_who_has_read_enough_of_a_command_sees_no_fault() -> None:
    reads, writes = os.pipe()
    os.close(reads)
    assert manage("help", environment=os.environ, stdout=writes) == (1, "")
    os.close(writes)


def status(edition: Edition) -> str:
    return Edition.objects.get(pk=edition.pk).status


class TestEdition:
    @pytest.mark.parametrize(
        ("was", "command", "becomes"),
        [
            ("open", "hold", "held"),
            ("held", "approve", "open"),
            ("open", "pause", "paused"),
            ("paused", "resume", "open"),
        ],
    )
    def test_a_turn_is_what_the_admin_does_and_on_record(
        self, edition: Edition, was: str, command: str, becomes: str
    ) -> None:
        Edition.objects.update(status=was)
        assert "A dry run" in run("edition", command, NAME, "--dry-run")
        assert (status(edition), LogEntry.objects.count()) == (was, 0)
        run("edition", command, NAME, "--because", "the editor asked")
        entry = LogEntry.objects.get()
        assert status(edition) == becomes
        assert entry.user.username == "command-line"
        for words in ("the editor asked", "at the command line", f'"status": ["{was}", "{becomes}"]'):
            assert words in entry.change_message

    @pytest.mark.parametrize(
        ("was", "canary", "command", "words"),
        [
            ("open", "", "approve", "does not wait for approval (gone out)"),
            ("held", "", "hold", "waits for approval already"),
            ("paused", "", "hold", "cannot be held (paused)"),
            ("paused", "", "pause", "is paused already"),
            ("held", "", "pause", "cannot be paused (waits for approval)"),
            ("open", "", "resume", "is not paused (gone out)"),
            ("paused", "", "canary", "cannot send some copies first (paused)"),
            ("open", "ahead", "canary", "cannot send some copies first (the first copies go ahead)"),
            ("open", "", "follow", "holds nothing back for its first copies (gone out)"),
            ("open", "well", "follow", "holds nothing back for its first copies (the first copies went well)"),
            ("cancelled", "", "cancel", "is cancelled for good already"),
        ],
    )
    def test_what_does_not_fit_its_state_says_why_and_changes_nothing(
        self, edition: Edition, was: str, canary: str, command: str, words: str
    ) -> None:
        planned(edition, *add_readers(1))
        Digest.objects.update(status="accepted", submitted_at=NOW)
        Edition.objects.update(status=was, canary=canary)
        typed = ["--yes-i-mean", str(edition)] if command == "cancel" else []
        with pytest.raises(CommandError) as refused:
            run("edition", command, NAME, *typed)
        assert str(refused.value) == f"{edition} {words}: nothing was changed."
        assert (status(edition), LogEntry.objects.count()) == (was, 0)

    def test_cancelling_asks_for_the_name(self, edition: Edition) -> None:
        with pytest.raises(CommandError, match="nothing was changed"):
            run("edition", "cancel", NAME, "--yes-i-mean", "the other")
        assert status(edition) == "open"
        run("edition", "cancel", NAME, "--yes-i-mean", str(edition))
        assert status(edition) == "cancelled"

    def test_where_nobody_can_be_asked_it_says_what_to_type(
        self, edition: Edition, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        with pytest.raises(CommandError, match=str(edition)):
            run("edition", "cancel", NAME)

    def test_some_copies_go_first(self, edition: Edition) -> None:
        run("edition", "canary", NAME, "--size", "3")
        edition.refresh_from_db()
        assert (edition.canary, edition.canary_size) == ("ahead", 3)
        with pytest.raises(CommandError):
            run("edition", "canary", NAME, "--size", "0")

    def test_pins_stand_in_the_order_in_which_they_were_named(self, edition: Edition, papers: list[Paper]) -> None:
        run("edition", "pin", NAME, str(papers[3].pk), str(papers[1].pk))
        run("edition", "pin", NAME, str(papers[0].pk))
        pins = edition.pool.filter(choice="pinned").order_by("place")
        assert [row.paper for row in pins] == [papers[3], papers[1], papers[0]]
        run("edition", "free", NAME, str(papers[3].pk))
        assert edition.pool.filter(choice="pinned").count() == 2

    def test_a_ban_holds_for_all_editions(self, edition: Edition, graphs: Topic) -> None:
        paper = make_paper(9, graphs, arxiv_id="2401.00001")
        run("edition", "ban", NAME, "2401.00001", "--dry-run")
        assert EditionPaper.objects.banned_of([paper.pk]) == set()
        run("edition", "ban", NAME, "2401.00001")
        assert EditionPaper.objects.banned_of([paper.pk]) == {paper.pk}
        assert f"ban {paper.pk}" in LogEntry.objects.get().change_message

    @pytest.mark.parametrize("name", ["2401.99999", "x", "999999999", "9" * 30, ""])
    def test_a_paper_that_is_none_is_refused(self, edition: Edition, name: str) -> None:
        with pytest.raises(CommandError, match="no paper"):
            run("edition", "pin", NAME, name)

    def test_a_note_comes_from_the_line_or_the_standard_input(
        self, edition: Edition, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        run("edition", "note", NAME, "Hello.")
        monkeypatch.setattr("sys.stdin", io.StringIO("Two\nlines.\n"))
        run("edition", "note", NAME)
        assert Edition.objects.get().note == "Two\nlines."
        assert '"note": ["Hello.", "Two\\nlines."]' in LogEntry.objects.latest("pk").change_message

    def test_a_test_mail_goes_to_an_operators_own_address(self, edition: Edition, graphs: Topic, relay: Relay) -> None:
        User.objects.create_user("ada", "ada@example.org", is_staff=True)
        words = ["edition", "test-send", NAME, "--to", "ada", "--topics", graphs.slug]
        run(*words, "--dry-run")
        assert relay.recipients == []
        run(*words)
        assert relay.recipients == ["ada@example.org"]
        assert "sent a test mail" in LogEntry.objects.get().change_message

    @pytest.mark.parametrize("to", ["nobody", "eve"])
    def test_nobody_else_gets_one(self, edition: Edition, relay: Relay, to: str) -> None:
        User.objects.create_user("eve", "eve@example.org")
        with pytest.raises(CommandError, match="no operator"):
            run("edition", "test-send", NAME, "--to", to)

    def test_checks_are_said_and_counted(self, edition: Edition, settings: Settings) -> None:
        settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
        out = io.StringIO()
        with pytest.raises(CommandError, match="need attention"):
            call_command("edition", "check", NAME, stdout=out)
        assert "LOOK  django.core.mail.backends.dummy.EmailBackend sends nothing" in out.getvalue()

    @pytest.mark.parametrize("words", [["--topics", "astrology"], ["--reader", "nobody@example.org"]])
    def test_a_preview_of_nothing_is_refused(self, edition: Edition, words: list[str]) -> None:
        with pytest.raises(CommandError):
            run("edition", "check", NAME, *words)

    def test_a_file_that_cannot_be_written_is_said_to_be_so(self, edition: Edition, tmp_path: Path) -> None:
        with pytest.raises(CommandError, match="cannot be written: No such file or directory"):
            run("edition", "export", NAME, str(tmp_path / "nowhere" / "out.csv"))
        theirs = tmp_path / "theirs.csv"
        theirs.write_text("of somebody")
        with pytest.raises(CommandError, match="is not overwritten"):
            run("edition", "export", NAME, str(theirs))
        assert theirs.read_text() == "of somebody"
        assert not LogEntry.objects.exists()

    def test_its_results_are_exported_for_the_callers_eyes_and_on_record(
        self, edition: Edition, alice: Subscriber, tmp_path: Path
    ) -> None:
        digest = planned(edition, alice)
        assert str(digest.uid) in run("edition", "export", NAME)
        run("edition", "export", NAME, str(tmp_path / "out.csv"))
        assert str(digest.uid) in (tmp_path / "out.csv").read_text()
        assert stat.S_IMODE((tmp_path / "out.csv").stat().st_mode) == 0o600
        assert LogEntry.objects.count() == 2

    def test_one_is_opened_ahead(self, papers: list[Paper]) -> None:
        name = f"weekly:{NOW.date() + timedelta(days=3)}"
        assert "8 papers" in run("edition", "open", name, "--dry-run")
        assert not Edition.objects.exists()
        run("edition", "open", name)
        assert Edition.objects.get().kind == "weekly"
        with pytest.raises(CommandError, match="days ahead"):
            run("edition", "open", "weekly:2099-01-01")

    def test_a_month_is_listed_and_one_is_shown(self, edition: Edition, alice: Subscriber) -> None:
        planned(edition, alice)
        census.follow(NOW)
        census.take(NOW)
        run("edition", "hold", NAME)
        listed = run("edition", "list")
        assert f"{NOW.date()}  daily: waits for approval, 0 of 1" in listed
        assert "2026-03-21  daily: coming, readers: 1" in listed
        shown = run("edition", "show", NAME)
        assert "command-line: Hold until approved" in shown

    @pytest.mark.parametrize("month", ["x", "2026-13", "2026-00", "2026-02-30", "2026-W60"])
    def test_a_month_that_is_none_is_refused_in_the_same_words(self, db: None, month: str) -> None:
        with pytest.raises(CommandError, match=f"'{month}' is no day, week or month of our time"):
            run("edition", "list", "--month", month)

    @pytest.mark.parametrize("name", ["daily", "daily:x", "hourly:2026-03-20", "daily:1999-01-01"])
    def test_an_edition_that_is_none_is_refused(self, db: None, name: str) -> None:
        with pytest.raises(CommandError):
            run("edition", "pause", name)


class TestReader:
    def test_a_deed_is_what_the_admin_does_and_on_record(self, alice: Subscriber) -> None:
        words = ["reader", "pause", "Alice@Example.org", "--because", "she called"]
        assert "1 of 1 readers changed" in run(*words, "--dry-run")
        alice.refresh_from_db()
        assert (alice.status, LogEntry.objects.count()) == ("active", 0)
        run(*words)
        alice.refresh_from_db()
        entry = LogEntry.objects.get()
        assert (alice.status, entry.user.username) == ("paused", "command-line")
        assert "she called" in entry.change_message
        assert "@" not in entry.change_message + entry.object_repr

    def test_who_is_called_like_an_address_may_do_it_too(
        self, alice: Subscriber, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """As a directory of users names them."""
        monkeypatch.setenv("LOGNAME", "ada@corp.example")
        run("reader", "pause", "alice@example.org", "--because", "she called")
        assert "she called; ada, at the command line" in LogEntry.objects.get().change_message

    def test_many_come_from_the_standard_input(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        add_readers(3)
        monkeypatch.setattr("sys.stdin", io.StringIO("reader0@example.org\n\n reader2@example.org \n"))
        assert "2 of 2" in run("reader", "leave", "--because", "they wrote")
        assert list(Subscriber.objects.filter(status="active").values_list("email", flat=True)) == [
            "reader1@example.org"
        ]

    def test_one_line_that_is_nobody_changes_nothing_and_is_not_repeated(self, alice: Subscriber) -> None:
        with pytest.raises(CommandError, match=r"No\. 2: Nobody has subscribed") as refused:
            run("reader", "pause", "alice@example.org", "nobody@example.org", "--because", "x")
        assert "nobody@" not in str(refused.value)
        alice.refresh_from_db()
        assert alice.status == "active"

    def test_erasing_asks_for_the_number(self, alice: Subscriber) -> None:
        words = ["reader", "erase", "alice@example.org", "--because", "she asked"]
        with pytest.raises(CommandError, match="nothing was changed"):
            run(*words, "--yes-i-mean", "erase 2")
        run(*words, "--yes-i-mean", "erase 1")
        alice.refresh_from_db()
        assert (alice.status, alice.email) == ("erased", None)

    def test_what_does_not_fit_is_said(self, bob: Subscriber) -> None:
        said = run("reader", "resume", "bob@example.org", "--because", "x")
        assert "waiting for confirmation: nothing was changed" in said
        assert "0 of 1" in said

    def test_a_confirmation_is_sent_again(self, bob: Subscriber) -> None:
        run("reader", "resend", "bob@example.org", "--because", "lost it")
        assert bob.letters.get().kind == "confirmation"

    @pytest.mark.parametrize("why", ["", " ", "x" * 301, "asked by a@b.org"])
    def test_a_deed_without_a_reason_is_refused(self, alice: Subscriber, why: str) -> None:
        with pytest.raises(CommandError):
            run("reader", "pause", "alice@example.org", "--because", why)

    def test_a_reader_is_shown_by_address_or_by_a_digests_id(self, edition: Edition, alice: Subscriber) -> None:
        digest = planned(edition, alice)
        for who in ("alice@example.org", str(digest.uid)):
            shown = run("reader", "show", who)
            assert str(digest.uid) in shown
            assert "may get digests" in shown

    def test_who_shares_the_beginning_of_an_id_is_nobody_but_a_number_is_one(
        self, edition: Edition, alice: Subscriber, bob: Subscriber
    ) -> None:
        for number, reader in enumerate((alice, bob), start=1):
            digest = planned(edition, reader)
            Digest.objects.filter(pk=digest.pk).update(uid=f"12345678-0000-4000-8000-{number:012}")
        with pytest.raises(CommandError, match="matches several ids: Digest 12345678-"):
            run("reader", "pause", "12345678", "--because", "x")
        Subscriber.objects.create(pk=12345678, email="carol@example.org")
        assert "reader 12345678:" in run("reader", "show", "12345678")

    def test_whose_hash_it_is_is_found(self, alice: Subscriber, bob: Subscriber) -> None:
        assert f"reader {bob.pk}:" in run("reader", "find", address_hash("bob@example.org")[:16])
        for wrong in (address_hash("eve@example.org"), "abc", "z" * 12):
            with pytest.raises(CommandError):
                run("reader", "find", wrong)

    def test_all_about_a_reader_is_exported_and_on_record(self, alice: Subscriber, tmp_path: Path) -> None:
        assert json.loads(run("reader", "export", "alice@example.org"))["address"] == "alice@example.org"
        run("reader", "export", "alice@example.org", str(tmp_path / "alice.json"))
        assert stat.S_IMODE((tmp_path / "alice.json").stat().st_mode) == 0o600
        assert LogEntry.objects.count() == 2

    def test_nobody_is_said(self, db: None, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO())
        with pytest.raises(CommandError, match="Nobody was named"):
            run("reader", "show")


def test_what_is_held_at_the_command_line_is_not_claimed(edition: Edition, alice: Subscriber) -> None:
    planned(edition, alice)
    run("edition", "hold", NAME)
    assert ledger.claim(NOW, 10) == []
    run("edition", "approve", NAME)
    assert len(ledger.claim(NOW, 10)) == 1
    assert Digest.objects.get().status == "claimed"
