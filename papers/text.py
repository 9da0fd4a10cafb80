"""Plain text out of what sources call text. Pure.

What comes out is plain: no markup, no control, bidi or zero-width characters, one space between words.
It is not HTML-safe: whoever shows it escapes it, as Django's templates do.
"""

import logging
import re
import unicodedata
from html import unescape

from pylatexenc.latex2text import LatexNodes2Text
from pylatexenc.latexwalker import LatexWalkerError

# It warns of macros without arguments: news about a stranger's text, not about our service.
logging.getLogger("pylatexenc").setLevel(logging.ERROR)

TITLE_LIMIT = 500  # characters, as the column
ABSTRACT_LIMIT = 10_000  # arXiv allows 1,920; journals are more generous
NAME_LIMIT = 200
# More signs than any abstract has, and braces within braces: reading them as LaTeX would take seconds.
MAX_SIGNS = 1_000
MAX_DEPTH = 20
# LaTeX shrinks when it becomes text; no source needs more of it than this for one character.
SOURCE_FACTOR = 4

_MAY_BE_MARKUP = re.compile(r"</?[A-Za-z!]|&[#\w]+;")
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][\da-fA-F]{1,6}|[A-Za-z][A-Za-z\d]{1,30});")
# Of HTML what an abstract may be dressed in, and all of JATS and MathML as Crossref gives them
# (https://www.crossref.org/documentation/markup-guide-metadata-segments/abstracts/). `<think>` and `<eos>` are words,
# and so is `<s>`: in abstracts the beginning of a model's input.
_BLOCKS = "p|br|hr|div|li|ul|ol|dl|dt|dd|table|tr|td|th|h[1-6]|blockquote|pre|section|sec|title"
_INLINE = "a|b|i|u|em|strong|small|big|sub|sup|span|font|tt|code|strike|del|ins|abbr|cite|q|img|wbr|italic|bold|sc"
# Attributes have values: `a <b and c> d` is mathematics.
_ATTRIBUTES = r"""(?:\s++[\w:.-]++\s*+=\s*+(?:"[^"<>]*+"|'[^'<>]*+'|[^\s"'<>=]++))*+"""
_TAG = re.compile(
    rf"<(?P<end>/)?(?P<name>(?P<block>(?:jats:)?(?:{_BLOCKS}))|(?:jats|mml):[\w-]+|{_INLINE})"
    rf"{_ATTRIBUTES}\s*+(?P<alone>/)?>",
    re.IGNORECASE,
)
_WITHOUT_END = {"br", "hr", "img", "wbr"}
_UNSEEN = re.compile(r"<!--(?:[^<>-]|-(?!->))*+-->|<(script|style)\b[^<>]*+>[^<]*+</\1\s*+>", re.IGNORECASE)
_HEADING = re.compile(r"<((?:jats:)?title|h[1-6])>([^<>]{1,80})</\1>", re.IGNORECASE)
_RAISED_TAG = re.compile(r"<((?:jats:)?sup)>\s*([\d+-]+)\s*</\1>", re.IGNORECASE)
_LOWERED_TAG = re.compile(r"<((?:jats:)?sub)>\s*([\d+-]+)\s*</\1>", re.IGNORECASE)

