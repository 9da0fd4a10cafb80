"""Which papers one person gets."""

from datetime import date
from typing import Any

import numpy as np
import pytest
from django.utils.translation import gettext, override
from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest.candidates import Candidates, Corpus, standings_by_topic, upvotes_in_words
from newsletter.digest.choice import PER_TOPIC, Chooser
from newsletter.digest.readers import Reader
from newsletter.digest.scoring import standing
from newsletter.digest.taste import Taste

GRAPHS, ROBOTS, VISION = 7, 8, 9


@pytest.fixture(autouse=True, scope="module")
def _spoken() -> None:
    """Languages are loaded when first spoken, which no single example should have to wait for."""
    with override("en"):
        gettext("Trending")


Text = tuple[str, str, list[str]]


def candidates(
    strengths: list[list[float]], pinned: list[int] | None = None, texts: list[Text] | None = None
) -> Candidates:
    """Papers 100, 101, … from the hottest down; columns: graphs, robots, vision."""
    matrix = np.array(strengths, dtype=float).reshape(-1, 3)
    hot = -np.arange(len(matrix), dtype=float)
    return Candidates(
        papers=range(100, 100 + len(matrix)),
        topics=[GRAPHS, ROBOTS, VISION],
        topic_names=["Graphs", "Robots", "Vision"],
        strengths=matrix,
        standings=standings_by_topic(hot, matrix),
        overall=standing(hot),
        popularity=[""] * len(matrix),
        pinned=pinned or [],
        column={GRAPHS: 0, ROBOTS: 1, VISION: 2},
        texts=Corpus(texts or [("", "", [])] * len(matrix)),
    )


def chosen(pool: Candidates, *topics: int, size: int = 3, seen: tuple[int, ...] = ()) -> list[int]:
    return [choice.paper for choice in Chooser(pool).choose(Reader(frozenset(topics), size, seen))]


def test_only_papers_of_the_readers_topics_are_chosen() -> None:
    pool = candidates([[0.9, 0, 0], [0, 0.9, 0], [0.8, 0, 0]])
    assert chosen(pool, ROBOTS) == [101]


def test_trend_decides_among_papers_that_fit_about_equally() -> None:
    assert chosen(candidates([[0.85, 0, 0], [0.9, 0, 0]]), GRAPHS) == [100, 101]


def test_trend_never_outweighs_fit() -> None:
    assert chosen(candidates([[0.4, 0, 0], [0.5, 0, 0], [0.95, 0, 0]]), GRAPHS)[0] == 102


def test_a_paper_that_was_sent_is_not_sent_again() -> None:
    pool = candidates([[0.9, 0, 0], [0.8, 0, 0]])
    assert chosen(pool, GRAPHS, seen=(100,)) == [101]
    assert chosen(pool, GRAPHS, seen=(100, 101)) == []


def test_a_reader_without_topics_gets_the_best_of_everything() -> None:
    pool = candidates([[0, 0, 0.9], [0, 0.9, 0], [0.9, 0, 0], [0, 0, 0]])
    choices = Chooser(pool).choose(Reader(frozenset(), 3))
    assert [choice.paper for choice in choices] == [100, 101, 102]
    assert {choice.reason for choice in choices} == {"Trending"}


def test_no_topic_takes_more_than_its_share_from_a_reader_of_many() -> None:
    pool = candidates([[0.9, 0, 0]] * 6 + [[0, 0.5, 0]] * 3)
    papers = chosen(pool, GRAPHS, ROBOTS, size=6)
    assert sum(paper < 106 for paper in papers) == PER_TOPIC
    assert len(papers) == 6


def test_a_pin_takes_of_its_topics_share() -> None:
    pool = candidates([[0.9, 0, 0]] * 6 + [[0, 0.5, 0]] * 3, pinned=[5])
    assert chosen(pool, GRAPHS, ROBOTS, size=5) == [105, 100, 101, 106, 107]
    assert chosen(pool, size=5) == [105, 100, 101, 106, 107]


def test_a_pin_from_outside_takes_nothing_of_a_topic_that_it_hardly_touches() -> None:
    pool = candidates([[0.9, 0, 0]] * 4 + [[0, 0.5, 0], [0.1, 0, 0.9]], pinned=[5])
    assert chosen(pool, GRAPHS, ROBOTS, size=5) == [105, 100, 101, 102, 104]


