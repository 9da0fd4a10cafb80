"""Which topics a title and an abstract tell: our classifier against three baselines, on later papers.

    python -m benchmarks.topics [--data FILE]

Labels are the arXiv categories with at least 100 papers; learnt from the papers listed before `--split`, measured on
those listed from then on. A line of the file (JSON, gzip): id, title, abstract, categories, listed (a day). The table
stands in docs/topics.md; how often what readers are told of a topic is right, in docs/ranking.md.
"""

import argparse
import gzip
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

# One thread, so that papers a second are those of one core; numpy reads it when it is imported.
os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
os.environ |= {"DEMO": "1", "DJANGO_SETTINGS_MODULE": "newsletter.settings"}

import django
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import f1_score, label_ranking_average_precision_score
from sklearn.svm import LinearSVC

django.setup()

from newsletter.digest.scoring import told_plainly  # noqa: E402
from papers import fitting  # noqa: E402
from papers.phrases import Phrases  # noqa: E402

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "arxiv-papers.jsonl.gz"
MIN_PAPERS = 100  # of a label
MEANT = 0.3  # from which strength phrases count, as in papers/topics.py
# What arXiv's taxonomy calls a category, where no topic of seeds/topics.json is about it.
NAMES = {
    "cs.AI": ["artificial intelligence", "AI agent", "planning", "knowledge representation", "expert system"],
    "cs.LG": ["machine learning", "deep learning", "neural network", "learning algorithm"],
    "cs.GR": ["computer graphics", "rendering", "animation", "mesh", "gaussian splatting"],
    "eess.IV": ["image processing", "video processing", "medical imaging", "MRI", "denoising", "compression"],
    "cs.CY": ["society", "education", "ethics", "policy", "legal"],
    "cs.MA": ["multi agent"],
    "cs.MM": ["multimedia", "multimodal"],
}


class Corpus:
    """The papers with a label, oldest first, and where they are divided."""

    def __init__(self, path: Path, split: str) -> None:
        with gzip.open(path, "rt", encoding="utf-8") as file:
            rows = sorted(map(json.loads, file), key=lambda row: (row["listed"], row["id"]))
        counts = Counter(label for row in rows for label in set(row["categories"]))
        self.labels = sorted(label for label, count in counts.items() if count >= MIN_PAPERS)
        rows = [row for row in rows if set(row["categories"]) & set(self.labels)]
        self.texts = [(row["title"], row["abstract"]) for row in rows]
        self.belongs = np.array([[label in row["categories"] for label in self.labels] for row in rows])
        self.days = np.array([row["listed"] for row in rows], "datetime64[D]")
        self.past = self.days < np.datetime64(split)

    def part(self, rows: Any) -> list[tuple[str, str]]:
        return [self.texts[row] for row in np.flatnonzero(rows)]


class Linear:
    """A baseline: TF-IDF of words and pairs, and one linear model per label."""

    def __init__(self, make: Callable[[], Any], middle: float) -> None:
        self._make, self.middle = make, middle

    def fit(self, texts: list[tuple[str, str]], belongs: Any) -> None:
        self._tfidf = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, max_features=100_000)
        matrix = self._tfidf.fit_transform([" ".join(text) for text in texts])
        self._models = [self._make().fit(matrix, column) for column in belongs.T]

    def scores(self, texts: list[tuple[str, str]]) -> Any:
        matrix = self._tfidf.transform([" ".join(text) for text in texts])
        if self.middle:
            return np.column_stack([model.predict_proba(matrix)[:, 1] for model in self._models])
        return np.column_stack([model.decision_function(matrix) for model in self._models])


def tuned(make: Callable[[float], Linear], corpus: Corpus, values: tuple[float, ...]) -> tuple[float, Linear, Any]:
    """The strength of regularisation by the last fifth of the past, then fitted on all of it; and the cut-offs that
    are best for each label's F1 there, on scores of models that had not seen the papers (four folds)."""
    past = np.flatnonzero(corpus.past)
    early, late = np.split(past, [int(len(past) * 0.8)])
    ranking = {}
    for value in values:
        model = make(value)
        model.fit(corpus.part(mask(corpus, early)), corpus.belongs[early])
        scores = model.scores(corpus.part(mask(corpus, late)))
        ranking[value] = label_ranking_average_precision_score(corpus.belongs[late], scores)
    best = max(ranking, key=lambda value: ranking[value])
    unseen = np.zeros((len(past), len(corpus.labels)))
    for fold in range(4):
        held = np.arange(len(past)) % 4 == fold
        model = make(best)
        model.fit(corpus.part(mask(corpus, past[~held])), corpus.belongs[past[~held]])
        unseen[held] = model.scores(corpus.part(mask(corpus, past[held])))
    model = make(best)
    model.fit(corpus.part(corpus.past), corpus.belongs[past])
    return best, model, [best_cutoff(unseen[:, k], corpus.belongs[past, k]) for k in range(len(corpus.labels))]


