"""Show what an edition brings one reader, and why."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from newsletter.digest.explanation import explain
from newsletter.management.naming import edition_named, reader_at
from newsletter.models import Edition
from subscribers.models import Subscriber

COLUMNS = f"{'score':>7} {'fit':>6} {'words':>6} {'author':>6} {'trend':>6}"


class Command(BaseCommand):
    help = "Prints a reader's candidate list with every part of the score, and why each paper was taken or left."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("address", help="the reader's address")
        parser.add_argument("--edition", help="such as daily:2026-11-24; the reader's latest, if not given")
        parser.add_argument("--most", type=int, default=40, help="papers to show (40)")

    def handle(self, *_: Any, **options: Any) -> None:
        subscriber = reader_at(options["address"])
        edition = edition_named(options["edition"]) if options["edition"] else latest(subscriber)
        explanation = explain(subscriber, edition, timezone.now())
        self.stdout.write(f"{edition}, were it chosen now\n")
        for name, words in explanation.profile:
            self.stdout.write(f"  {name}: {words}")
        self.stdout.write(f"\n{COLUMNS}  topic, paper and verdict")
        for title, line in explanation.lines[: options["most"]]:
            parts = (line.score, line.fit, line.words, line.authors, line.trend)
            numbers = " ".join(f"{value:{width}.3f}" for value, width in zip(parts, (7, 6, 6, 6, 6), strict=True))
            self.stdout.write(f"{numbers}  {line.topic or '–'} | {title}\n{'':36} {line.verdict}")
        if (left := len(explanation.lines) - options["most"]) > 0:
            self.stdout.write(f"and {left} more papers: --most {len(explanation.lines)} shows all")


def latest(subscriber: Subscriber) -> Edition:
    editions = Edition.objects.filter(kind=subscriber.cadence).order_by("-date")
    edition = editions.first() or Edition.objects.order_by("-date").first()
    if edition is None:
        raise CommandError("There is no edition yet: the first opens when the first reader is due.")
    return edition
