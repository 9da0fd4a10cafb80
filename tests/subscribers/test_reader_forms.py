import pytest
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from papers.models import Topic
from subscribers import links
from subscribers.models import Subscriber
from subscribers.reader_forms import LinesField
from subscribers.wishes import Tastes


def save(client: Client, reader: Subscriber, choices: dict[str, object]) -> str:
    path = reverse("preferences", args=[links.preferences_token(reader)])
    return client.post(path, choices, follow=True).content.decode()


def test_what_is_followed_and_muted_is_stored_and_shown_again(
    client: Client, alice: Subscriber, graphs: Topic, choices: dict[str, object]
) -> None:
    lists = {"follow_authors": "Ada  Lovelace\nEmmy Noether\nada lovelace", "mute_phrases": "\nblockchain\n\n"}
    page = save(client, alice, choices | lists | {"muted_topics": ["graphs"], "rising": "on", "language": "de"})
    alice.refresh_from_db()
    assert Tastes.of(alice) == Tastes(
        (graphs,), follow_authors=("ada lovelace", "Emmy Noether"), mute_phrases=("blockchain",)
    )
    assert alice.language == "de"
    assert "Emmy Noether</textarea>" in page


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"muted_topics": ["vision"]}, "You chose “Computer vision” above"),
        ({"muted_topics": ["astrology"]}, "We have no topic"),
        ({"follow_authors": "Ada Lovelace", "mute_authors": "ADA lovelace"}, "You follow “Ada Lovelace” above"),
        ({"mute_phrases": "x" * 101}, "is too long: 100 characters a line at most"),
        ({"mute_phrases": "\n".join(map(str, range(51)))}, "These are 51 lines"),
        ({"follow_phrases": "a\x00b"}, "Null characters"),
        ({"language": "tlh"}, "Choose a language"),
    ],
)
def test_what_cannot_be_is_said_and_kept(
    client: Client, alice: Subscriber, choices: dict[str, object], fields: dict[str, object], words: str
) -> None:
    page = save(client, alice, choices | {"local_hour": "6"} | fields)
    assert words in page
    assert "Not saved yet" in page
    assert '<option value="6" selected>' in page
    alice.refresh_from_db()
    assert (alice.version, alice.interests.count()) == (0, 0)


@given(st.text(st.characters(exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60))
def test_lines_are_cleaned_once_and_hold_nothing_unseen(text: str) -> None:
    kept = LinesField(required=False).clean(text)
    assert LinesField(required=False).clean("\n".join(kept)) == kept
    assert all(line == line.strip() and "\u202e" not in line and "\n" not in line for line in kept)


def test_words_of_readers_are_shown_as_text(client: Client, alice: Subscriber, choices: dict[str, object]) -> None:
    page = save(client, alice, choices | {"mute_phrases": "</textarea><script>alert(1)</script>"})
    assert "<script>alert" not in page
