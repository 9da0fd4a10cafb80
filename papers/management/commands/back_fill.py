"""Fetch days of the past by hand, and watch."""

from argparse import ArgumentParser
from datetime import date
from functools import partial
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from papers import back_fill, harvest
from papers.management.commands.import_papers import calendar_day
from papers.models import BackFill
from papers.sources.models import Source
from papers.sources.shapes import SourceError


class Command(BaseCommand):
    help = "Fetch days of the past from a source. Stopped half-way (Ctrl-C), workers go on; the admin shows how far."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="Its name in the admin, such as arxiv-oai.")
        parser.add_argument("--since", type=calendar_day, required=True, help="The first day, such as 2026-03-01.")
        parser.add_argument("--until", type=calendar_day, help="The last day; else today.")
        parser.add_argument("--dry-run", action="store_true", help="Say how much would be asked for; ask nothing.")

    def handle(self, *_args: Any, source: str, since: date, until: date | None, dry_run: bool, **_options: Any) -> None:
        row = Source.objects.filter(name=source).first()
        if row is None:
            raise CommandError(f"There is no source “{source}”.")
        now = timezone.now()
        until = until or now.date()
        job = BackFill(source=row, since=since, until=until, not_before=now)
        try:
            job.full_clean()
            asks = harvest.asks_of(row, now, since, until)
        except (ValidationError, SourceError) as error:
            raise CommandError("; ".join(getattr(error, "messages", [str(error)]))) from error
        if dry_run:
            self.stdout.write(f"It would begin with {len(asks)} requests, the first {asks[0]['url']}")
            self.stdout.write("A dry run: nothing was asked or changed.")
            return
        job.save()
        self._go(job)

    def _go(self, job: BackFill) -> None:
        try:
            with tqdm(unit=" answers", disable=None) as bar:
                while back_fill.go_on(job, watch=partial(draw, bar)):
                    pass
        except harvest.BusyError as error:
            self.stdout.write(f"{error} A worker begins when it is free.")
            return
        except KeyboardInterrupt:
            self.stdout.write("Left to the workers; the admin shows how far it is, and can stop it.")
            return
        self.stdout.write(
            f"{job.get_status_display().capitalize()}: {job.found} papers in {job.asked} answers, {job.new} new,"
            f" {job.updated} updated, {job.skipped} skipped."
        )
        if job.fault:
            raise CommandError(job.fault)


def draw(bar: "tqdm[Any]", job: BackFill) -> None:
    bar.n, bar.total = job.asked, job.asked + job.remaining
    bar.set_postfix_str(f"{job.found} papers")
