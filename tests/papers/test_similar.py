"""Papers that are alike are found by the terms that tell them from others."""

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import DjangoAssertNumQueries

from papers import harvest, similar
from papers.models import Keyword, Paper, Vocabulary
from papers.records import PaperRecord
from tests.conftest import NOW
from tests.papers.corpus import CELLS, ROBOTS, STARS, shuffled

SUBJECTS = {"stars": STARS, "cells": CELLS, "robots": ROBOTS}


@pytest.fixture
def library(db: None) -> dict[str, list[Paper]]:
    """Eight papers on each of three subjects, stored as sources store them."""
    chance = random.Random(7)
    records = [
        PaperRecord.from_source(title=f"{name} {number}", abstract=" ".join(shuffled(words, 30, chance)))
        for number in range(8)
        for name, words in SUBJECTS.items()
    ]
    harvest.store(records, NOW)
    return {name: list(Paper.objects.filter(title__startswith=name).order_by("pk")) for name in SUBJECTS}


def test_likes_are_of_the_same_subject(library: dict[str, list[Paper]]) -> None:
    for name, papers in library.items():
        for paper in papers:
            found = similar.similar(paper)
            assert found
            assert paper not in found
            assert all(one.title.startswith(name) for one in found)


def test_the_same_question_has_the_same_answer(library: dict[str, list[Paper]]) -> None:
    paper = library["stars"][0]
    assert similar.similar(paper) == similar.similar(paper)
    similar.learn(NOW)
    assert similar.similar(paper) == similar.similar(paper)


def test_a_changed_paper_is_like_others(library: dict[str, list[Paper]]) -> None:
    record = PaperRecord.from_source(
        title="stars 0", abstract="protein membrane enzyme genome tissue receptor", arxiv_id="2503.00001"
    )
    harvest.store([record], NOW)
    paper = Paper.objects.get(title="stars 0")
    assert all(one.title.startswith("cells") for one in similar.similar(paper))


def test_a_deleted_paper_is_gone(library: dict[str, list[Paper]]) -> None:
    first, *_ = library["robots"]
    gone = similar.similar(first)[0]
    gone.delete()
    assert gone not in similar.similar(first)


def test_a_paper_alone_has_no_likes(db: None) -> None:
    harvest.store([PaperRecord.from_source(title="Alone")], NOW)
    assert similar.similar(Paper.objects.get()) == []


def test_the_first_papers_make_a_vocabulary_and_many_more_make_another(library: dict[str, list[Paper]]) -> None:
    made = Vocabulary.objects.get()
    assert similar.is_outgrown() is False
    harvest.store([PaperRecord.from_source(title=f"More {number}") for number in range(80)], NOW)
    assert Vocabulary.objects.get().papers > made.papers


def test_to_find_likes_costs_three_queries(
    library: dict[str, list[Paper]], django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    with django_assert_num_queries(3):
        similar.similar(library["stars"][0])


def test_what_is_known_is_not_written_again(
    library: dict[str, list[Paper]], django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    before = set(Keyword.objects.values_list("pk", flat=True))
    similar.index(Paper.objects.all())
    assert set(Keyword.objects.values_list("pk", flat=True)) == before


@given(st.text(max_size=300), st.text(max_size=2000))
def test_any_text_has_few_keywords_of_length_one(title: str, abstract: str) -> None:
    found = similar.keywords(title, abstract, similar.Words(10, {"the": 9}))
    assert len(found) <= similar.KEYWORDS
    assert not found or sum(weight**2 for weight in found.values()) == pytest.approx(1, abs=0.01)
    assert all(len(term) <= similar.LONGEST_TERM for term in found)
