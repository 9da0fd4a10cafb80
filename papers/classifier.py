"""What a text is about, by a trained model. Pure, and numpy alone, so that every process can afford it.

The model is linear: one weight per term and label over the TF-IDF values of single words and pairs of words, of
title and abstract together and of the title once more by itself, and a logistic function over the sum. How the
weights come about is papers/fitting.py's business.
"""

import io
import json
import re
import unicodedata
import zipfile
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

Text = tuple[str, str]  # title and abstract
Floats = NDArray[np.float32]

# The title's own terms weigh less than the whole text's, in which they stand too.
TITLE_WEIGHT = 0.4
_TITLE = "^"  # before a title's own term; no word begins with it
_WORD = re.compile(r"\w(?:[\w+-]*\w)?")
_LONGEST_TERM = 60  # characters; what is longer is no word
FORMAT = 1


class ModelFormatError(ValueError):
    """The bytes are no model of this version's form."""


@dataclass(frozen=True)
class TextModel:
    """`weights` has a row per term of `vocabulary` and a column per label; `cutoffs` are probabilities."""

    labels: tuple[str, ...]
    vocabulary: tuple[str, ...]
    rarity: Floats  # idf: how much a term says
    weights: Floats
    bias: Floats
    cutoffs: Floats

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {term: row for row, term in enumerate(self.vocabulary)}

    def probabilities(self, texts: Iterable[Text]) -> Floats:
        """How likely each text has each label: a row per text, a column per label, 0..1."""
        sums = [
            self.bias + values @ self.weights[rows]
            for rows, values in (vector(text, self._rows, self.rarity) for text in texts)
        ]
        return np.asarray(logistic(np.array(sums, np.float32).reshape(-1, len(self.labels))), np.float32)

    def strengths(self, texts: Iterable[Text], at_cutoff: float) -> Floats:
        """Probabilities on one scale for all labels: `at_cutoff` at a label's own cut-off, linear on both sides.

        Without it a label that is rarely certain would never be shown.
        """
        chances = self.probabilities(texts)
        below = at_cutoff * chances / self.cutoffs
        above = at_cutoff + (1 - at_cutoff) * (chances - self.cutoffs) / (1 - self.cutoffs)
        return np.where(chances < self.cutoffs, below, above).clip(0, 1).astype(np.float32)

    def to_bytes(self) -> bytes:
        """Arrays and JSON, nothing that could run; equal models give equal bytes."""
        words = {"format": FORMAT, "labels": self.labels, "vocabulary": self.vocabulary}
        file = io.BytesIO()
        np.savez_compressed(
            file,
            words=np.frombuffer(json.dumps(words, ensure_ascii=False).encode(), np.uint8),
            rarity=self.rarity.astype(np.float32),
            weights=self.weights.astype(np.float16),  # half the size, and no visible difference
            bias=self.bias.astype(np.float32),
            cutoffs=self.cutoffs.astype(np.float32),
        )
        return file.getvalue()

    @classmethod
    def from_bytes(cls, content: bytes) -> Self:
        """Raises ModelFormatError, and nothing else."""
        try:
            with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
                words: dict[str, Any] = json.loads(arrays["words"].tobytes())
                known = words["format"] == FORMAT
                labels, vocabulary = tuple(words["labels"]), tuple(words["vocabulary"])
                numbers = {name: arrays[name].astype(np.float32) for name in _shapes([], [])}
        except (ValueError, LookupError, OSError, EOFError, TypeError, AttributeError, zipfile.BadZipFile) as error:
            raise ModelFormatError(f"This is no model: {error}") from error
        if not known or {name: array.shape for name, array in numbers.items()} != _shapes(labels, vocabulary):
            raise ModelFormatError("This model has another format, or its parts do not belong together.")
        return cls(labels=labels, vocabulary=vocabulary, **numbers)


def _shapes(labels: Sequence[str], vocabulary: Sequence[str]) -> dict[str, tuple[int, ...]]:
    terms, columns = len(vocabulary), len(labels)
    return {"rarity": (terms,), "weights": (terms, columns), "bias": (columns,), "cutoffs": (columns,)}


def logistic(sums: NDArray[Any]) -> NDArray[Any]:
    """1 / (1 + e^-x), without overflow."""
    return 0.5 * (1 + np.tanh(0.5 * sums))


def terms(text: Text) -> tuple[Counter[str], Counter[str]]:
    """How often each word and each pair of neighbours appears: in the whole text, and in the title by itself."""
    title, abstract = map(_words, text)
    # Apart, because the title's last word and the abstract's first are no neighbours.
    whole = Counter(_with_pairs(title))
    whole.update(_with_pairs(abstract))
    return whole, Counter(_TITLE + term for term in _with_pairs(title))


def vector(text: Text, rows: dict[str, int], rarity: Floats) -> tuple[NDArray[np.intp], Floats]:
    """The rows of the text's terms and their TF-IDF values; each of the two parts has its own length."""
    parts = [_part(counts, rows, rarity) for counts in terms(text)]
    return (
        np.concatenate([found for found, _ in parts]),
        np.concatenate([parts[0][1], np.float32(TITLE_WEIGHT) * parts[1][1]]),
    )


def _part(counts: Counter[str], rows: dict[str, int], rarity: Floats) -> tuple[NDArray[np.intp], Floats]:
    known = [(row, count) for term, count in counts.items() if (row := rows.get(term)) is not None]
    found = np.array([row for row, _ in known], np.intp)
    values = (1 + np.log(np.array([count for _, count in known], np.float32))) * rarity[found]
    return found, values / max(float(np.sqrt(values @ values)), 1e-9)


def _words(text: str) -> list[str]:
    words = _WORD.findall(unicodedata.normalize("NFKC", text).lower())
    return [word for word in words if len(word) <= _LONGEST_TERM]


def _with_pairs(words: list[str]) -> list[str]:
    join: Callable[[tuple[str, str]], str] = " ".join
    return [*words, *map(join, pairwise(words))]
