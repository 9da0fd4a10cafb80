"""What the public pages cost, from a thousand papers to a hundred thousand: queries, time, bytes.

    python -m benchmarks.archive [--data FILE] [--papers 1000 100000] [--sqlite]

Papers are real records, recombined with a fixed seed: titles and abstracts mix the sentences of three papers of one
category, so that words are as common as they are in the world. The database is a PostgreSQL of its own, or SQLite. The
table stands in docs/archive.md.
"""

import argparse
import atexit
import contextlib
import gzip
import json
import os
import random
import statistics
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import django

from tests.servers import postgres_server

SERVERS = contextlib.ExitStack()
atexit.register(SERVERS.close)
_VAR = SERVERS.enter_context(tempfile.TemporaryDirectory())
_URL = f"sqlite:///{_VAR}/papers.sqlite3" if "--sqlite" in sys.argv else SERVERS.enter_context(postgres_server())
os.environ |= {
    "DEMO": "1", "VAR_DIR": _VAR, "DATABASE_URL": _URL, "LOG_LEVEL": "ERROR", "ALLOWED_HOSTS": "testserver",
    "DJANGO_SETTINGS_MODULE": "newsletter.settings",
}  # fmt: skip
django.setup()

from django.core.management import call_command  # noqa: E402 - the settings read the environment made above
from django.db import connection  # noqa: E402
from django.test import Client  # noqa: E402
from django.test.utils import CaptureQueriesContext  # noqa: E402

from papers import similar, trends  # noqa: E402
from papers.models import Authorship, Keyword, Listing, Paper, PaperTopic, Reading, Topic, Vocabulary  # noqa: E402
from papers.models.authors import names_by_key  # noqa: E402
from papers.search import find, is_common, plain  # noqa: E402

