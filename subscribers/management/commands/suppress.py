"""Look up whether an address may be mailed, and decide it by hand."""

from argparse import ArgumentParser
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError
from django.db import transaction
from django.utils import timezone

from subscribers import suppressing
from subscribers.management.caller import caller


class Command(BaseCommand):
    help = "Say whether and why an address must not be mailed; with --because, suppress it, or --lift that again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("address")
        parser.add_argument("--because", help="The reason, for whoever asks later.")
        parser.add_argument("--lift", action="store_true", help="Let it be mailed again; it has to sign up anew.")
        parser.add_argument("--dry-run", action="store_true", help="Say how it would be then; change nothing.")

    def handle(
        self, *_args: Any, address: str, because: str | None, lift: bool, dry_run: bool, **_options: Any
    ) -> None:
        try:
            with transaction.atomic():
                if lift:
                    suppressing.lift(address, because or "", caller(), timezone.now())
                elif because is not None:
                    suppressing.suppress(address, because, caller())
                found = suppressing.standing(address)
                self._tell(found)
                transaction.set_rollback(dry_run)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from error
        if because is None:  # whoever forgot it believes that it is done
            way = "lift that, say --lift --because WHY" if found.reason else "suppress it, say --because WHY"
            self.stdout.write(f"Nothing was changed; to {way}.")
        elif dry_run:
            self.stdout.write("A dry run: nothing was changed.")

    def _tell(self, found: suppressing.Standing) -> None:
        verdict = f"Must not be mailed: {found.reason}." if found.reason else "Nothing suppresses it."
        status = found.subscriber.get_status_display().lower() if found.subscriber else "none"
        self.stdout.write(f"{verdict} Its subscription: {status}.")
        for row in found.rows:
            who = f", by {row.by}" if row.by else ""
            self.stdout.write(f"  {row.at:%Y-%m-%d %H:%M} {row.get_reason_display()}{who}: {row.words or '–'}")
