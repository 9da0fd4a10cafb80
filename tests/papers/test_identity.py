"""The same work has the same identity, whatever source or version shows it."""

import pytest

from papers.identity import arxiv_id, doi, first_author_key, title_key


@pytest.mark.parametrize(
    "text",
    [
        "2508.13426",
        "2508.13426v2",
        "arXiv:2508.13426v1",
        "oai:arXiv.org:2508.13426v1",
        "https://arxiv.org/abs/2508.13426",
        "http://arxiv.org/pdf/2508.13426v3.pdf",
        "10.48550/arXiv.2508.13426",
    ],
)
def test_versions_and_forms_of_an_arxiv_id_are_one(text: str) -> None:
    assert arxiv_id(text) == "2508.13426"


def test_old_arxiv_ids_lose_version_and_subject_class() -> None:
    assert arxiv_id("hep-th/9901001v1") == "hep-th/9901001"
    assert arxiv_id("https://arxiv.org/abs/math.GT/0309136") == "math/0309136"


@pytest.mark.parametrize("text", ["", "cs.LG", "2508.1", "25081.3426", "https://example.org/2508.13426", "x2508.13426"])
def test_what_is_no_arxiv_id_is_none(text: str) -> None:
    assert arxiv_id(text) is None


def test_dois_lose_resolver_and_case() -> None:
    assert doi("https://doi.org/10.1038/S41586-024-1") == doi("doi:10.1038/s41586-024-1.") == "10.1038/s41586-024-1"
    assert doi("11.1038/x") is doi("") is None


def test_titles_are_one_whatever_case_accents_or_punctuation() -> None:
    assert title_key("Schrödinger’s Nets: A Survey") == title_key("schrodinger's nets -- a survey!")
    assert title_key("Nets") != title_key("Networks")
    assert title_key("深度学习") != title_key("机器学习")


def test_a_name_is_one_in_both_orders() -> None:
    assert first_author_key(["Núñez, Ada"]) == first_author_key(["Ada Núñez", "Bob"]) == "nunez"
    assert first_author_key([]) == ""