_MAY_BE_LATEX = re.compile(r"[\\$~{}]|``|''|--")
# Pandoc's rule, so that "$5 and $6" stays money: no space inside either dollar, no digit after the last
# (https://pandoc.org/MANUAL.html#extension-tex_math_dollars).
_MATH = re.compile(r"(?<!\\)(\$\$?)(?![\s$])((?:\\.|[^$\\]){1,400}?)(?<![\s\\])\1(?!\d)", re.DOTALL)
_MATH_OTHERWISE = re.compile(r"\\\((.{1,400}?)\\\)|\\\[(.{1,400}?)\\\]", re.DOTALL)
_DROPPED = re.compile(r"\\(?:cite[a-z]*|ref|eqref|label|footnote|thanks)\*?(?:\[[^\]]*\])?\{[^{}]*\}")
_URL = re.compile(r"\\url\{([^{}]*)\}")
_LINK = re.compile(r"\\href\{[^{}]*\}(?=\{)")
# A single pass over what pylatexenc would swallow: `5% of` would lose the rest of its line, & a column.
_SWALLOWED = re.compile(r"\\\\|\\\||\\[%&$#]|[%&]")
_FUNCTION = re.compile(r"(\\(?:log|ln|exp|sin|cos|tan|min|max|arg|sup|inf)\b)\s*(?=[\w\\])")
_RAISED = re.compile(r"\^(?:\{([0-9+\-]+)\}|([0-9]))")
_LOWERED = re.compile(r"_(?:\{([0-9+\-]+)\}|([0-9]))")
_MACRO = re.compile(r"\\(?:[A-Za-z]+\*?|.)|[{}$]")
_SUPERSCRIPT = str.maketrans("0123456789+-", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻")
_SUBSCRIPT = str.maketrans("0123456789+-", "₀₁₂₃₄₅₆₇₈₉₊₋")

_JOINER = "\u200d"
_SKIN_TONES = "🏻🏼🏽🏾🏿"
_FLAG_LETTER = "[🇦-🇿]"  # two of them are one flag

_BEFORE_FUNCTION = re.compile(r"(?<=[\w)}])(?=\\(?:log|ln|exp|sin|cos|tan|min|max|arg|sup|inf)\b)")

_TO_TEXT = LatexNodes2Text(math_mode="text")


def clean(source: str, limit: int) -> str:
    """`source` as one line of plain NFC text of at most `limit` characters, cut between words.

    Never raises. Tags go and entities become their letters. LaTeX becomes readable Unicode; what cannot be read as
    LaTeX keeps its words.
    """
    text = unicodedata.normalize("NFC", source[: limit * SOURCE_FACTOR])
    if _MAY_BE_MARKUP.search(text):
        text = _without_markup(text)
    text = without_controls(text)
    if _MAY_BE_LATEX.search(text):
        text = without_controls(_from_latex(text))
    return cut(" ".join(unicodedata.normalize("NFC", text).split()), limit)


def without_entities(text: str) -> str:
    """With the letters that HTML's entities stand for; what is none stays (AT&T;)."""
    for _ in range(2):  # exports of exports: &amp;lt;
        text = _ENTITY.sub(lambda found: unescape(found[0]), text)
    return text


def without_controls(text: str) -> str:
    """Without control, format (bidi, zero-width), surrogate, private and unassigned characters.

    White space of every kind becomes a plain space.
    """
    return "".join(" " if char.isspace() else "" if unicodedata.category(char)[0] == "C" else char for char in text)


def cut(text: str, limit: int) -> str:
    """At most `limit` characters: whole words and an ellipsis where it was longer.

    Where no word ends in its second half, as in Chinese, whole signs: no accent leaves its letter, no emoji is halved.
    """
    if len(text) <= limit:
        return text
    end = text.rfind(" ", 0, limit - 1)
    if end < limit // 2:
        end = limit - 1
        while end > 0 and _continues(text, end):
            end -= 1
    return text[:end].rstrip(" ,;:") + "…"


def _continues(text: str, place: int) -> bool:
    """Whether the character at `place` belongs to the sign before it (the common rules of Unicode's annex 29)."""
    char, before = text[place], text[place - 1]
    if unicodedata.category(char)[0] == "M" or _JOINER in (char, before) or char in _SKIN_TONES:
        return True
    flags = re.search(f"{_FLAG_LETTER}*$", text[:place])
    return bool(re.match(_FLAG_LETTER, char) and flags and len(flags[0]) % 2)


def _without_markup(text: str) -> str:
    """Without the tags of HTML, JATS and MathML. A `<` or `>` of the text itself stays: a tag has an end somewhere."""
    text = _UNSEEN.sub(" ", without_entities(text))
    text = _HEADING.sub(_heading, text)
    text = _RAISED_TAG.sub(lambda found: found[2].translate(_SUPERSCRIPT), text)
    text = _LOWERED_TAG.sub(lambda found: found[2].translate(_SUBSCRIPT), text)
    ended = _WITHOUT_END | {found["name"].lower() for found in _TAG.finditer(text) if found["end"]}

    def without(found: re.Match[str]) -> str:
        if not found["alone"] and found["name"].lower() not in ended:
            return found[0]
        return " " if found["block"] else ""

    return _TAG.sub(without, text)


def _heading(found: re.Match[str]) -> str:
    words = found[2].strip(" :.")
    return " " if words.lower() == "abstract" else f" {words}: "


def _from_latex(text: str) -> str:
    if _is_hostile(text):
        return _MACRO.sub(" ", text)
    text = _LINK.sub("", _URL.sub(r"\1", _DROPPED.sub("", text)))
    # Math is taken out first and put back read: a dollar that opens none is money.
    pieces: list[str] = []
    start = 0
    for found in _MATH.finditer(text):
        pieces += [_outside_math(text[start : found.start()]), _math(found[2])]
        start = found.end()
    return "".join([*pieces, _outside_math(text[start:])])


def _is_hostile(text: str) -> bool:
    depth = 0
    for found in re.finditer(r"[{}]", text):
        depth += 1 if found[0] == "{" else -1
        if depth > MAX_DEPTH:
            return True
    return text.count("\\") + text.count("$") + text.count("{") > MAX_SIGNS


def _outside_math(text: str) -> str:
    text = _MATH_OTHERWISE.sub(lambda found: _math(found[1] or found[2]), text)
    return _read(re.sub(r"(?<!\\)\$", r"\\$", text))


def _math(text: str) -> str:
    text = _FUNCTION.sub(r"\1{} ", _BEFORE_FUNCTION.sub(" ", text))
    text = _RAISED.sub(lambda found: (found[1] or found[2]).translate(_SUPERSCRIPT), text)
    return _read(_LOWERED.sub(lambda found: (found[1] or found[2]).translate(_SUBSCRIPT), text))


def _read(text: str) -> str:
    escaped = _SWALLOWED.sub(_keep, text)
    try:
        plain = str(_TO_TEXT.latex_to_text(escaped))
    except (LatexWalkerError, LookupError, ValueError, TypeError, AttributeError, RecursionError):
        # pylatexenc raises more than its own error on broken input; the words still count.
        return _MACRO.sub(" ", text)
    # A macro without its arguments leaves the pattern of its substitution behind.
    return plain if "%s" not in plain or "%s" in text else _MACRO.sub(" ", text)


def _keep(found: re.Match[str]) -> str:
    escape = found[0]
    if escape == r"\|":
        return "‖"
    if escape in "%&":
        return "\\" + escape
    return " " if escape == r"\\" else escape
