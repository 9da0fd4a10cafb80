"""What an editor writes above a digest."""

import io
from html import unescape

import pytest
from django.contrib.admin.models import LogEntry
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse

from newsletter.digest.notes import NOTE_LENGTH, as_mailed
from newsletter.models import Edition
from newsletter.templatetags.notes import linked
from papers.models import Paper
from tests.meanwhile import meanwhile
from tests.newsletter.test_cockpit import sign_in
from tests.newsletter.test_commands import NAME, run
from tests.newsletter.test_editing import pool_form

TOO_LONG = "The note has 20,000 characters, and a mail has room for 2,000 of it: nothing was changed."
LINES = ["word " * 199 + "words", "and " * 249 + "end"]  # with the end of the first, 2,000 characters


@pytest.mark.parametrize(
    ("address", "around"),
    [
        ("https://a.example/b", "See {}."), ("http://a.example", "({}), and"), ("https://a.example/b_(c)", "({})."),
        ("https://a.example/é?d#e", "“{}”!"), ("https://a.example/", "{}\n{}"),
    ],
)  # fmt: skip
def test_the_web_addresses_of_a_note_are_links(address: str, around: str) -> None:
    assert linked(around.replace("{}", address)) == around.replace("{}", f'<a href="{address}">{address}</a>')


@pytest.mark.parametrize(
    "words", ["example.com", "ada@a.example", "javascript:alert(1)", "https://", "ftp://a.example"]
)
def test_other_words_of_a_note_are_none(words: str) -> None:
    assert linked(words) == words


def test_all_of_a_note_is_escaped() -> None:
    found = linked("""<b> https://a.example/?b=1&c=2" onclick='d' &amp;""")
    link = '<a href="https://a.example/?b=1&amp;c=2">https://a.example/?b=1&amp;c=2</a>'
    assert found == f"&lt;b&gt; {link}&quot; onclick=&#x27;d&#x27; &amp;amp;"


def save(client: Client, edition: Edition, note: str, **more: object) -> str:
    """What the form says then, as Chromium posts it: lines end by two characters."""
    page = reverse("admin:newsletter_edition_change", args=[edition.pk])
    form = {"note": note.replace("\n", "\r\n"), "pool-TOTAL_FORMS": 0, "pool-INITIAL_FORMS": 0}
    answer = client.post(page, form | more, secure=True, follow=True)
    assert answer.status_code == 200
    edition.refresh_from_db()
    return unescape(answer.content.decode())


def test_a_note_that_no_mail_has_room_for_is_refused(
    edition: Edition, papers: list[Paper], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert TOO_LONG in save(sign_in("Editor"), edition, "x" * 20_000)
    for words in (["x" * 20_000], []):
        monkeypatch.setattr("sys.stdin", io.StringIO("x" * 20_000))
        with pytest.raises(CommandError, match=TOO_LONG):
            run("edition", "note", NAME, *words)
    edition.refresh_from_db()
    assert (edition.note, LogEntry.objects.count()) == ("", 0)


def test_a_note_may_fill_its_room(edition: Edition, papers: list[Paper]) -> None:
    note = "\n".join(LINES)
    assert len(as_mailed(note)) == NOTE_LENGTH
    save(sign_in("Editor"), edition, note)
    assert as_mailed(edition.note) == note
    run("edition", "note", NAME, note)
    with pytest.raises(CommandError, match="has 2,001 characters"):
        run("edition", "note", NAME, f"{note}.")


def test_a_longer_note_of_old_is_shown_and_left_as_it_is_until_somebody_changes_it(
    edition: Edition, papers: list[Paper], client: Client
) -> None:
    """Its pins can be changed beside it; shorter, but not short enough, it is refused."""
    old = "One line.\n" * 400 + "The end."
    Edition.objects.update(note=old)
    editor = sign_in("Editor")
    save(editor, edition, old, **{name: it for name, it in pool_form(papers[0], "pinned").items() if name != "note"})
    assert (edition.note, edition.pins()) == (old, [papers[0].pk])
    assert "and a mail has room for 2,000" in save(editor, edition, old[:3_000])
    assert edition.note == old
    shown = client.get(reverse("edition", args=["daily", edition.date]), secure=True)
    assert "The end." in shown.content.decode()
    save(editor, edition, "Short.")
    assert edition.note == "Short."


@pytest.mark.parametrize("words", [[], [""], [" \n"]])
def test_an_empty_note_takes_none_away(edition: Edition, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    """As cron runs a command, its standard input has nothing; and a variable of a script may be empty."""
    Edition.objects.update(note="Hello.")
    monkeypatch.setattr("sys.stdin", io.StringIO(" \n"))
    with pytest.raises(CommandError, match="There is no text: nothing was changed"):
        run("edition", "note", NAME, *words)
    assert (Edition.objects.get().note, LogEntry.objects.count()) == ("Hello.", 0)


def test_a_note_is_taken_away_by_saying_so(edition: Edition) -> None:
    run("edition", "note", NAME, "Hello.")
    assert run("edition", "note", NAME, "--none") == f"The note of {edition}: none\n"
    assert Edition.objects.get().note == ""
    with pytest.raises(CommandError, match="not allowed with"):
        call_command("edition", "note", NAME, "Hello.", "--none")


def test_a_note_that_nobody_touched_is_no_change_whatever_ends_its_lines(edition: Edition, papers: list[Paper]) -> None:
    run("edition", "note", NAME, "Two\nlines.")
    before = LogEntry.objects.count()
    save(sign_in("Editor"), edition, "Two\nlines.")
    assert (edition.note, LogEntry.objects.count()) == ("Two\nlines.", before)


@pytest.mark.django_db(transaction=True)
def test_a_note_that_is_saved_while_an_edition_is_stopped_lets_nothing_go_out(edition: Edition) -> None:
    """The form knows the edition as it was, and writes all of it."""
    editor = sign_in("Editor")
    with meanwhile("UPDATE newsletter_edition SET status = 'paused', reason = '20 complaints'"):
        save(editor, edition, "Hello.")
    assert (edition.note, edition.status, edition.reason) == ("Hello.", "paused", "20 complaints")
