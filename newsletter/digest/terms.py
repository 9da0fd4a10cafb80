"""What a paper speaks of: the words and short phrases of its text, and how much of the paper each is. Pure.

A phrase that stands alone ("video generation with …") is what is spoken of; inside a longer name ("video generation
model", "long video generation") it is only a part of that. Real listings bear it out: of the papers that hold a
subject's name, three times as many are about it where the name stands alone once (docs/ranking.md).
"""

import itertools
import math
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from papers.phrases import folded, singular
from papers.similar import COMMON

LONGEST_TERM = 3  # words
LONGEST_WORD = 60
# How much a mention counts by its sides that are free: at the edge of a clause, or beside a word that everybody uses.
FREE_SIDES = (0.25, 0.5, 1.0)
IN_TITLE = 1.5  # times more
DEFINED = 2  # papers that must say what an acronym stands for
REPEATED = 0.3  # more for each doubling
MOST = FREE_SIDES[2] * IN_TITLE * (1 + REPEATED * math.log2(3))  # in the title and twice more: wholly about it
# Words that papers of every subject speak of themselves with. A term of these alone is no reason to a person, and tells
# nothing of a taste unless several liked papers share it.
_RHETORIC = (
    "achieve achieved achieving additional address addressing advance aim algorithm analysis analyze application"
    " applied art available based baseline better capability challenge challenging code codebase combination compare"
    " compared comparison competitive comprehensive conduct contribution crucial current data dataset demonstrating"
    " demonstration design despite develop developed directly discuss discussing diverse do doe domain done effective"
    " effectively efficient emerge empirical enable enabling end evaluate evaluation example experiment experimental"
    " explicitly extensive finally finding first firstly five focus four framework fully future general great high"
    " highlight however identify important improve improved improvement improving including increase insight"
    " introducing investigate issue key lack large leading learning leverage leveraging limitation limited low main"
    " major make making model multiple need often open outperform outperforming particular perform performance possible"
    " potential practical present presented presenting previous prior problem project promising provide provided"
    " providing publicly question recent recently related release released releasing remain require research researcher"
    " respectively result reveal review role scenario second series setting significant significantly similar simple"
    " single source specific standard state strong study substantial success superior survey system systematic takeaway"
    " task technique thorough three total training typically understanding unified unique valuable various version"
    " website wide widely you your"
)
RHETORIC = frozenset(_RHETORIC.split())


def is_rhetoric(term: str) -> bool:
    """Whether papers of every subject say it: of such words, and of numbers, alone."""
    return all(word in RHETORIC or word in COMMON or word.isdigit() for word in term.split())


_WORD = re.compile(r"\w+(?:['’]\w+)?")


@dataclass(frozen=True)
class Passage:
    """A title or an abstract, word by word."""

    words: Sequence[str]  # folded
    written: Sequence[str]  # as they stand, without an acronym's plural
    breaks: Sequence[bool]  # before each word, and after the last: whether more than a space or hyphen stands there

    def sides(self, start: int, end: int) -> int:
        """How many sides of these words are free."""
        before = self.breaks[start] or self.words[start - 1] in COMMON
        after = self.breaks[end] or self.words[end] in COMMON
        return before + after

    def terms(self) -> Iterator[tuple[str, int]]:
        """Words, pairs and triples that neither begin nor end with a word that everybody uses, and their free sides."""
        for start, first in enumerate(self.words):
            if first in COMMON:
                continue
            for end in range(start + 1, min(start + LONGEST_TERM, len(self.words)) + 1):
                if end > start + 1 and self.breaks[end - 1]:
                    break
                if self.words[end - 1] not in COMMON:
                    yield " ".join(self.words[start:end]), self.sides(start, end)


@dataclass(frozen=True)
class Spelled:
    """A word of a followed phrase. One with a capital letter inside is an acronym and matched as it is written."""

    folded: str
    exactly: str

    def matches(self, passage: Passage, place: int) -> bool:
        return passage.words[place] == self.folded and self.exactly in {"", passage.written[place]}


