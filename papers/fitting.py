"""How a text model learns: pure, deterministic, and the only code here that needs scikit-learn.

Two stages, both linear, so that what comes out is one matrix (papers/classifier.py):

1. Three views of the words, each of which errs differently: naive Bayes log-odds; a linear SVM over terms scaled by
   these log-odds (Wang and Manning 2012, "Baselines and Bigrams", their NBSVM); a linear SVM that weighs the rare
   labels up, so that those that are seldom a paper's first one are still found.
2. One logistic regression per label over the views of *all* labels, because labels come together (speech is sound
   too), fitted on scores of papers that the views had not seen. Recent papers weigh more here: labelling habits
   drift, and only this stage decides how often a label is given.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

from papers.classifier import Floats, Text, TextModel, logistic, terms, vector

Array = NDArray[np.float64]

MAX_TERMS = 100_000  # bounds the size of a model
MAX_COUNTED = 2_000_000  # terms held while counting, about 300 MB
MIN_TEXTS = 2  # in which a term must appear
SMOOTHING = 0.1  # of the log-odds
FOLDS = 4
HALF_LIFE = 60  # days; chosen, like the strengths of the views, within the training period of the benchmark
OLDEST_WEIGHT = 0.1
STACK_C = 0.05
# Micro-F1 is best with one cut-off for all labels, macro-F1 with one for each (half of the label's F1: Lipton,
# Elkan and Naryanaswamy 2014). A label with this many papers stands half-way; a rare one has its own.
CUTOFF_HALFWAY = 100
CUTOFF_BOUNDS = (0.05, 0.9)


@dataclass(frozen=True)
class Examples:
    """Labelled texts. `belongs` and `weights` have a row per text and a column per label; weight 0 is unknown."""

    texts: Sequence[Text]
    labels: tuple[str, ...]
    belongs: NDArray[np.bool_]
    weights: Floats
    ages: Floats  # days before the newest


def fit(examples: Examples) -> TextModel:
    """The model that these examples teach; the same examples teach the same."""
    vocabulary, rarity = _vocabulary(examples.texts)
    matrix = _matrix(examples.texts, vocabulary, rarity)
    views, unseen = _views(matrix, examples), _unseen_scores(matrix, examples)
    center, scale = unseen.mean(0), unseen.std(0) + 1e-9
    scores = (unseen - center) / scale
    recency = np.maximum(0.5 ** (examples.ages / HALF_LIFE), OLDEST_WEIGHT)[:, None]
    weights = (examples.weights * recency).astype(np.float64)
    mixture, bias = _stack(scores, examples.belongs, weights)
    chances = _cross_fitted(scores, examples.belongs, weights)
    return TextModel(
        labels=examples.labels,
        vocabulary=tuple(vocabulary),
        rarity=rarity,
        # Both stages are linear: views, standardised and mixed, are one matrix.
        weights=((views / scale) @ mixture).astype(np.float32),
        bias=(bias - (center / scale) @ mixture).astype(np.float32),
        cutoffs=cutoffs(chances, examples.belongs, weights).astype(np.float32),
    )


def _vocabulary(texts: Iterable[Text]) -> tuple[dict[str, int], Floats]:
    """The most frequent terms with their rows, and how much each says: ln((1 + n) / (1 + df)) + 1."""
    seen: Counter[str] = Counter()
    count = 0
    for text in texts:
        count += 1
        seen.update(chain.from_iterable(terms(text)))
        if len(seen) > MAX_COUNTED:
            seen = Counter({term: times for term, times in seen.items() if times >= MIN_TEXTS})
    kept = sorted((term for term, times in seen.items() if times >= MIN_TEXTS), key=lambda term: (-seen[term], term))[
        :MAX_TERMS
    ]
    frequencies = np.array([seen[term] for term in kept])
    return {term: row for row, term in enumerate(kept)}, (np.log((1 + count) / (1 + frequencies)) + 1).astype(
        np.float32
    )


def _matrix(texts: Iterable[Text], vocabulary: dict[str, int], rarity: Floats) -> sparse.csr_matrix:
    vectors = [vector(text, vocabulary, rarity) for text in texts]
    ends = np.cumsum([0, *(len(rows) for rows, _ in vectors)])
    matrix = sparse.csr_matrix(
        (
            np.concatenate([values for _, values in vectors]).astype(np.float64),
            np.concatenate([rows for rows, _ in vectors]).astype(np.int32),
            ends.astype(np.int32),
        ),
        shape=(len(vectors), len(vocabulary)),
    )
    matrix.sort_indices()
    return matrix


def _views(matrix: sparse.csr_matrix, examples: Examples, rows: NDArray[np.bool_] | None = None) -> Array:
    """The weights of all views of all labels, side by side, learnt from `rows` (else all)."""
    columns: list[list[Array]] = [[], [], []]
    for label in range(len(examples.labels)):
        known = examples.weights[:, label] > 0
        known &= True if rows is None else rows
        mine, belongs = matrix[known], examples.belongs[known, label]
        weights = examples.weights[known, label].astype(np.float64)
        odds = _log_odds(mine, belongs, weights)
        scaled = 0.5 + 0.5 * np.abs(odds) / (np.abs(odds).mean() + 1e-9)
        columns[0].append(odds)
        columns[1].append(scaled * _svm(mine @ sparse.diags(scaled), belongs, weights, c=0.3, balance=0.3))
        columns[2].append(_svm(mine, belongs, weights, c=0.1, balance=1.0))
    return np.column_stack(list(chain.from_iterable(columns)))


def _log_odds(matrix: sparse.csr_matrix, belongs: NDArray[np.bool_], weights: Array) -> Array:
    inside, outside = (matrix.T @ (weights * side) + SMOOTHING for side in (belongs, ~belongs))
    return np.asarray(np.log(inside / inside.sum()) - np.log(outside / outside.sum()))


def _svm(matrix: sparse.csr_matrix, belongs: NDArray[np.bool_], weights: Array, *, c: float, balance: float) -> Array:
    """`balance` is the power of how much rarer the label is than its absence."""
    if belongs.all() or not belongs.any():
        return np.zeros(matrix.shape[1])
    rarer = max((~belongs).sum() / belongs.sum(), 1.0) ** balance
    model = LinearSVC(C=c, random_state=0, max_iter=5000)
    model.fit(matrix, belongs, sample_weight=weights * np.where(belongs, rarer, 1.0))
    return np.asarray(model.coef_[0])  # the second stage has its own intercept


def _unseen_scores(matrix: sparse.csr_matrix, examples: Examples) -> Array:
    """What the views say of each paper when they have not learnt from it."""
    fold = np.arange(matrix.shape[0]) % FOLDS
    scores = np.zeros((matrix.shape[0], 3 * len(examples.labels)))
    for held in range(FOLDS):
        scores[fold == held] = matrix[fold == held] @ _views(matrix, examples, fold != held)
    return scores


def _stack(scores: Array, belongs: NDArray[np.bool_], weights: Array) -> tuple[Array, Array]:
    """One logistic regression per label over the scores of all: a mixture (scores by labels) and its bias."""
    mixture, bias = np.zeros((scores.shape[1], belongs.shape[1])), np.full(belongs.shape[1], -5.0)
    for label in range(belongs.shape[1]):
        known = weights[:, label] > 0
        if not 0 < belongs[known, label].sum() < known.sum():
            continue
        model = LogisticRegression(C=STACK_C, max_iter=2000)
        mine = weights[known, label]
        model.fit(scores[known], belongs[known, label], sample_weight=mine / mine.mean())
        mixture[:, label], bias[label] = model.coef_[0], model.intercept_[0]
    return mixture, bias


def _cross_fitted(scores: Array, belongs: NDArray[np.bool_], weights: Array) -> Array:
    """Each half's probabilities by what the other half teaches; neighbours in time fall into different halves."""
    chances = np.zeros(belongs.shape)
    half = (np.arange(len(scores)) // FOLDS) % 2 == 0
    for mine, other in ((half, ~half), (~half, half)):
        mixture, bias = _stack(scores[other], belongs[other], weights[other])
        chances[mine] = logistic(scores[mine] @ mixture + bias)
    return chances


def cutoffs(chances: Array, belongs: NDArray[np.bool_], weights: Array, halfway: float = CUTOFF_HALFWAY) -> Array:
    """The probability from which each label is given: the best for its F1, drawn towards the best for all."""
    common = _best_cutoff(chances.ravel(), belongs.ravel(), weights.ravel())
    own = np.array([_best_cutoff(chances[:, k], belongs[:, k], weights[:, k]) for k in range(chances.shape[1])])
    papers = (belongs & (weights > 0)).sum(0)
    drawn: Array = (papers * common + halfway * own) / (papers + halfway)
    return drawn.clip(*CUTOFF_BOUNDS)


def _best_cutoff(chances: Array, belongs: NDArray[np.bool_], weights: Array) -> float:
    order = np.argsort(-chances, kind="stable")
    hits = np.cumsum((weights * belongs)[order])
    f1 = 2 * hits / (np.cumsum(weights[order]) + hits[-1] + 1e-9)
    best = int(f1.argmax())
    after = order[min(best + 1, len(order) - 1)]
    return float(chances[order[best]] + chances[after]) / 2