def mask(corpus: Corpus, rows: Any) -> Any:
    chosen = np.zeros(len(corpus.texts), np.bool_)
    chosen[rows] = True
    return chosen


def best_cutoff(scores: Any, belongs: Any) -> float:
    order = np.argsort(-scores)
    hits = np.cumsum(belongs[order])
    return float(scores[order[(2 * hits / (np.arange(len(order)) + 1 + hits[-1])).argmax()]])


def phrases(labels: list[str]) -> Phrases[str]:
    """The phrases of our topics that name a category, and the category's own name where none does."""
    topics = json.loads((ROOT / "seeds" / "topics.json").read_text(encoding="utf-8"))
    words: dict[str, list[str]] = {label: list(NAMES.get(label, [])) for label in labels}
    for topic in topics:
        for label in labels:
            if label not in NAMES and any(label == one or label.startswith(f"{one}.") for one in topic["categories"]):
                words[label] += topic["phrases"]
    return Phrases(words)


def rows(corpus: Corpus) -> Iterator[tuple[str, Any, Any, float, Any]]:
    """Name, scores, labels given, papers a second, of every method; and of those in use the strengths."""
    later = corpus.part(~corpus.past)
    named = phrases(corpus.labels)
    start = time.perf_counter()
    found = [named.strengths(*text) for text in later]
    speed = len(later) / (time.perf_counter() - start)
    scores = np.array([[one.get(label, 0.0) for label in corpus.labels] for one in found])
    yield "phrases", scores, scores >= MEANT, speed, scores

    kinds: list[tuple[str, Callable[[float], Linear], tuple[float, ...]]] = [
        ("TF-IDF + logistic regression", lambda c: Linear(lambda: LogisticRegression(C=c, solver="liblinear"), 0.5),
         (3, 10, 30)),
        ("TF-IDF + linear SVM", lambda c: Linear(lambda: LinearSVC(C=c, random_state=0), 0.0), (0.1, 0.3, 1)),
    ]  # fmt: skip
    for name, make, values in kinds:
        c, model, cutoffs = tuned(make, corpus, values)
        start = time.perf_counter()
        scores = model.scores(later)
        speed = len(later) / (time.perf_counter() - start)
        yield f"{name} (C = {c:g})", scores, scores >= model.middle, speed, None
        yield "… with tuned cut-offs", scores, scores >= np.array(cutoffs), speed, None

    past = corpus.days[corpus.past]
    belongs = corpus.belongs[corpus.past]
    ages = (past.max() - past).astype(np.float32)
    weights = np.ones(belongs.shape, np.float32)
    start = time.perf_counter()
    ours = fitting.fit(fitting.Examples(corpus.part(corpus.past), tuple(corpus.labels), belongs, weights, ages))
    print(f"ours: learnt in {time.perf_counter() - start:.0f} s, {len(ours.to_bytes()) / 1e6:.1f} MB")
    ours = type(ours).from_bytes(ours.to_bytes())  # as it is used: with weights of half precision
    start = time.perf_counter()
    chances = ours.probabilities(later)
    speed = len(later) / (time.perf_counter() - start)
    yield "ours", chances, chances >= ours.cutoffs, speed, ours.strengths(later, MEANT)


def as_told(name: str, strengths: Any, truth: Any) -> str:
    """How often a topic is told as what a paper is about, how often as touched on, and how often it is one of its."""
    plainly = (strengths >= MEANT) & told_plainly(strengths)
    touched = (strengths >= MEANT) & ~plainly
    parts = " | ".join(f"{part.sum():,} | {truth[part].mean():.2f}" for part in (plainly, touched))
    return f"| {name} | {parts} |"


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--split", default="2025-10-01", help="The first day to measure on.")
    options = parser.parse_args()
    if not options.data.exists():
        parser.error(f"there is no {options.data}: name a file of papers with --data")
    corpus = Corpus(options.data, options.split)
    truth = corpus.belongs[~corpus.past]
    print(f"{len(corpus.labels)} labels; {corpus.past.sum()} papers before {options.split}, {len(truth)} from then on")
    print("| | micro-F1 | LRAP | precision@1 | macro-F1 | papers/s |\n|---|---|---|---|---|---|")
    told = list[str]()
    for name, scores, given, speed, strengths in rows(corpus):
        micro, macro = (f1_score(truth, given, average=kind, zero_division=0) for kind in ("micro", "macro"))
        ranking = label_ranking_average_precision_score(truth, scores)
        first = truth[np.arange(len(truth)), scores.argmax(1)].mean()
        print(f"| {name} | {micro:.3f} | {ranking:.3f} | {first:.3f} | {macro:.3f} | {speed:,.0f} |", flush=True)
        told += [] if strengths is None else [as_told(name, strengths, truth)]
    print("\n| | told plainly | right | touched on | right |\n|---|---|---|---|---|", *told, sep="\n")


if __name__ == "__main__":
    main()
