"""How fast digests go out, ledger and all.

    python -m benchmarks.delivery [--readers 20000] [--postfix FOLDER] [PART …]

Readers with personal digests of 10 papers are built and sent by 2 worker processes, PostgreSQL keeping what it commits.
Parts, all of them where none is named:

    smtp      into postfix's smtp-sink, beside smtp-source with 20 kept connections and a loop over send_messages
    slice     the same, by SUBMIT_SLICE
    slow      into a relay that answers each command after 20 ms
    http      by anymail's Postmark backend into a stub that answers after 50 ms
    planning  --due readers into digests

postfix's programs are in Debian's package of that name: installed, or unpacked (dpkg -x) into FOLDER.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.delivery_servers import postgres, running, sink, source
from tests.servers import free_port

ROOT = Path(__file__).resolve().parents[1]
WORKERS, SLICES = 2, (1, 2, 5, 10, 20, 50, 100)
Report = dict[str, float]
Settings = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", default=["smtp", "slice", "slow", "http", "planning"])
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--due", type=int, default=1_000_000)
    parser.add_argument("--postfix", default="/")
    options = parser.parse_args()
    with postgres() as database:
        settings = environment(database)
        part("fill", options.readers, settings)
        part("plan", 0, settings)
        print("| | messages/s | µs of CPU each | statements each | MB a process |\n|---|---|---|---|---|")
        for name in options.parts:
            {"smtp": smtp, "slice": by_slice, "slow": slow, "http": http, "planning": planning}[name](options, settings)


def smtp(options: argparse.Namespace, settings: Settings) -> None:
    with sink(options.postfix) as port:
        settings = to_relay(settings, port)
        raw = source(options.postfix, port, options.readers, 30_000)
        row("smtp-source, 20 connections", {"rate": raw})
        ours = delivered(settings)
        row("**ours**, 2 workers", ours)
        plain = part("loop", max(options.readers // 20, 100), settings)
        row("a loop over send_messages, 1 process", plain)
        row("smtp-source again", {"rate": source(options.postfix, port, options.readers, 30_000)})
        print(f"\nours / smtp-source {ours['rate'] / raw:.2f}; CPU, the loop / ours {plain['cpu'] / ours['cpu']:.1f}\n")


def by_slice(options: argparse.Namespace, settings: Settings) -> None:
    with sink(options.postfix) as port:
        for width in SLICES:
            sliced = to_relay(settings, port) | {"SUBMIT_SLICE": str(width)}
            row(f"a slice of {width}", delivered(sliced))


def slow(options: argparse.Namespace, settings: Settings) -> None:
    del options
    with stub("smtp", 20) as port:
        for connections in (20, 60):
            many = to_relay(settings, port) | {"SUBMIT_CONNECTIONS": str(connections)}
            row(f"20 ms a command, {connections} connections a worker", delivered(many))


def http(options: argparse.Namespace, settings: Settings) -> None:
    del options
    with stub("http", 50) as port:
        for width in (20, 40):
            calls = settings | {
                "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
                "ANYMAIL_POSTMARK_SERVER_TOKEN": "token",
                "ANYMAIL_POSTMARK_API_URL": f"http://127.0.0.1:{port}/",
                "SUBMIT_SLICE": str(width),
                "SUBMIT_CONNECTIONS": str(width),
            }
            row(f"Postmark's call, 50 ms, a slice of {width}", delivered(calls))


def planning(options: argparse.Namespace, settings: Settings) -> None:
    del settings
    with postgres() as database:
        apart = environment(database)
        part("fill", options.due, apart)
        report = part("plan", 0, apart)
        print(f"\n{report['planned']:,} planned in {report['seconds']:.1f} s, {report['megabytes']:.0f} MB\n")


def environment(database: str) -> Settings:
    return os.environ | {
        "SECRET_KEY": "benchmark" * 8,
        "SUPPRESSION_KEY": "benchmark" * 8,
        "SITE_URL": "https://papers.example",
        "ALLOWED_HOSTS": "papers.example",
        "MAIL_FROM": "papers@papers.example",
        "POSTAL_ADDRESS": "1 Example Street, 00000 Exampleville",
        "DATABASE_URL": database,
        "LOG_LEVEL": "WARNING",
    }


def to_relay(settings: Settings, port: int) -> Settings:
    return settings | {"EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}


@contextlib.contextmanager
def stub(kind: str, milliseconds: int) -> Iterator[int]:
    port = free_port()
    script = str(ROOT / "benchmarks" / "delivery_stubs.py")
    with running([sys.executable, script, kind, str(port), str(milliseconds)], port):
        yield port


def part(name: str, number: int, settings: Settings) -> Report:
    command = [sys.executable, "-m", "benchmarks.delivery_part", name, str(number)]
    said = subprocess.run(command, env=settings, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout
    return dict(json.loads(said.splitlines()[-1]))


def delivered(settings: Settings) -> Report:
    """Let the workers deliver what is due, starting together; then all is due again."""
    command = [sys.executable, "-m", "benchmarks.delivery_part", "deliver"]
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(
                subprocess.Popen(command, env=settings, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for _ in range(WORKERS)
        ]
        for worker in workers:
            assert worker.stdout
            worker.stdout.readline()
        for worker in workers:
            assert worker.stdin
            worker.stdin.write(b"go\n")
            worker.stdin.flush()
        reports = [json.loads(worker.communicate()[0]) for worker in workers]
    part("again", 0, settings)
    count = sum(report["delivered"] for report in reports)
    seconds = max(report["to"] for report in reports) - min(report["from"] for report in reports)
    return {
        "rate": count / seconds,
        "cpu": sum(report["cpu"] for report in reports) / count * 1e6,
        "statements": sum(report["statements"] for report in reports) / count,
        "megabytes": max(report["megabytes"] for report in reports),
    }


def row(name: str, report: Report) -> None:
    figures = [
        f"{report['rate']:,.0f}",
        *(f"{report[key]:{form}}" if key in report else "" for key, form in FORMS.items()),
    ]
    print(f"| {name} | {' | '.join(figures)} |", flush=True)


FORMS = {"cpu": ",.0f", "statements": ".2f", "megabytes": ".0f"}


if __name__ == "__main__":
    main()
