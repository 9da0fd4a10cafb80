"""Every mail that we send, judged as mail programs, spam filters and people with other eyes judge it.

Judges that are not installed are left out and named, unless JUDGE_ALL is set, as it is in .ci/run.
"""

import json
import os
import re
import subprocess
from email import policy
from email.message import EmailMessage
from email.parser import BytesParser
from pathlib import Path

import html5lib
import pytest

from newsletter.digest.rendering import HTML_LIMIT
from tests.judges import CANIEMAIL, missing_judges
from tests.newsletter.contrast import contrasts
from tests.newsletter.mails import digests, letters

pytestmark = pytest.mark.once
LEFT_OUT = {} if "JUDGE_ALL" in os.environ else missing_judges()
# What some programs do not support, and what their readers see then.
DONE_WITHOUT = {
    "@media": "their own dark mode, or light",
    "<style> element": "links nearer to one another; all else is inline",
    "display:none": "the preheader as a first line",
    "<body> element": "the ground's colour from the table within",
    "role attribute": "the same; their screen readers guess",
    "border-radius": "square buttons",
    "word-break": "a long plain link, beside a button that does the same, or a word that is wider than a phone",
    "overflow-wrap": "the same, by word-break",
    "overflow": "such a word as it is; the judge takes overflow-wrap for it",
    "height property": "nothing: there is none, the judge takes line-height for it",
}


@pytest.fixture
def mails(db: None) -> dict[str, EmailMessage]:
    """Every mail by name, as a program reads it."""
    copies = digests()
    reader = copies["small"][1].subscriber
    messages = {name: renderer.message(digest, choices) for name, (renderer, digest, choices) in copies.items()}
    raw = {name: mail.message().as_bytes() for name, mail in {**messages, **letters(reader)}.items()}
    parsed = {name: BytesParser(policy=policy.default).parsebytes(octets) for name, octets in raw.items()}
    assert all(isinstance(mail, EmailMessage) for mail in parsed.values())
    return parsed  # type: ignore[return-value]


@pytest.fixture
def pages(mails: dict[str, EmailMessage]) -> dict[str, str]:
    """The HTML of each."""
    return {name: part(mail, "html") for name, mail in mails.items()}


def part(mail: EmailMessage, kind: str) -> str:
    body = mail.get_body((kind,))
    assert body is not None
    return str(body.get_content())


def test_no_mail_has_a_defect_or_a_line_that_smtp_refuses(mails: dict[str, EmailMessage]) -> None:
    for mail in mails.values():
        assert not [defect for one in mail.walk() for defect in one.defects]
        assert not [defect for value in mail.values() for defect in getattr(value, "defects", ())]
        assert max(map(len, mail.as_bytes(policy=policy.compat32).splitlines())) <= 998


def test_the_html_parses_without_an_error(pages: dict[str, str]) -> None:
    for name, html in pages.items():
        parser = html5lib.HTMLParser()
        parser.parse(html)
        assert (name, parser.errors) == (name, [])


def test_the_html_is_for_everybody(pages: dict[str, str]) -> None:
    for html in pages.values():
        assert re.search(r'<html lang="en" dir="ltr">', html)
        assert html.count("<h1") == 1
        assert html.count("<table") == html.count('role="presentation"')
        assert re.findall(r"<h[12]", html) == sorted(re.findall(r"<h[12]", html))


def test_nothing_is_loaded_and_nobody_is_watched(pages: dict[str, str]) -> None:
    for html in pages.values():
        assert not re.search(r"<(img|link|script|iframe|object|form|input|video|audio)\b|url\(|@import|\bon\w+=", html)


def test_links_are_whole_and_safe_and_in_both_parts(mails: dict[str, EmailMessage], pages: dict[str, str]) -> None:
    for name, mail in mails.items():
        links = {link.replace("&amp;", "&") for link in re.findall(r'href="([^"]*)"', pages[name])}
        assert links or name == "goodbye"
        assert [link for link in links if not re.match(r"https://[a-z.]+/", link)] == []
        assert [link for link in links if link not in part(mail, "plain")] == []


def test_no_mail_is_clipped(pages: dict[str, str]) -> None:
    assert max(len(html.encode()) for html in pages.values()) < HTML_LIMIT


@pytest.mark.parametrize("is_dark", [False, True], ids=["light", "dark"])
def test_every_text_stands_out_from_its_ground(pages: dict[str, str], is_dark: bool) -> None:
    for name, html in pages.items():
        found = contrasts(html, is_dark)
        assert len(found) > 5
        assert [(name, *one) for one in found if one.ratio < 4.5] == []  # WCAG 2.2, 1.4.3


@pytest.mark.skipif("caniemail" in LEFT_OUT, reason="caniemail is not installed: tests/judges.py")
def test_gmail_outlook_apple_mail_and_yahoo_support_what_the_mails_need(pages: dict[str, str]) -> None:
    told = subprocess.run(
        ["node", "lint.js"], cwd=CANIEMAIL, input=json.dumps(pages), capture_output=True, text=True, check=True
    )
    found = json.loads(told.stdout)
    assert found.keys() == pages.keys()
    missing = {(program, title) for by in found.values() for program, titles in by.items() for title in titles}
    assert missing, "the judge has seen nothing"
    assert {one for one in missing if one[1] not in DONE_WITHOUT} == set()


@pytest.mark.skipif("SpamAssassin" in LEFT_OUT, reason="SpamAssassin is not installed: tests/judges.py")
def test_spam_filters_find_nothing_in_the_mails(mails: dict[str, EmailMessage], tmp_path: Path) -> None:
    mbox = b"".join(
        b"From papers@papers.example Fri Mar 20 09:00:00 2026\n" + mail.as_bytes(policy=policy.compat32) + b"\n\n"
        for mail in mails.values()
    )
    told = subprocess.run(
        ["spamassassin", "--local", "--test-mode", "--mbox"],
        input=mbox, env={**os.environ, "HOME": str(tmp_path)}, capture_output=True, check=True,
    ).stdout.decode(errors="replace")  # fmt: skip
    scores = [float(score) for score in re.findall(r"^X-Spam-Status: .*?score=(-?[\d.]+)", told, re.MULTILINE)]
    rules = {
        rule for score, rule in re.findall(r"^ *(-?\d+\.\d) ([A-Z][A-Z0-9_]+) ", told, re.MULTILINE) if float(score)
    }
    assert len(scores) == len(mails)
    assert max(scores) < 1, sorted(rules)
    assert {rule for rule in rules if "HTML" in rule or "FONT" in rule} == set()
