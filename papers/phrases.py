"""Topics by the phrases that name them: what the service knows before it has seen a labelled paper. Pure."""

import re
import unicodedata
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Mapping
from typing import Generic, TypeVar

Label = TypeVar("Label", bound=Hashable)

# The weight of a phrase's first appearance. Each further one counts half of the one before, so that no word
# wins by repetition; phrases of a topic join as independent evidence: 1 - Π(1 - weight) (noisy-or).
IN_TITLE = 0.6
IN_ABSTRACT = 0.25
REPEATED = 0.5
# A single word means less than a term of two or more.
SINGLE_WORD = 0.7

_WORD = re.compile(r"\w+(?:['’]\w+)?")


class Phrases(Generic[Label]):
    """Each label's phrases, compiled once; every text is then read once for all of them."""

    def __init__(self, phrases: Mapping[Label, Iterable[str]]) -> None:
        # By their words. A phrase that is written with a capital letter is an acronym, and matched exactly.
        self._phrases: dict[tuple[str, ...], set[Label]] = {}
        self._exact: dict[tuple[str, ...], set[Label]] = {}
        for label, mine in phrases.items():
            for phrase in mine:
                table, fold = (self._exact, singular) if _is_exact(phrase) else (self._phrases, folded)
                words = tuple(map(fold, _words(phrase)))
                table.setdefault(words, set()).add(label)
        self._longest = max(map(len, [*self._phrases, *self._exact]), default=0)

    def strengths(self, title: str, abstract: str) -> dict[Label, float]:
        """0..1 for each label that the text names at all."""
        in_title, in_abstract = self._counts(title), self._counts(abstract)
        doubt: dict[Label, float] = {}
        for phrase in dict.fromkeys([*in_title, *in_abstract]):  # in order: floats do not add up in any
            specific = SINGLE_WORD if len(phrase[1]) == 1 else 1.0
            remaining = (1 - IN_TITLE * specific) ** bool(in_title[phrase])
            for nth in range(in_abstract[phrase]):
                remaining *= 1 - IN_ABSTRACT * specific * REPEATED**nth
            for label in phrase[2]:
                doubt[label] = doubt.get(label, 1.0) * remaining
        return {label: 1 - remaining for label, remaining in doubt.items()}

    def _counts(self, text: str) -> Counter[tuple[bool, tuple[str, ...], frozenset[Label]]]:
        words = _words(text)
        return Counter(
            (exact, phrase, frozenset(table[phrase]))
            for exact, table, fold in ((False, self._phrases, folded), (True, self._exact, singular))
            for phrase in _grams(list(map(fold, words)), self._longest)
            if phrase in table
        )


def _words(text: str) -> list[str]:
    """Words apart, also those that a hyphen joins: "graph-based" is "graph based"."""
    return _WORD.findall(unicodedata.normalize("NFKC", text))


def _grams(words: list[str], longest: int) -> Iterator[tuple[str, ...]]:
    for start in range(len(words)):
        for end in range(start + 1, min(start + longest, len(words)) + 1):
            yield tuple(words[start:end])


def _is_exact(phrase: str) -> bool:
    return any(char.isupper() for char in phrase)


def singular(word: str) -> str:
    """An acronym without its plural s: GANs, but not SARS."""
    return word[:-1] if len(word) > 2 and word.endswith("s") and word[-2].isupper() else word


def folded(word: str) -> str:
    """Small letters, American spelling, no plural. Both sides are folded alike, so a non-word does no harm."""
    word = word.lower().removesuffix("'s").removesuffix("’s")
    word = word.replace("isation", "ization").replace("modelling", "modeling")
    if len(word) > 4 and word.endswith("ies"):
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if len(word) > 3 and word.endswith("s") and not word.endswith(("ss", "us", "is")) else word
