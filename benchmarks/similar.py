"""Are similar papers about the same? Stored keywords against full TF-IDF and chance.

    python -m benchmarks.similar [--data FILE] [--papers 8000]

For 1,000 papers: how many of the five most similar share the first arXiv category, and any category. The keywords never
see a category. The table stands in docs/similar.md; the cost of a look-up is that of a paper's page in docs/archive.md.
"""

import argparse
import gzip
import json
import os
import random
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

os.environ |= {"DEMO": "1", "DJANGO_SETTINGS_MODULE": "newsletter.settings"}
django.setup()

from papers import similar  # noqa: E402 - the settings read the environment made above
from papers.classifier import terms  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "arxiv-papers.jsonl.gz"
ASKED, SHOWN = 1_000, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--papers", type=int, default=8_000)
    options = parser.parse_args()
    if not options.data.exists():
        parser.error(f"there is no {options.data}: name a file of papers with --data, as benchmarks/topics.py reads it")
    with gzip.open(options.data, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    chance = random.Random(7)
    rows = chance.sample(rows, min(options.papers, len(rows)))
    asked = chance.sample(range(len(rows)), ASKED)
    methods: dict[str, Callable[[int], list[int]]] = {
        "chance": lambda _: chance.sample(range(len(rows)), SHOWN),
        "full TF-IDF, cosine": full(rows),
        f"ours, {similar.KEYWORDS} keywords": by_keywords(rows),
    }
    print("| | same first category | any category in common |\n|---|---|---|")
    for name, method in methods.items():
        pairs = [(rows[one]["categories"], rows[other]["categories"]) for one in asked for other in method(one)]
        first = sum(one[0] == other[0] for one, other in pairs) / len(pairs)
        common = sum(bool(set(one) & set(other)) for one, other in pairs) / len(pairs)
        print(f"| {name} | {first:.3f} | {common:.3f} |")


def full(rows: list[dict[str, Any]]) -> Callable[[int], list[int]]:
    texts = [f"{row['title']} {row['abstract']}" for row in rows]
    matrix = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), min_df=2, stop_words="english").fit_transform(texts)

    def nearest(one: int) -> list[int]:
        scores = (matrix @ matrix[one].T).toarray().ravel()
        scores[one] = -1
        return [int(row) for row in np.argsort(-scores, kind="stable")[:SHOWN]]

    return nearest


def by_keywords(rows: list[dict[str, Any]]) -> Callable[[int], list[int]]:
    counts = Counter(term for row in rows for term in terms((row["title"], row["abstract"]))[0])
    shared = {term: count for term, count in counts.most_common(similar.MOST_TERMS) if count > 1}
    words = similar.Words(len(rows), shared)
    mine = [similar.keywords(row["title"], row["abstract"], words) for row in rows]
    users: defaultdict[str, list[int]] = defaultdict(list)
    for number, found in enumerate(mine):
        for term in found:
            users[term].append(number)

    def nearest(one: int) -> list[int]:
        scores: Counter[int] = Counter()
        for term, weight in mine[one].items():
            for other in users[term]:
                scores[other] += weight * mine[other][term]
        del scores[one]
        return [other for other, _ in scores.most_common(SHOWN)]

    return nearest


if __name__ == "__main__":
    main()
