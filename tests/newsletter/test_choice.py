"""Which papers one person gets."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from newsletter.digest.candidates import Candidates, standing, standings_by_topic
from newsletter.digest.choice import PER_TOPIC, Chooser, Reader

GRAPHS, ROBOTS, VISION = 7, 8, 9


def candidates(strengths: list[list[float]], pinned: list[int] | None = None) -> Candidates:
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


def test_a_reader_of_one_topic_is_not_cut_short_by_the_share() -> None:
    pool = candidates([[0.9, 0, 0]] * 6)
    assert len(chosen(pool, GRAPHS, size=5)) == 5


def test_one_place_is_kept_for_a_trending_paper_from_outside() -> None:
    pool = candidates([[0, 0, 0.9], [0, 0, 0.9]] + [[0.9, 0, 0]] * 6)
    choices = Chooser(pool).choose(Reader(frozenset({GRAPHS}), 5))
    assert [choice.outside for choice in choices] == [False] * 4 + [True]
    assert choices[-1].paper == 100
    assert choices[-1].reason == "From outside your topics"


def test_a_quiet_day_is_not_padded_from_outside() -> None:
    assert chosen(candidates([[0, 0, 0.9]] * 5), GRAPHS, size=5) == []


def test_pins_come_first_and_say_so() -> None:
    pool = candidates([[0.9, 0, 0], [0, 0, 0.9]], pinned=[1])
    choices = Chooser(pool).choose(Reader(frozenset({GRAPHS}), 2))
    assert [choice.paper for choice in choices] == [101, 100]
    assert choices[0].reason == "Picked by the editor"


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
