"""How fast digests go out, ledger and all, beside other people's senders.

    python -m benchmarks.delivery [--readers 20000] [--postfix FOLDER] [PART …]

Readers with personal digests of 10 papers are built and sent by 2 worker processes, with a Redis, and a PostgreSQL that
keeps what it commits.
Parts, all of them where none is named:

    smtp      into postfix's smtp-sink, beside smtp-source with 20 kept connections, loops over send_messages,
              django-post_office and django-newsletter (in an environment of their own, made for the run); smtp-source
              and ours before and after the others, the means of which are compared
    slice     the same, by SUBMIT_SLICE
    slow      into a relay that answers each command after 20 ms
    http      by anymail's Postmark backend into a stub that answers after 50 ms
    planning  10,000 and --due readers into digests, by the tick and its helper; then how long a claim takes in a ledger
              of so many digests, and of --rows
    hour      from due to accepted, when --hour readers are due at once
    events    what the provider tells of these mails, heard by one process, by how many of a hundred came back

postfix's programs are in Debian's package of that name: installed, or unpacked (dpkg -x) into FOLDER.
"""

import argparse
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.delivery_servers import environment_of_peers, new_database, postgres, running, sink, source
from tests.servers import free_port, redis_server

ROOT = Path(__file__).resolve().parents[1]
WORKERS, SLICES = 2, (1, 5, 10, 20, 50)
Report = dict[str, Any]
Settings = dict[str, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", metavar="PART", default=list(PARTS))
    parser.add_argument("--readers", type=int, default=20_000)
    parser.add_argument("--due", type=int, default=1_000_000)
    parser.add_argument("--rows", type=int, default=20_000_000)
    parser.add_argument("--hour", type=int, default=100_000)
    parser.add_argument("--postfix", default="/")
    options = parser.parse_args()
    with postgres() as database, redis_server() as redis:
        settings = environment(database) | {"REDIS_URL": redis}
        if not {"smtp", "slice", "slow", "http", "events"}.isdisjoint(options.parts):
            part("fill", options.readers, settings)
            together("plan", settings, 1)
        print("| | messages/s | µs of CPU each | statements each | MB a process |\n|---|---|---|---|---|", flush=True)
        for name in options.parts:
            PARTS[name](options, settings)


def smtp(options: argparse.Namespace, settings: Settings) -> None:
    some = max(options.readers // 20, 100)
    with sink(options.postfix) as port, tempfile.TemporaryDirectory() as folder:
        settings = to_relay(settings, port) | {"MESSAGES": f"{folder}/messages.json"}
        octets = int(part("export", some, settings)["octets"])
        raw = source(options.postfix, port, options.readers, octets)
        row(f"smtp-source, 20 connections, {octets:,} octets", {"rate": raw})
        ours = delivered(settings)
        row("**ours**, 2 workers", ours)
        ready_made, rendered = part("ready_made", some, settings), part("rendered", some, settings)
        row("send_messages in a loop, messages ready-made, 1 process", ready_made)
        row("the same, each rendered by Django", rendered)
        office, newsletter = peer("post_office", settings, port), peer("newsletter", settings, port)
        row("django-post_office, messages ready-made, 2 processes", office)
        row("the same, with queueing", {"rate": office["whole"]})
        row("django-newsletter, 1 process", newsletter)
        again = delivered(settings)
        row("ours once more", again)
        ours |= {key: (ours[key] + again[key]) / 2 for key in ("rate", "cpu")}
        raw_again = source(options.postfix, port, options.readers, octets)
        row("smtp-source once more", {"rate": raw_again})
    say("smtp-source", f"{2 * ours['rate'] / (raw + raw_again):.2f} ×")
    say(
        "django-post_office",
        f"{ours['rate'] / office['rate']:.1f} ×, with queueing {ours['rate'] / office['whole']:.1f} ×",
    )
    say("django-newsletter", f"{ours['rate'] / newsletter['rate']:.1f} ×")
    say(
        "CPU of a loop", f"1/{ready_made['cpu'] / ours['cpu']:.1f}, each rendered 1/{rendered['cpu'] / ours['cpu']:.1f}"
    )


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
        for width, batch in ((20, 1), (40, 1), (100, 1), (200, 50)):
            calls = settings | {
                "EMAIL_BACKEND": "anymail.backends.postmark.EmailBackend",
                "ANYMAIL_POSTMARK_SERVER_TOKEN": "token",
                "ANYMAIL_POSTMARK_API_URL": f"http://127.0.0.1:{port}/",
                "ANYMAIL_WEBHOOK_SECRET": "user:password",
                "SUBMIT_SLICE": str(width),
                "SUBMIT_CONNECTIONS": str(min(width, 100)),
                "SUBMIT_BATCH": str(batch),
            }
            row(f"Postmark, 50 ms, a slice of {width}, {batch} a call", delivered(calls))


def planning(options: argparse.Namespace, settings: Settings) -> None:
    for readers in (10_000, options.due):
        apart = settings | {"DATABASE_URL": new_database(settings["DATABASE_URL"], f"plan{readers}")}
        part("fill", 1, apart)
        part("many", readers, apart)
        report = together("plan", apart, WORKERS)
        row(f"planning {readers:,} readers, {report['seconds']:.1f} s", report)
    for rows in (0, options.rows - options.due):
        if rows:
            part("settled", rows, apart)
        found = part("claim", 0, apart)
        ways = ", ".join(found["ways"])
        say("a claim", f"of {found['claimed']} among {found['rows']:,}: {found['milliseconds']:.1f} ms ({ways})")


def hour(options: argparse.Namespace, settings: Settings) -> None:
    with sink(options.postfix) as port:
        apart = settings | {"DATABASE_URL": new_database(settings["DATABASE_URL"], "hour")}
        apart = to_relay(apart, port)
        part("fill", options.hour, apart)
        started = int(time.time())
        planned = together("plan", apart, WORKERS)
        report = together("deliver", apart, WORKERS)
        half, nearly, last = part("accepted", started, apart)["seconds"]
    row(f"{options.hour:,} due at once, planned in {planned['seconds']:.0f} s", report)
    say("from the tick to accepted", f"half in {half:.0f} s, 99 % in {nearly:.0f} s, all in {last:.0f} s")


def events(options: argparse.Namespace, settings: Settings) -> None:
    del options
    for percent in (0, 1, 5):
        part("told", percent, settings)
        row(f"events heard, {percent} % bounces", together("hear", settings, 1))
        part("again", 0, settings)


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
    return said(subprocess.run(command, env=settings, cwd=ROOT, stdout=subprocess.PIPE, check=True).stdout)


def peer(name: str, settings: Settings, port: int) -> Report:
    """What another sender needs for the same messages and the same sink, with a database of its own."""
    database = new_database(settings["DATABASE_URL"], name)
    script = ROOT / "benchmarks" / "peers" / f"with_{name}.py"
    command = [environment_of_peers(), script, settings["MESSAGES"], str(port), database]
    return said(subprocess.run(command, cwd="/", stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout)


def said(output: bytes) -> Report:
    return dict(json.loads(output.splitlines()[-1]))


def delivered(settings: Settings) -> Report:
    """Let the workers deliver what is due; then all is due again."""
    report = together("deliver", settings, WORKERS)
    part("again", 0, settings)
    return report


def together(name: str, settings: Settings, processes: int) -> Report:
    """Some processes at the same work, starting together."""
    command = [sys.executable, "-m", "benchmarks.delivery_part", name]
    with contextlib.ExitStack() as stack:
        workers = [
            stack.enter_context(
                subprocess.Popen(command, env=settings, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
            )
            for _ in range(processes)
        ]
        for worker in workers:
            assert worker.stdout
            worker.stdout.readline()
        for worker in workers:
            assert worker.stdin
            worker.stdin.write(b"go\n")
            worker.stdin.flush()
        reports = [said(worker.communicate()[0]) for worker in workers]
    count = sum(report["done"] for report in reports)
    seconds = max(report["to"] for report in reports) - min(report["from"] for report in reports)
    return {
        "rate": count / seconds,
        "seconds": seconds,
        "cpu": sum(report["cpu"] for report in reports) / count * 1e6,
        "statements": sum(report["statements"] for report in reports) / count,
        "megabytes": max(report["megabytes"] for report in reports),
    }


def row(name: str, report: Report) -> None:
    figures = [f"{report[key]:{form}}" if key in report else "" for key, form in FORMS.items()]
    print(f"| {name} | {' | '.join(figures)} |", flush=True)


def say(name: str, words: str) -> None:
    print(f"| {name} | {words} | | | |", flush=True)


FORMS = {"rate": ",.0f", "cpu": ",.0f", "statements": ".2f", "megabytes": ".0f"}
PARTS = {
    "smtp": smtp,
    "slice": by_slice,
    "slow": slow,
    "http": http,
    "planning": planning,
    "hour": hour,
    "events": events,
}


if __name__ == "__main__":
    main()
