"""The TL;DR is the paper's own claim, in whole sentences."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.sources.shapes import Parsed
from papers.summary import sentences, summary


@pytest.mark.parametrize(
    "sentence",
    [
        "It runs, e.g. Redis and i.e. Valkey, at 99.4% of 0.5 s.",
        "Adaptive vs. Incremental Learning.",
        "Deng et al. (2023) and J. Doe, cf. Fig. 3, agree.",
        "See https://github.com/ada/engine.git for code.",
        "Is it so?",
    ],
)
def test_a_full_stop_inside_a_sentence_ends_none(sentence: str) -> None:
    assert sentences(f"First one. {sentence} Last one.") == ["First one.", sentence, "Last one."]


def test_a_sentence_may_end_without_a_space_after_it() -> None:
    assert sentences("It keeps the performance.The IFM shows it.") == ["It keeps the performance.", "The IFM shows it."]


@given(st.text(alphabet="abA .?!\"')1é\n"))
def test_no_word_is_lost_between_sentences(text: str) -> None:
    assert "".join("".join(sentences(text)).split()) == "".join(text.split())


def test_the_claim_comes_before_the_background() -> None:
    abstract = "Graphs are everywhere. In this work, we propose GraphX. It is fast."
    assert summary(abstract) == "We propose GraphX. It is fast."


def test_without_a_claim_the_first_sentence_stands() -> None:
    assert summary("Graphs are everywhere. They matter.", 25) == "Graphs are everywhere."
    assert summary("") == ""


@pytest.mark.parametrize(
    "opening",
    [
        "To mitigate this issue,", "To bridge this gap,", "In order to tackle those issues,", "Specifically,",
        "Motivated by these findings,", "Building on this insight,", "In light of this,", "In this research,",
        "Furthermore, to address these two limitations of the field,", "Method:", "Results and discussion:",
        "Given these findings,", "Using this large net,", "With this,",
    ],
)  # fmt: skip
def test_a_claim_begins_with_what_is_new(opening: str) -> None:
    assert summary(f"Graphs are large. {opening} we propose a net.") == "We propose a net."


def test_a_label_is_no_part_of_what_follows_either() -> None:
    assert summary("Aim: We propose a net. Methods: It is trained.") == "We propose a net. It is trained."


def test_a_claim_that_stands_by_itself_goes_before_one_that_points_back() -> None:
    later = "We identify four uses of them."
    assert summary(f"Graphs are everywhere. This survey explores their uses. {later}") == later
    assert summary("Graphs are everywhere. This survey explores their uses.") == "This survey explores their uses."
    both = "We study this limit and introduce a net."
    assert summary(f"{both} We propose it.", 42) == both


@pytest.mark.parametrize("claim", ["We expose a flaw of nets.", "A flaw of nets was found.", "Our nets are small."])
def test_background_is_passed_over_for_any_claim(claim: str) -> None:
    assert summary(f"Graphs are everywhere. {claim}") == claim


@pytest.mark.parametrize(
    "claim",
    [
        "We introduce Nettle, a small net.", "This is solved by proposing Nettle, a small net.",
        "We train a fast, small net called Nettle.", "We challenge the large ones with Nettle, which is small.",
        "Nettle is a small net.", "We build a series of nets of all sizes, Nettle.", "We release Nettle-7B.",
    ],
)  # fmt: skip
def test_the_sentence_that_introduces_the_name_of_the_title_goes_first(claim: str) -> None:
    abstract = f"Nets are large. We propose a loss for Nettle. {claim}"
    assert summary(abstract, title="Nettle: Small Nets") == claim
    assert summary(abstract).startswith("We propose a loss")


def test_a_result_or_another_thing_of_the_same_stem_introduces_no_name() -> None:
    abstract = "We propose a small net. Experiments on all nets show that our Nettle is good. We release Nettle-Bench."
    assert summary(abstract, title="Nettle: Small Nets") == abstract
    assert summary("We propose it. We introduce Nettle.", title="Nettle") == "We propose it. We introduce Nettle."


@pytest.mark.parametrize("link", ["also", "further", "then", "therefore", "thus"])
def test_a_claim_links_to_nothing_that_is_not_shown(link: str) -> None:
    assert summary(f"Nets are large. We {link} propose a net.") == "We propose a net."
    assert summary(f"We {link} propose a net. It is fast. We propose a loss.", 20) == (
        "We propose a net." if link in ("therefore", "thus") else "We propose a loss."
    )


def test_an_opening_ends_where_the_claim_begins() -> None:
    assert summary("To solve these issues we introduce Nettle, a net.") == "We introduce Nettle, a net."
    assert summary("If these nets are small, we propose a loss.") == "If these nets are small, we propose a loss."


@pytest.mark.parametrize(
    "other",
    [
        "We observe that existing nets are still inferior.", "Interestingly, we find the answer is yes.",
        "While the original nets are old, we thought that new ones help.", "Our code is at https://nets.example/a.",
        "This survey provides a concise reference.",
    ],
)  # fmt: skip
def test_background_half_answers_and_addresses_are_no_claims(other: str) -> None:
    assert summary(f"{other} Our nets are small.") == "Our nets are small."


def test_a_survey_says_what_it_offers() -> None:
    offer = "This survey offers an overview of nets."
    assert summary(f"We show that nets are small. {offer}") == offer


def test_no_address_is_shown() -> None:
    abstract = "We present Nettle (https://nets.example/b), a net. See https://nets.example/a."
    assert summary(abstract) == "We present Nettle, a net."


def test_a_long_claim_is_cut_between_words() -> None:
    text = summary("We propose " + "wonderful " * 50 + "nets.", 40)
    assert text == "We propose wonderful wonderful…"


@pytest.mark.parametrize(
    "rest",
    [
        ", which is new to nets of all sizes", "; it is trained on many graphs", ", leading to smaller nets",
        ": a small one, a large one, a fast one", " – and many more of all sizes", ", and (2) many more nets",
    ],
)  # fmt: skip
def test_a_long_claim_is_cut_after_a_clause_of_its_last_third(rest: str) -> None:
    clause = "We propose (1) a net for graphs of papers"
    assert summary(f"{clause}{rest}.", 55) == f"{clause}…"


def test_a_clause_that_ends_early_or_in_brackets_is_no_place_to_cut() -> None:
    assert summary("We propose a net, which is wonderful for graphs.", 40) == "We propose a net, which is wonderful…"
    assert summary("We propose a net (wonderful, and for graphs).", 40) == "We propose a net (wonderful, and for…"


@pytest.mark.parametrize(
    ("rest", "kept"),
    [
        ("; (2) Level 2: all the larger ones", ""), (", (2) Level 2 – all the larger ones", ""),
        (", 2) Large nets: all the others", ""), (" and (ii) nets of all the largest sizes", ""),
        (", (2) large nets, which are slower", ", (2) large nets"),
    ],
)  # fmt: skip
def test_a_cut_leaves_no_point_that_was_only_begun(rest: str, kept: str) -> None:
    points = "We study (1) small nets of graphs of papers"
    assert summary(f"{points}{rest}.", 62) == f"{points}{kept}…"


@given(st.text(), st.integers(min_value=2, max_value=300))
def test_a_summary_is_never_longer_than_asked(text: str, limit: int) -> None:
    assert len(summary(text, limit)) <= limit


def test_every_seed_has_a_claim_in_whole_words(seeds: Parsed) -> None:
    for record in seeds.records:
        text = summary(record.abstract)
        assert 50 < len(text) <= 280
        assert text.endswith((".", "…"))
        assert all(sentence[1:] in record.abstract for sentence in sentences(text.rstrip("…")))
