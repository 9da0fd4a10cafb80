"""Fetch papers from one source by hand."""

from argparse import ArgumentParser
from datetime import date
from typing import Any

from django.core.management.base import BaseCommand, CommandError

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
            run = harvest.fetch(row, (since, until), asked=True, dry_run=dry_run, watch=self._progress)
        except harvest.BusyError as error:
            raise CommandError(str(error)) from error
        finally:
            if self.stderr.isatty():
                self.stderr.write("")
        self._report(run, dry_run=dry_run)

    def _progress(self, run: harvest.Run) -> None:
        """A bar that is drawn over itself; how many answers are to come is known only page by page."""
        if not self.stderr.isatty():
            return
        of_all = run.asked + len(run.waiting)
        bar = ("█" * (20 * run.asked // of_all)).ljust(20, "░")
        self.stderr.write(f"\r{bar} {run.asked}/{of_all} answers, {run.result.found} papers", ending="\r")

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
