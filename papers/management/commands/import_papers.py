"""Import a copy of the seed page."""

from argparse import ArgumentParser, ArgumentTypeError
from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from papers import topics, trends
from papers.matching import UpsertResult
from papers.models import Paper, Topic
from papers.sources import seed_page


def calendar_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no day such as 2026-03-20") from error


class Command(BaseCommand):
    help = "Import papers from the text of a page of trending papers (see seeds/trending.txt)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="The page as plain text, as a browser shows it.")
        parser.add_argument("--year", type=int, help="The page's year; else its most recent such day.")
        parser.add_argument("--day", type=calendar_day, help="The page's day, whatever it says: 2026-03-20.")
        parser.add_argument("--dry-run", action="store_true", help="Report only; change nothing.")

    def handle(self, *_args: Any, file: Path, year: int | None, day: date | None, **options: Any) -> None:
        try:
            content = seed_page.download(file)
            page = seed_page.parse(content, today=timezone.now().date(), year=year, day=day)
        except seed_page.SeedPageError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        with transaction.atomic():
            result = Paper.objects.upsert(page.records)
            papers = list(Paper.objects.filter(pk__in=result.paper_ids))
            topics.assign(papers)
            trends.rank(papers)
            transaction.set_rollback(options["dry_run"])
        self._report(page, result, dry_run=options["dry_run"])

    def _report(self, page: seed_page.ParsedPage, result: UpsertResult, *, dry_run: bool) -> None:
        days = ", ".join(f"{day.day} {day:%B %Y}" for day in page.days)
        self.stdout.write(
            f"Found {result.found} papers of {days}: {result.new} new, {result.updated} updated,"
            f" {result.unchanged} known already; {len(page.skipped)} skipped."
        )
        for skipped in page.skipped:
            self.stdout.write(f"  skipped {skipped}")
        if not result.changed_anything:
            self.stdout.write("Nothing new.")
        if not Topic.objects.exists():
            self.stdout.write("There are no topics yet, so no paper has any: run manage.py load_topics.")
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")
