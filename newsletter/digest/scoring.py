"""How a reader's fit, taste and the trend make one score. Pure; the weights are measured in docs/ranking.md."""

import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from papers.models.topics import BELONGS
from papers.phrases import Phrases

Floats = NDArray[Any]

TASTE_WEIGHT = 0.5
TREND_WEIGHT = 0.075  # decides among papers that fit about equally, never instead of fit
COMMONNESS = 10  # a phrase in a tenth of the papers counts half

_IN_BRACKETS = re.compile(r"^(.+?)\s*\(([^()]+)\)$")


def score(fit: Floats, taste: Floats, trend: Floats) -> Floats:
    """`fit` in 0..1; `taste` 1 as the liked papers, up to 3 by their authors; `trend` in standard deviations."""
    return fit + TASTE_WEIGHT * taste + TREND_WEIGHT * np.tanh(trend / 2)


def standing(notice: Floats) -> Floats:
    """Distances from the mean in standard deviations; all zero where nothing stands out."""
    spread = notice.std() if notice.size else 0.0
    return (notice - notice.mean()) / spread if spread > 1e-9 else np.zeros_like(notice)


def spellings(phrase: str) -> list[str]:
    """What a reader means who types `low-rank adaptation (LoRA)`: either."""
    found = _IN_BRACKETS.match(phrase.strip())
    return [found[1], found[2]] if found else [phrase.strip()]


def phrase_strengths(phrases: Iterable[str], texts: Sequence[tuple[str, str]]) -> dict[str, NDArray[np.float64]]:
    """How well each text (title, abstract) fits each followed phrase, 0..1, matched as topics' phrases are.

    A phrase that many of these papers use says less about each of them; a muted phrase mutes wherever this is above 0.
    """
    wanted = list(dict.fromkeys(phrases))
    matcher = Phrases({phrase: spellings(phrase) for phrase in wanted})
    result = {phrase: np.zeros(len(texts)) for phrase in wanted}
    for row, (title, abstract) in enumerate(texts):
        for phrase, strength in matcher.strengths(title, abstract).items():
            result[phrase][row] = (1 + strength) / 2
    return {phrase: _among(found) for phrase, found in result.items()}


def _among(found: NDArray[np.float64]) -> NDArray[np.float64]:
    """Less for a common phrase, but where it stands at all the paper belongs."""
    share = (found > 0).mean() if found.size else 0.0
    return np.where(found > 0, BELONGS + (1 - BELONGS) * found / (1 + COMMONNESS * share), 0.0)
