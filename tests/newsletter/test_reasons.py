"""Why a paper is in a digest, in words."""

from dataclasses import replace
from datetime import date

import pytest

from newsletter.digest.cards import REASON_LENGTH
from newsletter.digest.choice import Chooser
from newsletter.digest.readers import Reader
from newsletter.digest.taste import Taste
from tests.newsletter.test_choice import GRAPHS, Text, candidates, of


def test_what_says_nothing_to_a_person_is_no_reason() -> None:
    noise = Taste({"528": 1.0, "of": 0.9, "discussing takeaway": 0.8, "autoencoder": 0.5, "circuit": 0.02}, likes=3)
    reader = Reader(frozenset({GRAPHS}), 1, taste=noise)
    assert of(reader) == [(100, "Like papers you liked: autoencoder")]


def test_a_topic_is_told_with_what_the_paper_shares_with_the_liked_ones() -> None:
    reader = Reader(frozenset({GRAPHS}), 1, taste=Taste({"autoencoder": 1.0}, likes=3))
    assert of(reader, [[1.0, 0, 0]] * 3) == [(100, "Graphs · like papers you liked: autoencoder")]


@pytest.mark.parametrize(
    ("strengths", "reason"),
    [
        ([0.42, 0, 0.96], "Touches on Graphs"),
        ([0.42, 0, 0], "Graphs"),  # of nothing more than of this
        ([0.42, 0, 0.6], "Graphs"),  # about as much as of its strongest
        ([0.6, 0, 1], "Graphs"),  # as authors cross-list it
    ],
)
def test_a_topic_that_a_paper_hardly_has_is_not_told_as_what_it_is_about(strengths: list[float], reason: str) -> None:
    assert of(Reader(frozenset({GRAPHS}), 1), [strengths] + [[0, 0, 0]] * 2) == [(100, reason)]


def test_a_reason_fits_its_column_and_keeps_its_upvotes() -> None:
    long = "a" * 50 + "b"
    texts: list[Text] = [(f"{long} {long[1:]}", "", [])]
    pool = replace(
        candidates([[1.0, 0, 0]], texts=texts), topic_names=["Graphs " * 11, "", ""], popularity=["9 upvotes"]
    )
    taste = Taste(dict.fromkeys((long, long[1:]), 1.0), likes=3)
    reader = Reader(frozenset({GRAPHS}), 1, seen=(100,), risen={100: date(2026, 3, 20)}, taste=taste)
    [choice] = Chooser(pool).choose(reader)
    assert len(choice.reason) <= REASON_LENGTH
    assert choice.reason.startswith("Still rising · you had it on 20 March · Graphs")
    assert choice.reason.endswith("… · 9 upvotes")
