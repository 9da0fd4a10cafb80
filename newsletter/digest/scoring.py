"""What makes a score: how well phrases fit, how a paper stands out, and what weighs how much. Pure; the weights are
measured in docs/ranking.md."""

import re
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from newsletter.digest.terms import Finder, Passage, another_name
from papers.models.topics import BELONGS

Floats = NDArray[Any]

TASTE_WEIGHT = 0.5
TREND_WEIGHT = 0.075  # decides among papers that fit about equally, never instead of fit
COMMONNESS = 10  # a phrase in a tenth of the papers counts half
OTHER_NAME = 0.8  # of the strength: what the reader did not write may also mean something else
PLAINLY = 0.6  # as much as a cross-list of the authors
ABOUT_AS_STRONG = 0.7  # of the paper's strongest topic

_IN_BRACKETS = re.compile(r"^(.+?)\s*\(([^()]+)\)$")


def standing(notice: Floats) -> Floats:
    """Distances from the mean in standard deviations; all zero where nothing stands out."""
    spread = notice.std() if notice.size else 0.0
    return (notice - notice.mean()) / spread if spread > 1e-9 else np.zeros_like(notice)


def told_plainly(strengths: Floats) -> NDArray[np.bool_]:
    """For papers by topics, whether a reader would agree that the paper is of the topic; of a weaker one it says a few
    words. What is weak by itself may still be all that the paper is about."""
    strongest = strengths.max(axis=1, initial=0.0, keepdims=True)
    plainly: NDArray[np.bool_] = (strengths >= PLAINLY) | (strengths >= ABOUT_AS_STRONG * strongest)
    return plainly


def spellings(phrase: str) -> list[str]:
    """What a reader means who types `low-rank adaptation (LoRA)`: either."""
    found = _IN_BRACKETS.match(phrase.strip())
    return [found[1], found[2]] if found else [phrase.strip()]


def phrase_strengths(
    phrases: Iterable[str], texts: Sequence[tuple[Passage, Passage]], forms: Mapping[str, str] = MappingProxyType({})
) -> dict[str, NDArray[np.float64]]:
    """How well each text (title, abstract) fits each followed phrase, 0..1, or its other name, from `short_forms`.

    A phrase that many of these papers use says less about each of them; a muted phrase mutes wherever this is above 0.
    """
    wanted = list(dict.fromkeys(phrases))
    mine = {one: spellings(one) for one in wanted}
    other = {one: [name for spelling in mine[one] if (name := another_name(spelling, forms))] for one in wanted}
    by_name, by_other_name = Finder(mine), Finder(other)
    result = {one: np.zeros(len(texts)) for one in wanted}
    for row, text in enumerate(texts):
        for one, found in by_other_name.aboutness(*text).items():
            result[one][row] = OTHER_NAME * found
        for one, found in by_name.aboutness(*text).items():
            result[one][row] = max(found, result[one][row])
    return {one: _among(found) for one, found in result.items()}


def _among(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less for a common phrase, but where it stands at all the paper belongs."""
    share = (found > 0).mean() if found.size else 0.0
    return np.where(found > 0, BELONGS + (1 - BELONGS) * found / (1 + COMMONNESS * share), 0.0)
