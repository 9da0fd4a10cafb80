"""Text out of sources is plain, readable and bounded."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from papers.text import clean, cut

LATEX = st.text(alphabet=st.sampled_from("\\{}$%&~^_'\"`|#ab1 \n()[]αé<>") | st.characters())


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        (r"$\alpha$-nets and \textbf{bold} claims", "α-nets and bold claims"),
        (r"Andr\'e G\"odel, \v{S}t\'epan", "André Gödel, Štépan"),
        ("a~failure of ``trust'' -- once", "a failure of “trust” – once"),
        (r"$\mathcal{O}(n\log n)$ and $x^2$, $10^{-3}$", "𝒪(n log n) and x², 10⁻³"),
        (r"\href{https://x.example}{Our page}~\cite{me}", "Our page"),
        (r"unknown \frobnicate{words} stay", "unknown words stay"),
    ],
)
def test_latex_becomes_readable(source: str, plain: str) -> None:
    assert clean(source, 500) == plain


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("5% of $a$ and the rest", "5% of a and the rest"),
        (r"100\% of R&D and P\&L", "100% of R&D and P&L"),
        (r"the norm $\|x\|$ is small", "the norm ‖x‖ is small"),
        (r"from $5 to $6 a day", "from $5 to $6 a day"),
        ("a < b > c & <b>d</b>", "a < b > c & <b>d</b>"),
        ("C# and #1", "C# and #1"),
    ],
)
def test_signs_that_latex_would_swallow_survive(source: str, plain: str) -> None:
    assert clean(source, 500) == plain


@pytest.mark.parametrize(
    "source", ["\\", "{", "}", "$", "\\frac", "{" * 3000, "\\begin{" * 500, "$" * 999, "\\href{a}"]
)
def test_broken_latex_is_no_error(source: str) -> None:
    assert clean(source + " and words", 8000).endswith("words")


def test_what_cannot_be_seen_is_taken_out() -> None:
    assert clean("a\u202eb\u200bc\x00d\ufeff\r\ne\u2028f\ud800", 100) == "abcd e f"


def test_text_is_composed() -> None:
    assert clean("Go\u0308del", 100) == "Gödel"


def test_a_cut_falls_between_words() -> None:
    assert cut("one two three", 9) == "one two…"
    assert cut("one two", 7) == "one two"
    assert cut("abcdefgh", 4) == "abc…"


@given(LATEX, st.integers(min_value=1, max_value=300))
def test_any_text_comes_out_clean_and_short(source: str, limit: int) -> None:
    plain = clean(source, limit)
    assert len(plain) <= limit
    assert not any(unicodedata.category(char)[0] == "C" for char in plain)
    assert plain == " ".join(plain.split()) == unicodedata.normalize("NFC", plain)
