"""Import readers who agreed elsewhere, from a CSV file. docs/imports.md describes the columns."""

from argparse import ArgumentParser
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from tqdm import tqdm

from subscribers.imports import importing
from subscribers.imports.report import report_of
from subscribers.imports.table import FileFault
from subscribers.management.caller import caller, check_for_new_file, private_file
from subscribers.models import Import

Status = Import.Status
PIECE = 1_000_000  # bytes


class Command(BaseCommand):
    help = "Import readers with proof of their consent from a CSV file. It only adds people: nobody known is changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, help="CSV in UTF-8 with at least email, consent_at, consent_source.")
        parser.add_argument("--dry-run", action="store_true", help="Check and report only; change nothing.")
        parser.add_argument("--report", type=Path, help="A new file for the refused rows, each with its reason.")

    def handle(self, *_args: Any, file: Path, dry_run: bool, report: Path | None, **_options: Any) -> None:
        if report is not None:
            check(report, file)
        job = self._job(file, dry_run=dry_run)
        try:
            self._finish(job)
            if not dry_run and importing.confirm(job, caller(), timezone.now()):
                self._finish(job)
            if job.status == Status.REFUSED:
                importing.set_aside(job, caller(), timezone.now())  # whom it concerns is told here
                raise CommandError(f"{job.fault} Nothing was imported.")
            self._tell(job)
            if report is not None:
                self._report(job, report, dry_run=dry_run)
        finally:
            if dry_run:
                job.delete()
        if dry_run:
            self.stdout.write("A dry run: nothing was changed.")

    def _job(self, file: Path, *, dry_run: bool) -> Import:
        """The file as an import; or the one of the same file that was broken off."""
        try:
            with file.open("rb") as opened:
                job = importing.store(pieces(opened), file.name, caller(), timezone.now())
        except OSError as error:
            raise CommandError(f"{file} cannot be read: {error.strerror or error}.") from error
        except FileFault as fault:
            raise CommandError(f"{fault} Nothing was imported.") from fault
        broken_off = None if dry_run else Import.objects.of_file(job.sha256).first()
        if broken_off is None:
            return job
        job.delete()
        self.stdout.write(f"This file's import was broken off after line {broken_off.line:,}: going on there.")
        return broken_off

    def _finish(self, job: Import) -> None:
        """Do what is to be done next, to its end; where a worker is at it as well, together with it."""
        was, position = job.status, -1
        with tqdm(total=100, unit=" %", disable=None) as bar:
            while job.status == was and job.position != position:
                position = job.position
                for _ in importing.work(job, timezone.now):
                    bar.n = job.percent
                    bar.set_postfix_str(f"{job.get_status_display()}, {job.line:,} lines")
        if job.status == was:
            raise CommandError(f"The database failed after line {job.line:,}. Run this again: it will go on there.")

    def _tell(self, job: Import) -> None:
        for words in [job.note, *job.accounts]:
            if words:
                self.stdout.write(words)

    def _report(self, job: Import, path: Path, *, dry_run: bool) -> None:
        try:
            with private_file(path) as file:
                file.writelines(report_of(job))
        except CommandError as error:  # such as a full disk; whoever reads that must not import a second time
            done = "The import is done, and its report stands in the admin under Imports."
            raise CommandError(f"{error} {'A dry run: nothing was changed.' if dry_run else done}") from error
        self.stdout.write(f"The refused rows are in {path}.")


def check(report: Path, file: Path) -> None:
    """Raises CommandError where the report cannot be written, or would take the place of anything."""
    try:
        if report.samefile(file):
            raise CommandError(f"{report} is the file of readers itself, and is not overwritten. Nothing was imported.")
    except OSError:  # one of the two is not there
        pass
    try:
        check_for_new_file(report)
    except CommandError as error:
        raise CommandError(f"{error} Nothing was imported.") from error


def pieces(file: BinaryIO) -> Iterator[bytes]:
    while piece := file.read(PIECE):
        yield piece
