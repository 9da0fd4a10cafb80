"""The same work has the same identity, whatever source or version shows it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.identity import arxiv_id, arxiv_ids, doi, first_author_key, title_key


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


def test_ids_are_found_in_whatever_people_paste() -> None:
    text = """arXiv:2401.01234v2,
    https://arxiv.org/abs/2402.00001 [2403.12345](https://arxiv.org/pdf/2403.12345v3.pdf);
    hep-th/9901001;math.GT/0309136 <https://arxiv.org/abs/cond-mat/0102536v1> doi:10.48550/arXiv.2405.00009|
    2401.01234"""
    found = [
        "2401.01234",
        "2402.00001",
        "2403.12345",
        "hep-th/9901001",
        "math/0309136",
        "cond-mat/0102536",
        "2405.00009",
    ]
    assert arxiv_ids(text) == found


@pytest.mark.parametrize(
    "text", ["", "3.14159 2413.01234 12401.01234 2401.0123456", "10.1000/1234567", "version 1.2345"]
)
def test_other_numbers_are_no_ids(text: str) -> None:
    assert arxiv_ids(text) == []


@given(st.text(max_size=300))
def test_any_text_gives_ids_that_are_ids(text: str) -> None:
    assert all(arxiv_id(found) == found for found in arxiv_ids(text))
