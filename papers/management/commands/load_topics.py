"""Load the topics that readers can follow."""

from argparse import ArgumentParser
from functools import partial
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from tqdm import tqdm

from papers import topic_file, topics
from papers.models import Paper


class Command(BaseCommand):
    help = "Create or update topics from a JSON file, and give all papers their topics anew."

    def add_arguments(self, parser: ArgumentParser) -> None:
        default = settings.BASE_DIR / "seeds" / "topics.json"
        parser.add_argument("file", nargs="?", type=Path, default=default)
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; change nothing.")

    def handle(self, *_args: Any, file: Path, dry_run: bool, **_options: Any) -> None:
        follow = partial(tqdm, total=Paper.objects.count(), unit=" papers", leave=False, disable=None)
        try:
            with transaction.atomic():
                result = topic_file.store(topic_file.parse(topic_file.download(file)))
                changed = result.new or result.updated
                rows = topics.assign_all(follow) if changed else 0
                transaction.set_rollback(dry_run)
        except topic_file.TopicFileError as error:
            raise CommandError(f"{error} Nothing was changed.") from error
        if not changed:
            self.stdout.write(f"Nothing new: all {result.unchanged} topics are as in the file.")
            return
        self.stdout.write(
            f"Topics: {result.new} new, {result.updated} updated, {result.unchanged} unchanged."
            f" Papers: {rows} topic strengths changed."
        )
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")
