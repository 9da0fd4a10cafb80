"""The page of the mail catcher: shows what was sent, trusts none of it."""

import os
from email.message import EmailMessage
from pathlib import Path

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

HTML = "<html><head><title>T</title></head><body><a href='https://papers.example'>Go</a></body></html>"


@pytest.fixture
def inbox(tmp_path: Path, settings: Settings) -> Path:
    settings.INBOX_DIR = tmp_path
    folder = tmp_path / "new"
    folder.mkdir()
    return folder


def drop(inbox: Path, key: str, content: bytes, at: int = 1) -> None:
    (inbox / key).write_bytes(content)
    os.utime(inbox / key, (at, at))


def mail(subject: str = "Confirm your subscription") -> bytes:
    message = EmailMessage()
    message["To"], message["Subject"] = "alice@example.org", subject
    message["List-Unsubscribe"] = "<https://papers.example/leave>"
    message.set_content("Plain words")
    message.add_alternative(HTML, subtype="html")
    return message.as_bytes()


@pytest.mark.django_db
def test_the_list_shows_the_newest_first(client: Client, inbox: Path) -> None:
    drop(inbox, "1.a.host", mail("Older"), at=100)
    drop(inbox, "2.b.host", mail("Newer"), at=200)
    page = client.get("/inbox/", secure=True).content.decode()
    assert page.index("Newer") < page.index("Older")
    assert "alice@example.org" in page


@pytest.mark.django_db
def test_an_empty_inbox_says_what_to_do(client: Client, inbox: Path) -> None:
    assert "Nothing yet" in client.get("/inbox/", secure=True).content.decode()


@pytest.mark.django_db
def test_a_message_shows_its_headers_and_its_html_in_a_sandbox(client: Client, inbox: Path) -> None:
    drop(inbox, "1.a.host", mail())
    page = client.get("/inbox/1.a.host/", secure=True).content.decode()
    assert "List-Unsubscribe" in page
    assert 'src="/inbox/1.a.host/html"' in page
    assert 'sandbox="allow-popups ' in page
    assert "allow-scripts" not in page


@pytest.mark.django_db
@pytest.mark.parametrize(("view", "words"), [("text", "Plain words"), ("source", "Content-Type: multipart")])
def test_text_and_source_are_shown_as_they_are(client: Client, inbox: Path, view: str, words: str) -> None:
    drop(inbox, "1.a.host", mail())
    assert words in client.get(f"/inbox/1.a.host/?view={view}", secure=True).content.decode()


def test_the_html_part_runs_nothing_and_opens_links_in_a_new_tab(client: Client, inbox: Path) -> None:
    drop(inbox, "1.a.host", mail())
    answer = client.get("/inbox/1.a.host/html", secure=True)
    assert '<head><base target="_blank">' in answer.content.decode()
    assert answer["Content-Security-Policy"].startswith("default-src 'none'")
    assert answer["X-Frame-Options"] == "SAMEORIGIN"


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["..", "%2e%2e", "..%2Fsecret", "none", ".hidden", "a\\b", "a%00b"])
def test_a_key_that_is_no_message_is_not_found(client: Client, inbox: Path, key: str) -> None:
    (inbox.parent / "secret").write_bytes(b"Subject: secret\n\n")
    (inbox / ".hidden").write_bytes(b"Subject: secret\n\n")
    answer = client.get(f"/inbox/{key}/html", secure=True)
    assert answer.status_code in {301, 302, 404}
    assert b"secret" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe\x00",
        b"Subject: \xff\xfe\nTo: \xe4@example.org\n\n\xe4",
        b"Subject: =?utf-8?q?=ff?=\n\n\xff",
        b"To: <a@b\nSubject: x\n\ny",
        b"To: \n\n",
        b'To: "\nContent-Type: text/html; charset=no-such\n\n<b>bold</b>',
        b"Content-Type: multipart/mixed; boundary=x\n\n--x\nContent-Type: text/plain\n\nhi",
        b"From: =?utf-8?Q?a?= <\nTo: =?x?B?!?=@\n\n",
    ],
)
def test_a_broken_message_breaks_no_page(client: Client, inbox: Path, content: bytes) -> None:
    drop(inbox, "1.a.host", content)
    for path in ["/inbox/", "/inbox/1.a.host/", "/inbox/1.a.host/?view=source", "/inbox/1.a.host/html"]:
        assert client.get(path, secure=True).status_code == 200


@pytest.mark.django_db
def test_without_a_catcher_there_is_no_inbox(client: Client, settings: Settings) -> None:
    settings.INBOX_DIR = None
    assert client.get("/inbox/", secure=True).status_code == 404
    assert client.get("/inbox/1.a.host/html", secure=True).status_code == 404
