"""How well does the digest choose for one person? Ours against what others do, on real listings.

    python -m benchmarks.ranking [--listings FILE] [--half report|tuning|all] [--only WORDS] [--cost]

Readers are made by benchmarks/readers.py. A reader's likes are known, later weeks are ranked: nDCG@10 for subject
readers, the mean reciprocal rank of the first wanted paper for author readers, with 95 % bootstrap intervals over
readers; what was disliked is wanted at the bottom. A line of the file is a listing in JSON (gzip or not): id, day,
title, abstract, authors, upvotes, keywords. Text statistics come from the papers up to the last like. The tables stand
in docs/ranking.md. To measure our ranker in an experiment of your own, see benchmarks/ours.py.
"""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, cached_property, partial
from pathlib import Path
from typing import Any
from zlib import crc32

import django
import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.svm import LinearSVC

os.environ |= {"DEMO": "1", "DJANGO_SETTINGS_MODULE": "newsletter.settings"}
django.setup()

from benchmarks.ranking_cost import cost  # noqa: E402
from benchmarks.readers import Bools, Listed, Reader, Rows, author_readers, load, subject_readers  # noqa: E402
from newsletter.digest.candidates import Candidates, Corpus  # noqa: E402
from newsletter.digest.features import Features, taste_of  # noqa: E402
from newsletter.digest.ranking import Ranker  # noqa: E402
from newsletter.digest.readers import Reader as DigestReader  # noqa: E402
from newsletter.digest.scoring import TASTE_WEIGHT, TREND_WEIGHT, phrase_strengths, standing  # noqa: E402
from newsletter.digest.taste import Word, background, learn, read  # noqa: E402
from newsletter.digest.terms import passage, short_forms  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "daily-listings.jsonl.gz"
DEPTH = 10
BACKGROUND = 1_000  # papers before the last like: as many as an edition's pool holds
Floats = NDArray[np.float64]
Recipe = Callable[[Reader, Rows], Floats]


def score(fit: Floats, taste: Floats, trend: Floats) -> Floats:
    """`fit` in 0..1; `taste` 1 as the liked papers, up to 3 by their authors; `trend` in standard deviations."""
    return fit + TASTE_WEIGHT * taste + TREND_WEIGHT * np.tanh(trend / 2)


