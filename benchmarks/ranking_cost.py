"""What the choice costs a reader: 10,000 readers, 500 candidates, 40 topics, in one chunked pass.

    python -m benchmarks.ranking --cost [--listings FILE]

Candidates are made of real listings' texts with random topics; every reader has other topics and, where asked for,
another taste, learned from five liked papers.
"""

import random
import time
import tracemalloc
from collections import deque
from collections.abc import Sequence

import numpy as np

from benchmarks.readers import Listed
from newsletter.digest.candidates import Candidates, Corpus, standings_by_topic
from newsletter.digest.choice import Chooser
from newsletter.digest.ranking import Ranker, chunks
from newsletter.digest.readers import Reader
from newsletter.digest.scoring import standing
from newsletter.digest.taste import Taste, Word, learn, read

READERS, CANDIDATES, TOPICS = 10_000, 500, 40
FOLLOWED, LIKES, TASTES = 4, 5, 1_000


def cost(papers: Sequence[Listed]) -> None:
    pool = candidates(papers[-CANDIDATES:])
    start = time.process_time()
    features = pool.corpus.features
    features.like([Taste({"x": 1.0})])
    print(f"candidate features, once per edition: {time.process_time() - start:.2f} s")
    chance = random.Random(3)
    older = [read(one.title, one.abstract, one.authors) for one in papers[:TASTES]]
    start = time.process_time()
    tastes = [learn([Word(text, 1.0) for text in chance.sample(older, LIKES)], features.usual) for _ in range(TASTES)]
    print(
        f"learning a taste of {LIKES} likes, once per change: {(time.process_time() - start) / TASTES * 1e3:.1f} ms\n"
    )
    print("| µs a reader | ranking | ranking and choosing 5 | peak MB, 1,000 readers | 10,000 |\n|---|---|---|---|---|")
    for name, mine in (("topics alone", None), ("topics and taste", tastes)):
        readers = [made(chance, mine) for _ in range(READERS)]
        print(
            f"| {name} | {rank(pool, readers):.0f} | {choose(pool, readers):.0f} | "
            f"{peak(pool, readers[:1000]):.1f} | {peak(pool, readers):.1f} |",
            flush=True,
        )


def candidates(papers: Sequence[Listed]) -> Candidates:
    numbers = np.random.default_rng(5)
    strengths = numbers.random((len(papers), TOPICS)) * (numbers.random((len(papers), TOPICS)) < 3 / TOPICS)
    notice = np.log10(1 + np.array([paper.upvotes for paper in papers], float))
    return Candidates(
        papers=range(len(papers)),
        topics=range(TOPICS),
        topic_names=[f"Topic {number}" for number in range(TOPICS)],
        strengths=strengths,
        standings=standings_by_topic(notice, strengths),
        overall=standing(notice),
        popularity=["12 upvotes"] * len(papers),
        column={number: number for number in range(TOPICS)},
        texts=Corpus([(one.title, one.abstract, one.authors) for one in papers]),
    )


def made(chance: random.Random, tastes: Sequence[Taste] | None) -> Reader:
    return Reader(
        topics=frozenset(chance.sample(range(TOPICS), FOLLOWED)),
        size=5,
        seen=frozenset(chance.sample(range(CANDIDATES), 20)),
        taste=chance.choice(tastes) if tastes else Taste(),
    )


def rank(pool: Candidates, readers: Sequence[Reader]) -> float:
    ranker = Ranker(pool)
    start = time.process_time()
    for chunk in chunks(readers):
        ranker.ranked(chunk)
    return (time.process_time() - start) / len(readers) * 1e6


def choose(pool: Candidates, readers: Sequence[Reader]) -> float:
    chooser = Chooser(pool)
    start = time.process_time()
    deque(chooser.choose_all(readers), maxlen=0)
    return (time.process_time() - start) / len(readers) * 1e6


def peak(pool: Candidates, readers: Sequence[Reader]) -> float:
    chooser = Chooser(pool)
    tracemalloc.start()
    deque(chooser.choose_all(readers), maxlen=0)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return most / 1e6
