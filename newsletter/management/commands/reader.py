"""Find a reader and do what they wish: what the admin's page of a reader does, for one or for many."""

import json
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from tqdm import tqdm

from newsletter import audit
from newsletter.desk.deeds import DEEDS, Deed, carry_out
from newsletter.desk.finding import HASH, by_hash, found
from newsletter.desk.reader import DECISIONS_SHOWN, EXPORTED, all_about
from newsletter.management import accounts
from newsletter.management.deciding import DRY, add_option, confirm, for_good, reason
from subscribers.gate import why_not_mail
from subscribers.management.caller import private_file
from subscribers.models import Subscriber
from subscribers.suppressing import reason_of

WHO = "an address, or the id of a reader, digest or letter, of which 8 letters are enough"


class Command(BaseCommand):
    help = "Shows a reader, and does what readers wish; addresses are arguments, or lines of the standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("show", help="how they stand, and what was sent").add_argument("who", nargs="?", help=WHO)
        sought = commands.add_parser("find", help="whose address has this hash: searches all readers")
        sought.add_argument("hash", help="its beginning, 12 digits at least")
        export = commands.add_parser("export", help="all that is stored about them, as JSON")
        export.add_argument("who", help=WHO)
        export.add_argument("file", type=Path, nargs="?")
        for name, deed in DEEDS.items():
            command = commands.add_parser(name, help=deed.words.lower())
            command.add_argument("who", nargs="*", help=f"{WHO}; lines of the standard input, if none is given")
            add_option("--because", command, required=True, help="for the audit log: no address")
            add_option("--dry-run", command)
            if deed.is_final:
                add_option("--yes-i-mean", command, help="what would be asked for: such as “erase 3”")

    def handle(self, *_: Any, command: str, **options: Any) -> None:
        if command == "show":
            self._show(*readers([options["who"]] if options["who"] else lines()))
        elif command == "find":
            self._find(options["hash"].lower())
        elif command == "export":
            [reader] = readers([options["who"]])
            self._export(reader, options["file"])
        else:
            self._act(command, DEEDS[command], readers(options["who"] or lines()), **options)

    def _show(self, *people: Subscriber) -> None:
        for reader in people:
            for line in accounts.of_reader(reader):
                self.stdout.write(line)
            self.stdout.write(f"reader {reader.pk}: {why_not_mail(reader) or 'may get digests'}")
            for one in audit.decisions_on(reader, DECISIONS_SHOWN):
                self.stdout.write(f"  {accounts.moment(one.at)} {one.who}: {one.words}")

    def _find(self, beginning: str) -> None:
        if not HASH.fullmatch(beginning):
            raise CommandError("Write 12 to 64 hexadecimal digits.")
        with tqdm(unit=" readers", disable=None) as bar:
            reader = by_hash(beginning, lambda asked: bar.update(asked - bar.n))
        if reader is None:
            raise CommandError("No reader's address has this hash.")
        self._show(reader)

    def _export(self, reader: Subscriber, file: Path | None) -> None:
        audit.record(audit.command_line(), reader, EXPORTED, reason(""))
        known = json.dumps(all_about(reader), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False)
        if file is None:
            self.stdout.write(known)
            return
        with private_file(file) as out:
            out.write(known)
        self.stdout.write(f"All about reader {reader.pk} is in {file}.")

    def _act(self, name: str, deed: Deed, people: list[Subscriber], **options: Any) -> None:
        """One after the other, each with its record: what was done stays when the next one fails."""
        because(options["because"])
        if deed.is_final and not options["dry_run"]:
            confirm(options["typed"], f"{name} {len(people)}")
        user, changed = audit.command_line(), 0
        for reader in tqdm(people, unit=" readers", disable=None):
            changed += self._one(deed, reader, user, **options)
        self.stdout.write(f"{deed.words}: {changed:,} of {len(people):,} readers changed.")
        if options["dry_run"]:
            self.stdout.write(DRY)

    def _one(self, deed: Deed, reader: Subscriber, user: User, **options: Any) -> bool:
        was = reader.get_status_display()
        with for_good(options["dry_run"]):
            is_done = carry_out(deed, reader, timezone.now(), user, reason(options["because"]))
        if not is_done:
            self.stdout.write(f"reader {reader.pk}, {was}: nothing was changed.")
        return is_done


def because(words: str) -> None:
    try:
        reason_of(words)
    except ValidationError as error:
        raise CommandError(error.messages[0]) from None


def lines() -> list[str]:
    """The standard input's, without empty ones."""
    return [line.strip() for line in sys.stdin if line.strip()]


def readers(sought: Iterable[str]) -> list[Subscriber]:
    """All of them, or none: raises CommandError that says which line names nobody, without repeating an address."""
    people = []
    for number, words in enumerate(sought, start=1):
        try:
            matches = found(words)[0]
        except ValidationError as error:
            raise CommandError(f"No. {number}: {error.messages[0]} Nothing was changed.") from None
        if not matches:
            raise CommandError(f"No. {number} is a hash: `reader find` finds whose. Nothing was changed.")
        those = [one for one in matches if one.is_whole] or matches
        if len({one.reader.pk for one in those}) > 1:
            ids = "; ".join(one.by for one in those)
            raise CommandError(f"No. {number} matches several ids: {ids}. Nothing was changed.")
        people.append(those[0].reader)
    if not people:
        raise CommandError("Nobody was named.")
    return people