class Recipes:
    """Each scores the shown rows for one reader."""

    def __init__(self, papers: Sequence[Listed], names: Iterable[str] = ()) -> None:
        self.papers, self.names = papers, list(names)  # the names of all readers, so that texts are read once
        self.chance = np.random.default_rng(7)
        self.upvotes = np.array([paper.upvotes for paper in papers], float)

    @cached_property
    def tfidf(self) -> Any:
        """arxiv-sanity-lite's features (compute.py)."""
        vectorizer = TfidfVectorizer(
            stop_words="english",
            token_pattern=r"(?u)\b[a-zA-Z_][a-zA-Z0-9_]+\b",
            ngram_range=(1, 2),
            max_features=20_000,
            sublinear_tf=True,
        )
        return vectorizer.fit_transform([f"{one.title} {one.abstract}" for one in self.papers]).tocsr()

    def random(self, _: Reader, rows: Rows) -> Floats:
        return self.chance.random(len(rows))

    def most_upvotes(self, _: Reader, rows: Rows) -> Floats:
        return self.upvotes[rows]

    def mean_of_likes(self, reader: Reader, rows: Rows) -> Floats:
        mean = self.tfidf[reader.likes].mean(axis=0)
        return np.asarray(self.tfidf[rows] @ mean.T).ravel()

    def shared_authors_first(self, reader: Reader, rows: Rows) -> Floats:
        mine = {author for row in reader.likes for author in self.papers[row].authors}
        shared = [len(mine.intersection(self.papers[row].authors)) for row in rows]
        return self.mean_of_likes(reader, rows) + np.array(shared, float)

    def arxiv_sanity(self, reader: Reader, rows: Rows) -> Floats:
        """Likes against everything else (https://github.com/karpathy/arxiv-sanity-lite, serve.py `svm_rank`)."""
        return np.asarray(self._svm(tuple(reader.likes)).decision_function(self.tfidf[rows]))

    @cache  # noqa: B019 - one object, one run
    def _svm(self, likes: tuple[int, ...]) -> LinearSVC:
        known, liked = self._labels(likes)
        model = LinearSVC(class_weight="balanced", C=0.01, max_iter=10_000, tol=1e-6, random_state=0)
        return model.fit(self.tfidf[known], liked)

    def scholar_inbox(self, reader: Reader, rows: Rows) -> Floats:
        """Logistic regression, likes against a random background, both sides of equal weight."""
        return np.asarray(self._regression(tuple(reader.likes)).decision_function(self.tfidf[rows]))

    @cache  # noqa: B019 - one object, one run
    def _regression(self, likes: tuple[int, ...]) -> LogisticRegression:
        known, liked = self._labels(likes)
        background = self.chance.choice(known[~liked], min(BACKGROUND, int((~liked).sum())), replace=False)
        sample = np.array([*likes, *background])
        model = LogisticRegression(C=1.0, class_weight="balanced", max_iter=500)
        return model.fit(self.tfidf[sample], np.arange(len(sample)) < len(likes))

    def ours_likes(self, reader: Reader, rows: Rows) -> Floats:
        return score(np.zeros(len(rows)), self._taste(reader)[rows], np.zeros(len(rows)))

    def ours_topics(self, reader: Reader, rows: Rows) -> Floats:
        return score(self._fit(reader)[rows], np.zeros(len(rows)), np.zeros(len(rows)))

    def ours_both(self, reader: Reader, rows: Rows) -> Floats:
        return score(self._fit(reader)[rows], self._taste(reader)[rows], np.zeros(len(rows)))

    def ours_dislikes(self, reader: Reader, rows: Rows) -> Floats:
        """From the bottom: what was disliked, and its like, belongs there."""
        return -self._tastes((), tuple(reader.likes))[rows]

    def ours_likes_beside(self, reader: Reader, rows: Rows) -> Floats:
        """The last paper before the last like that was not liked is disliked."""
        beside = next(row for row in range(self._last(reader), -1, -1) if row not in reader.likes)
        return self._tastes(tuple(reader.likes), (beside,))[rows]

    def ours_beside_topic(self, reader: Reader, rows: Rows) -> Floats:
        """By the ranker itself, with upvotes: half of all papers fit a topic of the reader's wholly."""
        asks = DigestReader(frozenset({1}), DEPTH, phrases=reader.names, authors=reader.names)
        return np.asarray(self._ranker(tuple(rows.tolist())).scores([asks]).score[0], float)

    @cache  # noqa: B019 - one object, one run
    def _ranker(self, rows: tuple[int, ...]) -> Ranker:
        papers = [self.papers[row] for row in rows]
        notice = self._trend(np.array(rows))
        return Ranker(
            Candidates(
                papers=rows,
                topics=[1],
                topic_names=["Half of everything"],
                strengths=np.array([[crc32(one.title.encode()) % 2] for one in papers], float),
                standings=notice[:, None],
                overall=notice,
                popularity=[""] * len(rows),
                column={1: 0},
                texts=Corpus([(one.title, one.abstract, one.authors) for one in papers]),
            )
        )

    def ours_likes_trend(self, reader: Reader, rows: Rows) -> Floats:
        return score(np.zeros(len(rows)), self._taste(reader)[rows], self._trend(rows))

    def ours_both_trend(self, reader: Reader, rows: Rows) -> Floats:
        return score(self._fit(reader)[rows], self._taste(reader)[rows], self._trend(rows))

    def _trend(self, rows: Rows) -> Floats:
        return np.asarray(standing(np.log10(1 + self.upvotes[rows])))

    def _taste(self, reader: Reader) -> Floats:
        return self._tastes(tuple(reader.likes), ())

    @cache  # noqa: B019 - one object, one run
    def _tastes(self, likes: tuple[int, ...], dislikes: tuple[int, ...]) -> Floats:
        last = max(likes + dislikes)
        before = self._features.texts[max(0, last + 1 - BACKGROUND) : last + 1]
        said = [(row, 1.0) for row in likes] + [(row, -1.0) for row in dislikes]
        taste = learn([Word(self._features.texts[row], weight) for row, weight in said], background(before))
        features = self._features
        return np.asarray(taste_of(features.like([taste]), features.by_known_authors([taste]))[0], float)

    @cached_property
    def _features(self) -> Features:
        return Features.of([read(one.title, one.abstract, one.authors) for one in self.papers])

    def _fit(self, reader: Reader) -> Floats:
        return self._fits(reader.names)

    @cache  # noqa: B019 - one object, one run
    def _fits(self, names: tuple[str, ...]) -> Floats:
        """What the reader named: a phrase in the texts, or an author."""
        by_author = np.array([any(name in one.authors for name in names) for one in self.papers], float)
        return np.maximum(np.max([self._phrases[name] for name in names], axis=0), by_author)

    @cached_property
    def _phrases(self) -> dict[str, Floats]:
        texts = [(passage(one.title), passage(one.abstract)) for one in self.papers]
        return phrase_strengths(self.names, texts, short_forms(part for text in texts for part in text))

    def _labels(self, likes: tuple[int, ...]) -> tuple[Rows, Bools]:
        known = np.arange(max(likes) + 1)
        return known, np.isin(known, likes)

    def _last(self, reader: Reader) -> int:
        return max(reader.likes)


