"""The bytes that go over SMTP say what Django's message says."""

from email import message_from_bytes, policy
from email.header import decode_header, make_header
from email.message import EmailMessage
from typing import cast

import pytest
from django.core.mail import EmailMultiAlternatives
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from newsletter.delivery.wire.mime import as_data, ascii_address
from newsletter.digest.slots import Slots, Slotted
from newsletter.models import Edition
from subscribers.emails import compose
from subscribers.models import Subscriber
from tests.conftest import NOW
from tests.newsletter.conftest import message_to
from tests.newsletter.mails import InPieces

# What a part may hold: anything but surrogates, with the line ends and spaces at which encoders stumble.
texts = st.lists(
    st.text(st.characters(exclude_categories=["Cs"])) | st.sampled_from(["\n", " \n", ".", "=\n", "\t", "x" * 80])
)
words = st.text(st.characters(exclude_categories=["Cc", "Cs", "Zl", "Zp"]), min_size=1).filter(
    lambda text: text.strip() == text
)


def parsed(data: bytes) -> EmailMessage:
    """As a server understands what follows DATA."""
    raw, _, after = data.partition(b"\r\n.\r\n")
    assert not after
    return read(raw.replace(b"\r\n.", b"\r\n"))


def read(raw: bytes) -> EmailMessage:
    return cast(EmailMessage, message_from_bytes(raw, policy=policy.default.clone(raise_on_defect=True)))


def lines(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


@given(texts, texts)
def test_both_parts_come_back_as_they_were(text: list[str], html: list[str]) -> None:
    message = InPieces(text, html)
    raw = as_data(message, NOW)
    plain, rich = parsed(raw).iter_parts()
    assert plain.get_payload(decode=True).decode().replace("\r\n", "\n") == "".join(map(lines, text))
    assert rich.get_payload(decode=True).decode().replace("\r\n", "\n") == "".join(map(lines, html))
    assert raw.isascii()
    assert max(len(line) for line in raw.replace(b"\r\n.", b"\r\n").split(b"\r\n")) <= 76
    assert b"\n" not in raw.replace(b"\r\n", b"")


@given(words)
def test_a_subject_comes_back_as_it_was(subject: str) -> None:
    message = message_to("alice@example.org")
    message.subject = subject
    raw = as_data(message, NOW)
    assert parsed(raw)["Subject"] == subject
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


LONG_NAMES = [
    "Łukasiewicz-Übersichten über Schrödinger-Brücken, wöchentlich und größer als je zuvor für alle",
    "面向图的大规模表示学习方法与应用研究综述以及许多其他主题的长标题甚至更长",
    "למידה עמוקה על גרפים, רשתות נוירונים ועוד הרבה נושאים אחרים שכולם אוהבים",
]


@pytest.mark.parametrize("name", LONG_NAMES)
@pytest.mark.parametrize("way", ["ours", "django's"])
def test_what_is_not_ascii_begins_on_its_headers_line_and_fills_none(name: str, way: str, settings: Settings) -> None:
    settings.MAIL_FROM_NAME = name
    message = compose(to="alice@example.org", subject=name, text="", html="")
    raw = as_data(message, NOW) if way == "ours" else message.message().as_bytes(linesep="\r\n")
    mail, head = read(raw), raw.partition(b"\r\n\r\n")[0].decode("ascii")
    assert mail["Subject"] == name
    # Python's own parser of names, up to 3.13, leaves the space between two encoded words in: RFC 2047, 6.2.
    assert str(make_header(decode_header(message_from_bytes(raw)["From"]))) == f"{name} <papers@papers.example>"
    assert "\r\nSubject: =?utf-8?" in f"\r\n{head}"
    assert "\r\nFrom: =?utf-8?" in f"\r\n{head}"
    assert max(len(line) for line in head.split("\r\n")) <= 76
    assert max(len(word) for word in head.split() if word.startswith("=?")) <= 75


def test_every_header_is_the_one_that_djangos_message_has(
    edition: Edition, alice: Subscriber, settings: Settings
) -> None:
    settings.SITE_NAME = "Neue Aufsätze, wöchentlich – und noch ein langer Name für eine Liste"
    message = message_to("alice@example.org")
    message.extra_headers["List-Id"] = f"{settings.SITE_NAME} <daily.papers.example>"
    message.extra_headers["List-Unsubscribe"] = f"<https://papers.example/{'x' * 70}>, <mailto:leave@papers.example>"
    ours, theirs = parsed(as_data(message, NOW)), read(message.message().as_bytes(linesep="\r\n"))
    for name in {*ours, *theirs} - {"Date", "Content-Type"}:
        assert ours[name] == theirs[name].strip()  # it folds before a long address, and leaves a space
    assert ours["Date"].datetime == NOW
    assert ours.get_content_type() == theirs.get_content_type()


def test_a_long_address_in_a_header_is_neither_split_nor_encoded() -> None:
    message = message_to("alice@example.org")
    link = f"<https://papers.example/{'x' * 90}>"
    message.extra_headers["List-Unsubscribe"] = f"{link}, <mailto:leave@papers.example>"
    assert f"List-Unsubscribe: {link},\r\n <mailto:leave@papers.example>\r\n".encode() in as_data(message, NOW)


def test_what_all_copies_share_is_encoded_piece_by_piece_and_reads_as_one(edition: Edition) -> None:
    slot = Slots("name")
    message = InPieces(Slotted(f"Grüße an {slot['name']} aus Köln.\n.").fill({"name": "Ödön"}), [])
    plain, _ = parsed(as_data(message, NOW)).iter_parts()
    assert plain.get_content() == "Grüße an Ödön aus Köln.\r\n."


@pytest.mark.parametrize("name", ["Subject", "X-Other"])
def test_no_header_can_begin_another(name: str) -> None:
    message = message_to("alice@example.org")
    message.subject = message.extra_headers[name] = "Papers\r\nBcc: everyone@example.org"
    with pytest.raises(ValueError, match="line break"):
        as_data(message, NOW)


def test_only_a_text_with_its_html_to_one_person_is_built() -> None:
    message: EmailMultiAlternatives = message_to("alice@example.org")
    message.cc = ["bob@example.org"]
    with pytest.raises(ValueError, match="one person"):
        as_data(message, NOW)


def test_a_domain_is_written_as_the_dns_has_it() -> None:
    assert ascii_address("ada@straße.example") == "ada@xn--strae-oqa.example"
