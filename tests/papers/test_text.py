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
        ("a < b > c & <d>", "a < b > c & <d>"),
        ("C# and #1", "C# and #1"),
    ],
)
def test_signs_that_latex_would_swallow_survive(source: str, plain: str) -> None:
    assert clean(source, 500) == plain


@pytest.mark.parametrize(
    ("source", "plain"),
    [
        ("<b>Bold</b> nets &amp; trees", "Bold nets & trees"),
        ('See <a href="https://x.example/?a=1&amp;b=2" target=_blank>our page</a>.', "See our page."),
        ("<p class='abstract'>One.</p>\n<P>Two.</P>", "One. Two."),
        ("One.<br>Two.<P />Three.", "One. Two. Three."),
        ("10<sup>-3</sup> of CO<sub>2</sub>, x<sub>i</sub>", "10⁻³ of CO₂, xi"),
        ("&lt;p&gt;We&amp;nbsp;show &amp;lt;i&amp;gt;x&amp;lt;/i&amp;gt;.&lt;/p&gt;", "We show x."),
        ("<jats:title>Abstract</jats:title><jats:p>We propose <jats:italic>x</jats:italic>.</jats:p>", "We propose x."),
        ("<jats:sec><jats:title>Methods</jats:title><jats:p>Nets.</jats:p></jats:sec>", "Methods: Nets."),
        ("<mml:math><mml:mi>x</mml:mi><mml:mo>=</mml:mo></mml:math>1", "x=1"),
        ("M&uuml;ller, S&#248;n, &#x3b1;, AT&T; R&D;", "Müller, Søn, α, AT&T; R&D;"),
        ("<!-- draft --><style>p {color: red}</style>We show.", "We show."),
        ("a&#x202e;b&#x200b;c", "abc"),
    ],
)
def test_tags_and_entities_are_made_text(source: str, plain: str) -> None:
    assert clean(source, 500) == plain


@pytest.mark.parametrize(
    "words",
    [
        "p < 0.05 and n > 3", "a<b", "if a<b and c>d", "x <b and y> z", "n<p>m", "the <think> and </think> tokens",
        "<s> begins, </s> ends", "at <https://x.example/a>", "<cat, to-right-of, person>",
    ],
)  # fmt: skip
def test_signs_that_are_no_markup_stay(words: str) -> None:
    assert clean(words, 500) == words
    assert clean(words.replace("<", "&lt;").replace(">", "&gt;"), 500) == words


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
