"""Import papers from a file: a copy of the seed page, or a table."""

from argparse import ArgumentParser, ArgumentTypeError
from collections.abc import Sequence
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone
from tqdm import tqdm

from papers import harvest
from papers.matching import UpsertResult
from papers.models import Topic
from papers.sources import seed_page, table
from papers.sources.shapes import FIRST_DAY, Parsed, Skipped, SourceError, why_not

SHOWN = 50  # rows, and values, that the report names


def calendar_day(text: str) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-03-20") from error
    if why := why_not(day, timezone.now().date(), FIRST_DAY):
        raise ArgumentTypeError(f"{text} {why}, so nothing was listed on it")
    return day


class Command(BaseCommand):
    help = "Import papers from the text of a page of trending papers (see seeds/trending.txt), or a CSV or JSONL table."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "file", type=Path, help="The page as plain text, as a browser shows it; or a .csv, .tsv or .jsonl table."
        )
        parser.add_argument("--year", type=int, help="The page's year; else its most recent such day.")
        parser.add_argument("--day", type=calendar_day, help="The page's day, whatever it says: 2026-03-20.")
        parser.add_argument("--dry-run", action="store_true", help="Report only; change nothing.")

    def handle(self, *_args: Any, file: Path, year: int | None, day: date | None, **options: Any) -> None:
        try:
            found = _read(file, year, day)
        except SourceError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        with transaction.atomic():
            result = harvest.store(tqdm(found.records, unit=" papers", disable=None), timezone.now())
            transaction.set_rollback(options["dry_run"])
        self._report(found, result, dry_run=options["dry_run"])

    def _report(self, found: Parsed, result: UpsertResult, *, dry_run: bool) -> None:
        days = ", ".join(f"{day.day} {day:%B %Y}" for day in found.days)
        of_days = f" of {days}" if days else ", listed on no day"
        self.stdout.write(
            f"Found {result.found} papers{of_days}: {result.new} new, {result.updated} updated,"
            f" {result.unchanged} known already; {len(found.skipped)} skipped."
        )
        self._name(found.skipped, "skipped ")
        if found.left_out:
            self.stdout.write("Left out of these papers:")
            self._name(found.left_out)
        if not result.changed_anything:
            self.stdout.write("Nothing new.")
        if not Topic.objects.exists():
            self.stdout.write("There are no topics yet, so no paper has any: run manage.py load_topics.")
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")

    def _name(self, those: Sequence[Skipped], how: str = "") -> None:
        for one in those[:SHOWN]:
            self.stdout.write(f"  {how}{one}")
        if len(those) > SHOWN:
            self.stdout.write(f"  and {len(those) - SHOWN:,} more")


def _read(file: Path, year: int | None, day: date | None) -> Parsed:
    """Raises SourceError."""
    now = timezone.now()
    if file.suffix.lower() in table.SUFFIXES:
        return table.parse(table.download(file), now, day)
    return seed_page.parse(seed_page.download(file), today=now.date(), year=year, day=day)