def test_a_reader_of_one_topic_is_not_cut_short_by_the_share() -> None:
    pool = candidates([[0.9, 0, 0]] * 6)
    assert len(chosen(pool, GRAPHS, size=5)) == 5


def test_one_place_is_kept_for_a_trending_paper_from_outside() -> None:
    pool = candidates([[0, 0, 0.9], [0, 0, 0.9]] + [[0.9, 0, 0]] * 6)
    choices = Chooser(pool).choose(Reader(frozenset({GRAPHS}), 5))
    assert [choice.outside for choice in choices] == [False] * 4 + [True]
    assert choices[-1].paper == 100
    assert choices[-1].reason == "From outside your topics"


@pytest.mark.parametrize("pinned", [[], [1, 2]])
def test_a_quiet_day_is_not_padded_from_outside(pinned: list[int]) -> None:
    assert chosen(candidates([[0, 0, 0.9]] * 5, pinned), GRAPHS, size=5) == []


def test_a_pin_that_fits_makes_a_digest() -> None:
    assert chosen(candidates([[0.9, 0, 0], [0, 0, 0.9]], [0, 1]), GRAPHS) == [100, 101]


def test_pins_come_first_and_say_so() -> None:
    pool = candidates([[0.9, 0, 0], [0, 0, 0.9]], pinned=[1])
    choices = Chooser(pool).choose(Reader(frozenset({GRAPHS}), 2))
    assert [choice.paper for choice in choices] == [101, 100]
    assert choices[0].reason == "Picked by the editor"
    assert [choice.is_labelled for choice in choices] == [True, False]


def test_a_topic_that_no_paper_has_gives_a_quiet_day() -> None:
    assert chosen(candidates([[0.9, 0, 0]]), 12345) == []


def test_an_empty_pool_gives_a_quiet_day() -> None:
    assert chosen(candidates([]), GRAPHS) == chosen(candidates([])) == []


@pytest.mark.parametrize("size", [1, 5, 20])
@given(data=st.data())
def test_a_choice_is_repeatable_in_bounds_and_never_repeats(size: int, data: st.DataObject) -> None:
    strength = st.floats(0, 1)
    rows = data.draw(st.lists(st.lists(strength, min_size=3, max_size=3), max_size=30))
    seen = tuple(data.draw(st.sets(st.integers(100, 130))))
    topics = data.draw(st.sets(st.sampled_from([GRAPHS, ROBOTS, VISION])))
    papers = chosen(candidates(rows), *topics, size=size, seen=seen)
    assert papers == chosen(candidates(rows), *topics, size=size, seen=seen)
    assert len(papers) == len(set(papers)) <= size
    assert not set(papers) & set(seen)


TEXTS: list[Text] = [
    ("Sparse autoencoders", "We read circuits.", ["Ada Lovelace"]),
    ("Walking robots", "They learn to walk.", ["Emmy Noether"]),
    ("A third paper", "It is about autoencoders that are sparse, and robots.", ["Lovelace, Ada"]),
]


def of(reader: Reader, strengths: list[list[float]] | None = None) -> list[tuple[int, str]]:
    pool = candidates(strengths or [[0.0] * 3] * 3, texts=TEXTS)
    return [(choice.paper, choice.reason) for choice in Chooser(pool).choose(reader)]


def test_a_followed_author_is_found_however_the_name_is_written() -> None:
    reason = "By ada lovelace, whom you follow"
    assert of(Reader(frozenset(), 3, authors=("ada lovelace",))) == [(100, reason), (102, reason)]


def test_a_followed_phrase_is_reason_enough() -> None:
    assert of(Reader(frozenset(), 3, phrases=("sparse autoencoder",))) == [(100, "You follow “sparse autoencoder”")]


@pytest.mark.parametrize(
    "mutes",
    [{"muted_phrases": ("robots",)}, {"muted_authors": ("Emmy Noether",)}, {"muted_topics": frozenset({ROBOTS})}],
)
def test_what_is_muted_never_comes(mutes: dict[str, Any]) -> None:
    papers = [
        paper for paper, _ in of(Reader(frozenset({GRAPHS}), 3, **mutes), [[0.9, 0, 0], [0.9, 0.9, 0], [0.9, 0, 0]])
    ]
    assert 100 in papers
    assert 101 not in papers