def passage(text: str) -> Passage:
    text = unicodedata.normalize("NFKC", text)
    found = [match for match in _WORD.finditer(text) if len(match[0]) <= LONGEST_WORD]
    between = [text[one.end() : two.start()].strip() for one, two in itertools.pairwise(found)]
    written = [match[0] for match in found]
    return Passage(
        words=[folded(word) for word in written],
        written=[singular(word) for word in written],
        breaks=[True, *(gap not in {"", "-"} for gap in between), True],
    )


def phrase(text: str) -> list[Spelled]:
    return [
        Spelled(folded(word), singular(word) if any(map(str.isupper, word[1:])) else "")
        for word in _WORD.findall(unicodedata.normalize("NFKC", text))
    ]


def terms(title: Passage, abstract: Passage) -> dict[str, float]:
    """Each term of a paper, and how much of the paper it is: 1 where it stands alone once in the abstract."""
    found: dict[str, list[int]] = {}
    for part in (title, abstract):
        for term, sides in part.terms():
            found.setdefault(term, []).append(sides)
    in_title = {term for term, _ in title.terms()}
    return {term: weight(sides, in_title=term in in_title) for term, sides in found.items()}


def weight(mentions: Sequence[int], *, in_title: bool) -> float:
    return FREE_SIDES[max(mentions)] * (IN_TITLE if in_title else 1.0) * (1 + REPEATED * math.log2(len(mentions)))


def is_dwelt_on(much: float) -> bool:
    """Whether a paper has a term in its title or more than once, as its weight in the paper tells."""
    return much not in FREE_SIDES


def short_forms(texts: Iterable[Passage]) -> dict[str, str]:
    """What these texts say is one: "reinforcement learning (RL)", twice or more, makes each the other's name.

    An acronym's capitals are the initials of the words before it (a part of Schwartz and Hearst, 2003).
    """
    seen = Counter(pair for text in texts for pair in _defined(text))
    found: dict[str, str] = {}
    for (short, long), count in sorted(seen.items(), key=lambda item: (-item[1], item[0])):
        if count >= DEFINED:
            found.setdefault(short, long)
            found.setdefault(long, short)
    return found


def _defined(text: Passage) -> Iterator[tuple[str, str]]:
    for place, short in enumerate(text.written):
        initials = [char.lower() for char in short if char.isupper()]
        start = place - len(initials)
        if len(initials) < 2 or start < 0 or not (text.breaks[place] and text.breaks[place + 1]):
            continue
        words = text.words[start:place]
        if [word[0] for word in words] == initials and not any(text.breaks[start + 1 : place]):
            yield short, " ".join(words)


def another_name(spelling: str, forms: Mapping[str, str]) -> str | None:
    """The long name of an acronym, or the acronym of a long name, if these are known."""
    words = phrase(spelling)
    return (
        forms.get(words[0].exactly if len(words) == 1 else " ".join(word.folded for word in words)) if words else None
    )


class Finder:
    """Finds many phrases in one pass over a text."""

    def __init__(self, spellings: Mapping[str, Iterable[str]]) -> None:
        self._by_first: dict[str, list[tuple[str, Sequence[Spelled]]]] = {}
        for name, mine in spellings.items():
            for one in mine:
                if wanted := phrase(one):
                    self._by_first.setdefault(wanted[0].folded, []).append((name, wanted))

    def aboutness(self, title: Passage, abstract: Passage) -> dict[str, float]:
        """How much of a paper, up to 1, each of the phrases is that it holds in any spelling."""
        found: dict[str, list[int]] = {}
        for name, sides in (*self._mentions(title), *self._mentions(abstract)):
            found.setdefault(name, []).append(sides)
        in_title = {name for name, _ in self._mentions(title)}
        return {name: min(weight(sides, in_title=name in in_title) / MOST, 1.0) for name, sides in found.items()}

    def _mentions(self, text: Passage) -> Iterator[tuple[str, int]]:
        for start, first in enumerate(text.words):
            for name, wanted in self._by_first.get(first, ()):
                end = start + len(wanted)
                if end <= len(text.words) and all(one.matches(text, start + nth) for nth, one in enumerate(wanted)):
                    yield name, text.sides(start, end)
