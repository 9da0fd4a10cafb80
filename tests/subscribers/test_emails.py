from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from papers.models import Topic
from subscribers import links
from subscribers.emails import BIDI, UnsafeHeader, compose, letter_email, safe
from subscribers.models import Letter, Move, Subscriber
from tests.conftest import NOW

PARTS = {"to": "ann@example.org", "subject": "Papers", "text": "Some papers.", "html": "<p>Some papers.</p>"}
UNSAFE = ["\r", "\n", "\x00", "\x1b", "\x85", "\u2028", "\u2029", "\u202e", "\u2066", "\u200f", "\ud800"]


def sent(letter: Letter) -> EmailMessage:
    """The letter's mail as a mail program reads it."""
    message = message_from_bytes(letter_email(letter).message().as_bytes(), policy=policy.default)
    assert isinstance(message, EmailMessage)
    return message


def bodies(letter: Letter) -> tuple[str, str]:
    message = sent(letter)
    text, html = message.get_body(("plain",)), message.get_body(("html",))
    assert text
    assert html
    return text.get_content(), html.get_content()


@pytest.fixture
def letter_to() -> Callable[[Subscriber, str], Letter]:
    def write(subscriber: Subscriber, kind: str) -> Letter:
        Move.objects.get_or_create(subscriber=subscriber, email="new@example.org")
        return Letter(subscriber=subscriber, kind=kind, requested_at=NOW, not_before=NOW)

    return write


@pytest.mark.parametrize("sign", UNSAFE)
@pytest.mark.parametrize("part", ["to", "subject"])
def test_controls_get_into_no_subject_and_no_address(part: str, sign: str) -> None:
    with pytest.raises(UnsafeHeader):
        compose(**PARTS | {part: PARTS[part][:4] + sign + PARTS[part][4:]})


@pytest.mark.parametrize("sign", UNSAFE)
def test_controls_get_into_no_header(sign: str) -> None:
    with pytest.raises(UnsafeHeader):
        compose(**PARTS, headers={"List-Id": f"papers{sign}Bcc: eve@example.org"})


@pytest.mark.parametrize("name", ["Bcc", "to", "Reply-To", "Subject", "From", "X Y", "X:Y", "X\nBcc", ""])
def test_a_caller_sets_no_recipient_and_no_broken_header(name: str) -> None:
    with pytest.raises(UnsafeHeader):
        compose(**PARTS, headers={name: "eve@example.org"})


@pytest.mark.parametrize(
    "to",
    ["", "ann", "ann@example.org,eve@example.org", "Ann <ann@example.org>", "ann@example.org eve@example.org", "a@b@c"],
)
def test_a_mail_has_one_bare_recipient(to: str) -> None:
    with pytest.raises(UnsafeHeader):
        compose(**PARTS | {"to": to})


@given(st.text(max_size=40))
@hypothesis_settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_passes_is_one_line(subject: str) -> None:
    try:
        message = compose(**PARTS | {"subject": subject}).message()
    except UnsafeHeader:
        return
    assert len(subject.splitlines()) <= 1
    assert not BIDI & set(subject)
    assert message["To"] == "ann@example.org"
    assert message["Bcc"] is None


def test_safe_text_comes_back_as_it_is() -> None:
    assert safe("Größe · 論文 “x” 👩‍🔬") == "Größe · 論文 “x” 👩‍🔬"


def test_a_mail_comes_from_us_with_its_own_id() -> None:
    message = compose(**PARTS, metadata={"digest": "1"}).message()
    assert message["From"] == "Trending Papers <papers@papers.example>"
    assert message["Message-ID"].endswith("@papers.example>")
    assert message["Reply-To"] is None


def test_a_message_id_of_the_callers_stands() -> None:
    assert (
        compose(**PARTS, headers={"Message-ID": "<1@papers.example>"}).message()["Message-ID"] == "<1@papers.example>"
    )


def test_the_confirmation_says_its_piece_and_nothing_else(
    bob: Subscriber, letter_to: Callable[[Subscriber, str], Letter]
) -> None:
    letter = letter_to(bob, "confirmation")
    text, html = bodies(letter)
    assert sent(letter)["Subject"] == "Confirm your subscription to Trending Papers"
    for body in (text, html):
        assert links.confirm_url(bob) in body
        assert "Not you? Ignore this: one reminder may come, and then nothing more." in body
        assert "bob" not in body


def test_the_reminder_is_as_plain_and_says_how_long_there_is(
    bob: Subscriber, letter_to: Callable[[Subscriber, str], Letter]
) -> None:
    letter = letter_to(bob, "reminder")
    letter.requested_at = bob.status_changed_at + timedelta(days=2, minutes=5)
    for body in bodies(letter):
        assert links.confirm_url(bob) in body
        assert "works for 11 more days" in body
        assert "Not you? Ignore this and nothing more will come." in body
        assert "bob" not in body


def test_the_welcome_says_what_comes_when(
    alice: Subscriber, graphs: Topic, letter_to: Callable[[Subscriber, str], Letter]
) -> None:
    alice.topics.add(graphs)
    for body in bodies(letter_to(alice, "welcome")):
        words = " ".join(body.split())
        assert "Your first digest comes in a few minutes; after that, every day at 8:00, Berlin time." in words
        assert "Graph neural networks" in body
        assert links.preferences_url(alice) in body
        assert links.leave_url(alice) in body


def test_the_welcome_can_be_left_with_one_click(
    alice: Subscriber, letter_to: Callable[[Subscriber, str], Letter]
) -> None:
    message = sent(letter_to(alice, "welcome"))
    assert message["List-Unsubscribe"] == f"<{links.one_click_url(alice)}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"


@pytest.mark.parametrize("kind", Letter.Kind.values)
def test_every_letter_is_a_whole_mail(
    alice: Subscriber, letter_to: Callable[[Subscriber, str], Letter], kind: str
) -> None:
    letter = letter_to(alice, kind)
    message, (text, html) = sent(letter), bodies(letter)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Message-ID"] == f"<{letter.uid}@papers.example>"
    assert letter_email(letter).metadata == {"letter": str(letter.uid)}  # type: ignore[attr-defined]
    assert "1 Test Street, 00000 Testville" in text
    assert "1 Test Street, 00000 Testville" in html
    assert "&#x27;" not in text
