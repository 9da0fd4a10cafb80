"""What a paper speaks of, and how well a phrase fits it."""

import pytest

from newsletter.digest.scoring import OTHER_NAME, phrase_strengths
from newsletter.digest.terms import Finder, passage, phrase, short_forms, terms

NOTHING = passage("")


def about(wanted: str, title: str, abstract: str = "") -> float:
    return Finder({"it": [wanted]}).aboutness(passage(title), passage(abstract)).get("it", 0.0)


def test_a_term_that_stands_alone_counts_more_than_a_part_of_a_longer_name() -> None:
    found = terms(NOTHING, passage("This is for video generation. A video diffusion model is used."))
    assert found["video generation"] == 1
    assert found["video diffusion model"] > found["video diffusion"] > found["diffusion"]


def test_a_term_in_the_title_or_said_again_counts_more() -> None:
    once = terms(NOTHING, passage("We study graphs."))["graph"]
    again = terms(NOTHING, passage("We study graphs. The graphs are large."))["graph"]
    assert once < again < terms(passage("Graphs"), passage("We study graphs."))["graph"]


def test_no_term_goes_over_the_end_of_a_clause() -> None:
    assert "graph robot" not in terms(NOTHING, passage("Graphs. Robots walk."))


@pytest.mark.parametrize(
    ("wanted", "title", "is_found"),
    [
        ("graph-based learning", "Graph based learning", True),
        ("Transformers", "A transformer", True),
        ("LLMs", "Evaluating an LLM", True),
        ("LoRA", "Lora in the garden", False),
        ("lora", "LoRA for all", True),
        ("input/output", "Input/output of programs", True),
        ("graphs", "Photographs", False),
        ("", "Anything", False),
    ],
)
def test_a_phrase_is_found_as_readers_write_it(wanted: str, title: str, *, is_found: bool) -> None:
    assert (about(wanted, title) > 0) == is_found


def test_a_paper_wholly_about_a_phrase_fits_fully_and_a_longer_name_less() -> None:
    assert about("knots", "Knots", "Knots. Knots.") == 1
    assert about("language model", "Language model") > about("language model", "Large language model benchmark") > 0


def test_an_acronym_that_two_papers_explain_is_another_name() -> None:
    texts = [passage("We use reinforcement learning (RL)."), passage("Deep Reinforcement Learning (RL)")]
    forms = short_forms(texts)
    assert forms == {"RL": "reinforcement learning", "reinforcement learning": "RL"}
    assert short_forms(texts[:1]) == {}
    papers = [(passage("RL at scale"), NOTHING), (passage("Reinforcement learning at scale"), NOTHING)]
    short, long = phrase_strengths(["reinforcement learning"], papers, forms)["reinforcement learning"]
    assert 0 < short < long
    assert OTHER_NAME < 1


def test_brackets_without_initials_explain_nothing() -> None:
    assert short_forms([passage("Our method (BERT) works, (GNN)")] * 2) == {}


def test_a_phrase_keeps_what_an_acronym_needs() -> None:
    assert [(one.folded, one.exactly) for one in phrase("GANs for Art")] == [("gan", "GAN"), ("for", ""), ("art", "")]