def test_taste_lifts_what_reads_like_the_liked_papers_and_says_so() -> None:
    reader = Reader(frozenset({GRAPHS}), 1, taste=Taste({"sparse autoencoder": 1.0, "circuit": 0.5}, likes=3))
    assert (
        of(reader, [[0.0, 0, 0], [0.5, 0, 0], [0, 0, 0]])
        == [(100, "Like papers you liked: sparse autoencoder, circuit")]
        or of(reader, [[0.0, 0, 0], [0.4, 0, 0], [0, 0, 0]])[0][0] == 100
    )


def test_an_author_of_liked_papers_is_named_as_the_paper_writes_the_name() -> None:
    reader = Reader(frozenset({GRAPHS}), 3, taste=Taste({}, {"ada-lovelace": 1.0}, likes=2))
    assert of(reader, [[1.0, 0, 0]] * 3)[:2] == [
        (100, "By Ada Lovelace, like papers you liked"),
        (102, "By Lovelace, Ada, like papers you liked"),
    ]


def test_the_words_of_two_papers_bring_no_other_and_are_not_named() -> None:
    taste = Taste({"autoencoder": 1.0}, likes=2)
    assert of(Reader(frozenset({GRAPHS}), 3, taste=taste)) == []
    papers = of(Reader(frozenset(), 1, taste=taste))
    assert papers == [(100, "Like papers you liked")]


def test_a_disliked_paper_of_a_followed_topic_stays_away() -> None:
    reader = Reader(frozenset({GRAPHS}), 3, taste=Taste({"robot": -1.0}))
    assert [paper for paper, _ in of(reader, [[0.6, 0, 0], [0.6, 0, 0], [0.6, 0, 0]])] == [100]


def test_a_paper_that_took_off_is_mentioned_once_more_and_says_so() -> None:
    day = date(2026, 3, 20)
    reader = Reader(frozenset({GRAPHS}), 3, seen=(100, 101, 102), risen={101: day, 102: day})
    assert of(reader, [[0.9, 0, 0]] * 3) == [(101, "Still rising · you had it on 20 March · Graphs")]


def test_a_pinned_paper_that_took_off_is_labelled_as_both() -> None:
    pool = candidates([[0.9, 0, 0]] * 2, pinned=[1])
    reader = Reader(frozenset({GRAPHS}), 3, seen=(101,), risen={101: date(2026, 3, 20)})
    [pin, own] = Chooser(pool).choose(reader)
    assert (pin.paper, pin.picked, pin.rising, own.paper) == (101, True, True, 100)
    assert pin.reason == "Still rising · you had it on 20 March · Picked by the editor"


def test_pins_leave_a_place_for_the_readers_own_paper() -> None:
    pool = candidates([[0.9, 0, 0]] + [[0, 0, 0.9]] * 3, pinned=[1, 2, 3])
    assert chosen(pool, GRAPHS, size=3) == [101, 102, 100]
    assert chosen(pool, GRAPHS, size=1) == [100]


BROAD = [[1.0, 0, 0]] * 30
PEOPLE: list[Text] = [(f"Paper {number}", "Of something.", ["A Name"]) for number in range(30)]
PEOPLE.append(("Sparse autoencoders", "Of something else.", ["Ada Lovelace"]))


@pytest.mark.parametrize("of_topic", [0.0, 1.0])
@pytest.mark.parametrize("asks", [{"authors": ("Ada Lovelace",)}, {"phrases": ("sparse autoencoders",)}])
def test_what_is_followed_by_name_comes_before_a_topic_that_all_papers_have(
    asks: dict[str, Any], of_topic: float
) -> None:
    pool = candidates([*BROAD, [of_topic, 0, 0]], texts=PEOPLE)
    first = Chooser(pool).choose(Reader(frozenset({GRAPHS}), 3, **asks))[0]
    assert first.paper == 130
    assert "follow" in first.reason


