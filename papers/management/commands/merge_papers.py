"""Make one paper of two that are the same work."""

from argparse import ArgumentParser
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from papers import duplicates
from papers.merging import MergeError, Report, merge


class Command(BaseCommand):
    help = "Merge the paper DROP into KEEP, with everything that hangs on it. Without numbers: name likely duplicates."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("keep", nargs="?", type=int, help="The number of the paper that stays: /papers/NUMBER/.")
        parser.add_argument("drop", nargs="?", type=int, help="The number of the one that becomes part of it.")
        parser.add_argument("--dry-run", action="store_true", help="Say what would be done; change nothing.")

    def handle(self, *_args: Any, keep: int | None, drop: int | None, dry_run: bool, **_options: Any) -> None:
        if keep is None:
            self._name()
            return
        if drop is None:
            raise CommandError("Name two papers: that which stays, and that which becomes part of it.")
        try:
            report = merge(
                keep,
                drop,
                timezone.now(),
                "manage.py merge_papers",
                dry_run=dry_run,
                follow=partial(tqdm, unit=" kinds of rows", disable=None),
            )
        except MergeError as error:
            raise CommandError(str(error)) from error
        self._say(report)
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")

    def _name(self) -> None:
        pairs = duplicates.latest()
        for pair in pairs:
            self.stdout.write(f"{pair.keep.pk} {pair.drop.pk}  {pair.why}: {pair.keep.title}")
        if not pairs:
            self.stdout.write("None of the latest papers looks like another.")

    def _say(self, report: Report) -> None:
        for kind, number in report.moved.items():
            self.stdout.write(f"{number} {kind} moved.")
        for kind, number in report.left.items():
            self.stdout.write(f"{number} {kind} left out: one of the same was there.")
        for name, (before, after) in report.values.items():
            self.stdout.write(f"{name}: {before[:80]} -> {after[:80]}")