def ndcg(scores: Floats, wanted: Bools) -> float:
    """Gain 1 for each wanted paper among the first ten (Järvelin and Kekäläinen, 2002)."""
    discounts = 1 / np.log2(np.arange(2, DEPTH + 2))
    found = wanted[np.argsort(-scores, kind="stable")[:DEPTH]]
    return float(found @ discounts[: len(found)] / discounts[: int(wanted.sum())].sum())


def reciprocal_rank(scores: Floats, wanted: Bools) -> float:
    return 1 / (1 + int(np.argmax(wanted[np.argsort(-scores, kind="stable")])))


def measured(recipe: Recipe, readers: Sequence[Reader], measure: Callable[[Floats, Bools], float]) -> str:
    """The mean over readers of the mean over their weeks, with its interval."""
    means = np.array([np.mean([measure(recipe(one, week.rows), week.wanted) for week in one.weeks]) for one in readers])
    chance = np.random.default_rng(11)
    drawn = means[chance.integers(0, len(means), (2_000, len(means)))].mean(axis=1)
    low, high = np.percentile(drawn, [2.5, 97.5])
    return f"{means.mean():.3f} ({low:.2f}–{high:.2f})"


def of_first(likes: int, recipe: Recipe, reader: Reader, rows: Rows) -> Floats:
    """The same with fewer likes, and the same questions."""
    return recipe(replace(reader, likes=reader.likes[:likes]), rows)


def quality(papers: Sequence[Listed], half: str, only: str) -> None:
    kept = [
        [one for one in readers if half == "all" or one.is_for_tuning == (half == "tuning")]
        for readers in (subject_readers(papers), author_readers(papers))
    ]
    subjects, authors = kept
    recipes = Recipes(papers, [name for one in (*subjects, *authors) for name in one.names])
    single = [one for one in subjects if len(one.names) == 1]
    print(f"{len(subjects)} subject readers, {len(single)} of them of one subject; {len(authors)} author readers\n")
    print("| | subjects: nDCG@10 | of one subject | authors: MRR |\n|---|---|---|---|")
    for name, recipe in named(recipes).items():
        if only not in name:
            continue
        figures = (measured(recipe, subjects, ndcg), measured(recipe, single, ndcg))
        print(f"| {name} | {' | '.join(figures)} | {measured(recipe, authors, reciprocal_rank)} |", flush=True)


def named(recipes: Recipes) -> dict[str, Recipe]:
    return {
        "random": recipes.random,
        "most upvotes": recipes.most_upvotes,
        "mean of likes, TF-IDF cosine": recipes.mean_of_likes,
        "the same, shared authors first": recipes.shared_authors_first,
        "arxiv-sanity-lite: SVM, likes against all": recipes.arxiv_sanity,
        "Scholar Inbox: weighted logistic regression": recipes.scholar_inbox,
        "**ours, likes alone**": recipes.ours_likes,
        "ours, likes, with trend": recipes.ours_likes_trend,
        "**ours, what they follow alone**": recipes.ours_topics,
        "**ours, both**": recipes.ours_both,
        "ours, both, with trend": recipes.ours_both_trend,
        "ours, a topic of half the papers and what they follow, with trend": recipes.ours_beside_topic,
        "TF-IDF cosine, one like": partial(of_first, 1, recipes.mean_of_likes),
        "ours, one like": partial(of_first, 1, recipes.ours_likes),
        "TF-IDF cosine, two likes": partial(of_first, 2, recipes.mean_of_likes),
        "ours, two likes": partial(of_first, 2, recipes.ours_likes),
        "ours, one dislike, from the bottom": partial(of_first, 1, recipes.ours_dislikes),
        "ours, two dislikes, from the bottom": partial(of_first, 2, recipes.ours_dislikes),
        "ours, five likes and a dislike of something else": recipes.ours_likes_beside,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--listings", type=Path, default=DATA)
    parser.add_argument("--half", choices=["report", "tuning", "all"], default="report")
    parser.add_argument("--only", default="", help="rows whose name holds these words")
    parser.add_argument("--cost", action="store_true", help="measure time and memory instead")
    options = parser.parse_args()
    if not options.listings.exists():
        parser.error(f"there is no {options.listings}: name a file of listings with --listings")
    if options.cost:
        cost(load(options.listings))
        return
    quality(load(options.listings), options.half, options.only)


if __name__ == "__main__":
    main()