def test_a_passing_mention_from_outside_stands_behind_the_topic() -> None:
    texts = [*PEOPLE[:30], ("Robots", "They have large sparse autoencoder modules.", ["A Name"])]
    pool = candidates([*BROAD, [0, 0, 0]], texts=texts)
    assert 130 not in [one.paper for one in Chooser(pool).choose(Reader(frozenset({GRAPHS}), 3, phrases=("sparse",)))]


def test_what_is_followed_by_name_takes_no_topics_share() -> None:
    texts = [("Robots", "They walk.", ["Ada Lovelace"])] * 6
    pool = candidates([[1.0, 0, 0]] * 6, texts=texts)
    reader = Reader(frozenset({GRAPHS, ROBOTS, VISION}), 6, authors=("Ada Lovelace",))
    assert len(Chooser(pool).choose(reader)) == 6


def test_who_chose_no_topics_gets_a_few_of_each_too() -> None:
    pool = candidates([[0.9, 0, 0]] * 6 + [[0, 0.5, 0], [0, 0, 0.5], [0, 0, 0]])
    papers = chosen(pool, size=6)
    assert sum(paper < 106 for paper in papers) == PER_TOPIC
    assert len(papers) == 6


def test_who_follows_every_topic_gets_nothing_from_outside() -> None:
    pool = candidates([[0, 0, 0]] * 3 + [[0.9, 0, 0]] * 3 + [[0, 0.9, 0], [0, 0, 0.9]])
    choices = Chooser(pool).choose(Reader(frozenset({GRAPHS, ROBOTS, VISION}), 8))
    assert not any(one.outside for one in choices)


def test_what_the_reader_likes_already_is_not_from_outside() -> None:
    texts: list[Text] = [("Robots", "They walk.", ["Emmy Noether"]), ("Vision", "It sees.", ["A Name"])]
    texts += [("Graphs", "They have edges.", ["A Name"])] * 6
    pool = candidates([[0, 0, 0], [0, 0, 0.9]] + [[0.9, 0, 0]] * 6, texts=texts)
    reader = Reader(frozenset({GRAPHS}), 5, taste=Taste({"robot": 0.2}, likes=1))
    assert [one.paper for one in Chooser(pool).choose(reader) if one.outside] == [101]


def test_who_chose_no_topic_is_told_of_what_they_follow() -> None:
    pool = candidates([[0, 0, 0.9]] + [[0, 0, 0]] * 3, texts=[("Vision", "It sees.", ["A Name"]), *TEXTS])
    choices = Chooser(pool).choose(Reader(frozenset(), 5, phrases=("sparse autoencoder",)))
    assert choices[-1].reason == "From outside what you follow"


def test_readers_are_ranked_together_as_they_are_alone() -> None:
    pool = candidates([[0.9, 0.1, 0], [0, 0.8, 0.4], [0.5, 0.5, 0.5]], texts=TEXTS)
    readers = [
        Reader(frozenset({GRAPHS}), 3),
        Reader(frozenset({ROBOTS, VISION}), 2, taste=Taste({"robot": 1.0}, likes=3)),
        Reader(frozenset({ROBOTS}), 2, taste=Taste({"autoencoder": 1.0}, likes=1)),
        Reader(frozenset(), 3, phrases=("robots",)),
    ] * 100
    chooser = Chooser(pool)
    assert list(chooser.choose_all(readers)) == [chooser.choose(reader) for reader in readers]


def test_every_candidate_has_its_explanation() -> None:
    pool = candidates([[0.9, 0, 0], [0.1, 0, 0], [0.8, 0, 0]], texts=TEXTS)
    lines = Chooser(pool).explain(Reader(frozenset({GRAPHS}), 3, seen=(102,)))
    assert [(line.paper, line.verdict) for line in lines] == [
        (100, "taken, no. 1: Graphs"),
        (102, "left: was sent before, or the reader spoke of it"),
        (101, "left: fits less than 0.3"),
    ]


@pytest.mark.parametrize(
    ("upvotes", "days", "words"),
    [
        (1, 1, "1 upvote in a day"),
        (1312, 2, "1,312 upvotes in 2 days"),
        (40, 15, "40 upvotes"),
        (40, None, "40 upvotes"),
    ],
)
def test_a_rise_is_told_with_its_time_while_that_is_short(upvotes: int, days: int | None, words: str) -> None:
    with override("en"):
        assert upvotes_in_words(upvotes, days) == words
