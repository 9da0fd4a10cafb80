"""A model learns topics from labelled texts, and is nothing but numbers and words."""

import io
import random
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers import fitting
from papers.classifier import ModelFormatError, Text, TextModel
from papers.fitting import Examples
from tests.papers.corpus import CELLS, ROBOTS, STARS, shuffled

WORDS = {"stars": STARS, "cells": CELLS, "robots": ROBOTS}
LABELS = tuple(WORDS)


def text(label: str, chance: random.Random) -> Text:
    words = shuffled(WORDS[label], 20, chance)
    return " ".join(words[:6]), " ".join(words[6:])


def examples(count: int = 240) -> Examples:
    """A third each; each sixth text is about robots too."""
    chance = random.Random(1)
    given_labels = [{LABELS[n % 3]} | ({"robots"} if n % 6 == 0 else set()) for n in range(count)]
    texts = []
    for names in given_labels:
        parts = [text(name, chance) for name in sorted(names)]
        texts.append((" ".join(title for title, _ in parts), " ".join(abstract for _, abstract in parts)))
    belongs = np.array([[label in names for label in LABELS] for names in given_labels])
    return Examples(texts, LABELS, belongs, np.ones(belongs.shape, np.float32), np.zeros(count, np.float32))


@pytest.fixture(scope="module")
def model() -> TextModel:
    return fitting.fit(examples())


def test_it_finds_the_labels_of_texts_it_has_not_seen(model: TextModel) -> None:
    chance = random.Random(2)
    for label in LABELS:
        chances = model.probabilities([text(label, chance) for _ in range(20)])
        assert [LABELS[best] for best in chances.argmax(1)] == [label] * 20


def test_a_text_of_two_topics_has_both(model: TextModel) -> None:
    both = ("A gripper for the telescope", "The actuator torque of a manipulator follows the galaxy spectrum.")
    assert (model.probabilities([both])[0] >= model.cutoffs).tolist() == [True, False, True]


def test_the_same_examples_teach_the_same(model: TextModel) -> None:
    assert fitting.fit(examples()).to_bytes() == model.to_bytes()


def test_a_model_survives_its_bytes(model: TextModel) -> None:
    texts = examples(12).texts
    again = TextModel.from_bytes(model.to_bytes())
    assert (again.labels, again.vocabulary) == (model.labels, model.vocabulary)
    assert np.allclose(again.probabilities(texts), model.probabilities(texts), atol=0.005)


def test_a_pickle_is_refused() -> None:
    file = io.BytesIO()
    np.savez(file, words=np.array([print], object), rarity=0, weights=0, bias=0, cutoffs=0)
    with pytest.raises(ModelFormatError):
        TextModel.from_bytes(file.getvalue())


def test_parts_that_do_not_belong_together_are_refused(model: TextModel) -> None:
    with pytest.raises(ModelFormatError, match="belong together"):
        TextModel.from_bytes(replace(model, bias=model.bias[:1]).to_bytes())


@given(st.binary(max_size=200), st.integers(0, 5000))
def test_broken_bytes_are_refused_by_name(model: TextModel, junk: bytes, length: int) -> None:
    for content in (junk, model.to_bytes()[:length], model.to_bytes()[:length] + junk):
        with pytest.raises(ModelFormatError):
            TextModel.from_bytes(content)


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_text_gets_strengths_from_0_to_1(model: TextModel, title: str, abstract: str) -> None:
    strengths = model.strengths([(title, abstract)], at_cutoff=0.3)
    assert strengths.shape == (1, 3)
    assert ((strengths >= 0) & (strengths <= 1)).all()


def test_no_text_at_all_is_no_trouble(model: TextModel) -> None:
    assert model.probabilities([]).shape == (0, 3)
    assert (model.probabilities([("", "")]) < model.cutoffs).all()


def test_a_strength_meets_the_threshold_exactly_at_the_cutoff(model: TextModel) -> None:
    texts = examples(30).texts
    given_labels = model.probabilities(texts) >= model.cutoffs
    assert np.array_equal(model.strengths(texts, at_cutoff=0.3) >= np.float32(0.3), given_labels)


def test_what_nobody_knows_teaches_nothing() -> None:
    all_known = examples()
    unknown = all_known.weights.copy()
    unknown[::2, 0] = 0
    lies = all_known.belongs.copy()
    lies[::2, 0] = ~lies[::2, 0]
    truth, lied = (fitting.fit(replace(all_known, weights=unknown, belongs=one)) for one in (all_known.belongs, lies))
    assert truth.to_bytes() == lied.to_bytes()


def test_a_habit_that_ended_counts_less_than_one_that_lasts() -> None:
    """Half of the star papers were said to be about robots too: long ago, or lately."""
    plain = examples()
    belongs = plain.belongs.copy()
    belongs[::3, 2] = np.arange(80) < 40
    long_ago, lately = (
        fitting.fit(replace(plain, belongs=belongs, ages=ages.astype(np.float32)))
        for ages in (np.arange(240)[::-1] * 2, np.arange(240) * 2)
    )
    star = [text("stars", random.Random(3))]
    assert long_ago.probabilities(star)[0, 2] < lately.probabilities(star)[0, 2]


def test_a_rare_label_nearly_keeps_its_own_cutoff() -> None:
    """0.6 is best for the frequent label and for all together, 0.15 for the rare one."""
    chances = np.array([[0.7, 0.2]] * 10 + [[0.7, 0.1]] * 590 + [[0.5, 0.1]] * 400)
    belongs = np.array([[True, True]] * 10 + [[True, False]] * 590 + [[False, False]] * 400)
    frequent, rare = fitting.cutoffs(chances, belongs, np.ones(belongs.shape))
    assert frequent == pytest.approx(0.6)
    assert 0.15 < rare < 0.2
