"""What an import costs: rows a second and the peak of memory, from ten thousand rows to a million.

    python -m benchmarks.imports [--rows 10000 100000 1000000] [--sqlite]

Each size is a process of its own on a database of its own, PostgreSQL or SQLite, so that the peak is that size's. One
row in twenty is refused: no address, no proof, twice in the file, an unknown zone. The table stands in docs/imports.md.
"""

import argparse
import contextlib
import io
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import django

from tests.servers import postgres_server

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
os.environ.setdefault("DEMO", "1")
django.setup()

from django.core.management import call_command  # noqa: E402 - the settings read the environment made above
from django.utils.timezone import now  # noqa: E402

from subscribers.imports import importing  # noqa: E402
from subscribers.models import Import, Subscriber  # noqa: E402

ZONES = ["Europe/Berlin", "America/New_York", "Asia/Tokyo", "UTC"]
TOPICS = ["graph-neural-networks", "computer-vision", "robotics"]
HEAD = "email,consent_at,consent_source,topics,cadence,local_hour,zone\n"
FAULTS = [
    "reader{0} at example.org,2025-03-20,https://old.example/subscribe,,,,\n",
    "reader{0}@example.org,,https://old.example/subscribe,,,,\n",
    "reader7@example.org,2025-03-20,https://old.example/subscribe,,,,\n",
    "reader{0}@example.org,2025-03-20,https://old.example/subscribe,,,,Mars/Utopia\n",
]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--sqlite", action="store_true")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        measure(options.rows[0])
        return
    print("SQLite\n" if options.sqlite else "PostgreSQL\n")
    print("| rows | step | rows/s of CPU | rows/s by the clock | peak MB |\n|---|---|---|---|---|", flush=True)
    for size in options.rows:
        with contextlib.ExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory())
            url = f"sqlite:///{folder}/papers.sqlite3"
            if not options.sqlite:
                url = stack.enter_context(postgres_server())
            environment = os.environ | {"DEMO": "1", "VAR_DIR": folder, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"}
            environment["DJANGO_SETTINGS_MODULE"] = "newsletter.settings"
            command = [sys.executable, "-m", "benchmarks.imports", "--one", "--rows", str(size)]
            subprocess.run(command, env=environment, check=True)


def measure(size: int) -> None:
    """One line of the table, in the environment made above."""
    call_command("migrate", verbosity=0)
    call_command("load_topics", stdout=io.StringIO())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "readers.csv"
        with path.open("w", encoding="utf-8") as file:
            file.writelines(table(size))
        print(f"| {size:,} | before | | | {peak():.0f} |", flush=True)
        with path.open("rb") as opened:
            job = importing.store(iter(lambda: opened.read(1_000_000), b""), path.name, "benchmark", now())
        work(job, size, "check")
        importing.confirm(job, "benchmark", now())
        work(job, size, "run")
    assert sum(job.counts.values()) == size
    assert job.counts["imported"] == Subscriber.objects.mailable().count()


def work(job: Import, size: int, step: str) -> None:
    """The next step, and its line of the table: what the process itself worked, and what the clock says."""
    own, clock = time.process_time(), time.perf_counter()
    for number, _ in enumerate(importing.work(job, now), start=1):
        if number % 20 == 0:
            print(f"{step}: {job.line:,} lines, {peak():.0f} MB", file=sys.stderr, flush=True)
    own, clock = time.process_time() - own, time.perf_counter() - clock
    print(f"| {size:,} | {step} | {size / own:,.0f} | {size / clock:,.0f} | {peak():.0f} |", flush=True)


def table(size: int) -> Iterator[str]:
    """The file, line by line, the same each time."""
    chance = random.Random(4)
    yield HEAD
    for number in range(size):
        if number and number % 20 == 0:
            yield FAULTS[number // 20 % 4].format(number)
            continue
        day = date(2026, 1, 1) - timedelta(days=chance.randrange(1_000))
        topics = ";".join(chance.sample(TOPICS, 2))
        hour, zone = chance.randrange(5, 22), chance.choice(ZONES)
        yield f"reader{number}@example.org,{day},https://old.example/subscribe,{topics},daily,{hour},{zone}\n"


def peak() -> float:
    """The most memory that this process has had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1_000


if __name__ == "__main__":
    main()
