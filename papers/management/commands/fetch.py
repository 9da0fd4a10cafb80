"""Fetch papers from one source by hand."""

from argparse import ArgumentParser
from datetime import date
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from tqdm import tqdm

from papers import harvest
from papers.management.commands.import_papers import calendar_day
from papers.sources.models import Source


class Command(BaseCommand):
    help = "Fetch papers from a source of the admin, on or not, and say how it went."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("source", help="Its name in the admin, such as hugging-face.")
        parser.add_argument("--since", type=calendar_day, help="The first day, such as 2026-03-20.")
        parser.add_argument("--until", type=calendar_day, help="The last day; else today.")
        parser.add_argument("--dry-run", action="store_true", help="Ask and report only; change nothing.")

    def handle(
        self, *_args: Any, source: str, since: date | None, until: date | None, dry_run: bool, **_options: Any
    ) -> None:
        try:
            row = Source.objects.get(name=source)
        except Source.DoesNotExist as error:
            names = ", ".join(Source.objects.values_list("name", flat=True)) or "none"
            raise CommandError(f"There is no source “{source}”; there are: {names}.") from error
        try:
            with tqdm(unit=" answers", disable=None) as bar:
                run = harvest.fetch(row, (since, until), asked=True, dry_run=dry_run, watch=partial(draw, bar))
        except harvest.BusyError as error:
            raise CommandError(str(error)) from error
        self._report(run, dry_run=dry_run)

    def _report(self, run: harvest.Run, *, dry_run: bool) -> None:
        result = run.result
        self.stdout.write(
            f"Found {result.found} papers in {run.asked} answers: {result.new} new, {result.updated} updated,"
            f" {result.unchanged} known already; {result.read} readings; {len(run.skipped)} skipped."
        )
        for skipped in run.skipped:
            self.stdout.write(f"  skipped {skipped}")
        if run.unchanged:
            self.stdout.write(f"{run.unchanged} answers had not changed since the last run.")
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")
        if run.errors:
            raise CommandError("\n".join(run.errors))


def draw(bar: "tqdm[Any]", run: harvest.Run) -> None:
    """How many answers are to come is known only page by page."""
    bar.n, bar.total = run.asked, run.asked + len(run.waiting)
    bar.set_postfix_str(f"{run.result.found} papers")