DATA = Path(__file__).resolve().parents[2] / "shared" / "data" / "arxiv-papers.jsonl.gz"
LAST_DAY, DAYS = date(2026, 3, 20), 730
CHUNK = 2_000
REPEATS = 15
SEARCHES = 200


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--papers", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--sqlite", action="store_true")
    options = parser.parse_args()
    if not options.data.exists():
        parser.error(f"there is no {options.data}: name a file of papers with --data, as benchmarks/topics.py reads it")
    call_command("migrate", verbosity=0)
    call_command("load_topics", verbosity=0)
    source = recombined(options.data)
    there = 0
    for size in options.papers:
        begin = time.perf_counter()
        fill(source, there, size)
        there = size
        print(f"\n{size:,} papers on {connection.vendor}, filled in {time.perf_counter() - begin:.0f} s\n")
        print("| page | queries | median ms | KB |\n|---|---|---|---|")
        for name, path in paths():
            print(row(name, path), flush=True)
        print("\n| search for | queries | median ms | p95 ms |\n|---|---|---|---|")
        for name, times in searched(random.Random(3)).items():
            late = sorted(times)[len(times) * 95 // 100]
            print(f"| {name} | {len(times)} | {ms(statistics.median(times))} | {ms(late)} |")


def recombined(path: Path) -> Iterator[dict[str, Any]]:
    """Papers without end."""
    with gzip.open(path, "rt", encoding="utf-8") as file:
        rows = [json.loads(line) for line in file]
    by_category: dict[str, list[dict[str, Any]]] = {}
    for one in rows:
        by_category.setdefault(one["categories"][0], []).append(one)
    chance = random.Random(7)
    while True:
        first = chance.choice(rows)
        second, third = chance.choices(by_category[first["categories"][0]], k=2)
        words = [*first["title"].split()[:5], *second["title"].split()[-5:]]
        yield {
            "title": " ".join(words)[:500],
            "abstract": ". ".join(part for one in (first, second, third) for part in one["abstract"].split(". ")[:3]),
            "authors": [*first["authors"][:3], *third["authors"][:1]],
            "categories": first["categories"],
        }


def fill(source: Iterator[dict[str, Any]], there: int, size: int) -> None:
    """Add papers up to `size`, spread over two years of lists, each in one or two topics."""
    chance = random.Random(there)
    topics = list(Topic.objects.all())
    while there < size:
        chunk = [
            paper(one, there + number, chance) for number, one in enumerate(islice(source, min(CHUNK, size - there)))
        ]
        Paper.objects.bulk_create(chunk)
        store(chunk, topics, chance)
        there += len(chunk)
    trends.normalise()
    if not Vocabulary.objects.exists():
        similar.learn(datetime.now(UTC))
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE" if connection.vendor == "postgresql" else "ANALYZE")


def paper(record: dict[str, Any], number: int, chance: random.Random) -> Paper:
    day = LAST_DAY - timedelta(days=chance.randrange(DAYS))
    upvotes = int(chance.paretovariate(0.7))
    made = Paper(**record, listed_on=day, arxiv_id=f"{2001 + number // 90_000}.{number % 90_000:05}")
    score = trends.trend(trends.Popularity(upvotes), None, datetime(day.year, day.month, day.day, tzinfo=UTC))
    made.hot, made.notice = score.hot, score.notice
    made.set_keys()
    return made


def store(chunk: list[Paper], topics: list[Topic], chance: random.Random) -> None:
    """What belongs to the papers, as a harvest would have stored it."""
    words = similar.in_use()
    Authorship.objects.bulk_create(
        Authorship(paper=one, key=key, name=name) for one in chunk for key, name in names_by_key(one.authors).items()
    )
    Listing.objects.bulk_create(Listing(paper=one, source="page", day=one.listed_on) for one in chunk)
    Reading.objects.bulk_create(
        Reading(
            paper=one, taken_at=datetime(2026, 3, 20, tzinfo=UTC) + timedelta(days=days), upvotes=int(10**one.notice)
        )
        for one in chunk
        for days in (0, 1, 3)
    )
    PaperTopic.objects.bulk_create(
        PaperTopic(paper=one, topic=topic, strength=0.8, source="text", hot=one.hot)
        for one in chunk
        for topic in chance.sample(topics, chance.choice((1, 2)))
    )
    if words.papers > 1:
        Keyword.objects.bulk_create(
            Keyword(paper=one, term=term, weight=weight)
            for one in chunk
            for term, weight in similar.keywords(one.title, one.abstract, words).items()
        )


def paths() -> list[tuple[str, str]]:
    some = Paper.objects.order_by("pk")[500]
    key = some.authorships.values_list("key", flat=True)[0]
    return [
        ("home", "/"),
        ("a day", "/papers/2025-07-18/"),
        ("a week", "/papers/2025-W29/"),
        ("a month", "/papers/2025-07/"),
        ("a month, page 2", "/papers/2025-07/?page=2"),
        ("a topic", "/topics/graph-neural-networks/"),
        ("an author", f"/authors/{key}/"),
        ("a paper", f"/papers/{some.pk}/{some.slug}/"),
        ("search page", "/search/?q=neural+network"),
        ("a topic's feed", "/topics/graph-neural-networks/feed.atom"),
        ("API, a topic", "/api/v1/papers?topic=graph-neural-networks"),
    ]


def row(name: str, path: str) -> str:
    """A line of the table."""
    client = Client()
    with CaptureQueriesContext(connection) as queries:
        response = client.get(path)
    count = len(queries)  # the next request forgets them
    assert response.status_code == 200, (path, response.status_code)
    times = []
    for _ in range(REPEATS):
        begin = time.perf_counter()
        client.get(path)
        times.append(time.perf_counter() - begin)
    return f"| {name} | {count} | {ms(statistics.median(times))} | {len(response.content) / 1000:.1f} |"


def searched(chance: random.Random) -> dict[str, list[float]]:
    """Seconds by kind of query, and of all: words by how many papers have them, names, phrases, as people type them."""
    times: dict[str, list[float]] = {}
    for kind, asked in queries(chance):
        begin = time.perf_counter()
        find(asked)
        times.setdefault(kind, []).append(time.perf_counter() - begin)
    return times | {"all of these": [one for some in times.values() for one in some]}


def queries(chance: random.Random) -> Iterator[tuple[str, str]]:
    """SEARCHES queries, as many of each kind."""
    rows = list(Paper.objects.order_by("pk")[:1000])
    counts = Counter(word for one in rows for word in set(plain(f"{one.title} {one.abstract}").split()))
    words = [word for word in sorted(counts) if len(word) > 3 and not is_common(word)]
    shares = {
        "a word of 1 paper in 1,000": (1, 1),
        "of 2 to 49": (2, 49),
        "of 50 to 199": (50, 199),
        "of 200 and more": (200, 1000),
    }
    for _ in range(SEARCHES // 8):
        for kind, (least, most) in shares.items():
            yield kind, chance.choice([word for word in words if least <= counts[word] <= most])
        one = chance.choice(rows)
        title = one.title.split()
        start = chance.randrange(max(1, len(title) - 1))
        yield "two words of a title", " ".join(chance.sample(title, min(2, len(title))))
        yield "a phrase of a title", f'"{" ".join(title[start : start + 2])}"'
        yield "an author's last name", chance.choice(one.authors).split()[-1]
        yield "an author's full name", chance.choice(one.authors)


def ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


if __name__ == "__main__":
    main()
