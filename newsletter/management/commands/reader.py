"""Find a reader and do what they wish: what the admin's page of a reader does, for one or for many."""

import json
from collections.abc import Iterable
from contextlib import nullcontext
from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management.base import CommandError, CommandParser
from django.core.serializers.json import DjangoJSONEncoder
from django.utils import timezone
from tqdm import tqdm

from newsletter import audit
from newsletter.desk.deeds import DEEDS, Deed, carry_out
from newsletter.desk.finding import HASH, by_hash, found
from newsletter.desk.reader import DECISIONS_SHOWN, EXPORTED, all_about
from newsletter.management import accounts
from newsletter.management.deciding import Deciding, add_option, confirm, for_good, reason
from newsletter.management.naming import lines
from subscribers.gate import why_not_mail
from subscribers.management.caller import private_file
from subscribers.models import Subscriber
from subscribers.suppressing import reason_of

WHO = "an address, or the id of a reader, digest or letter, of which 8 letters are enough"


class Command(Deciding):
    help = "Shows a reader, and does what readers wish; addresses are arguments, or lines of the standard input."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        show = commands.add_parser("show", help="how they stand, and what was sent")
        show.add_argument("who", nargs="?", help=WHO)
        show.set_defaults(act=self._show)
        find = commands.add_parser("find", help="whose address has this hash: searches all readers")
        find.add_argument("beginning", metavar="hash", type=str.lower, help="its beginning, 12 digits at least")
        find.set_defaults(act=self._find)
        export = commands.add_parser("export", help="all that is stored about them, as JSON")
        export.add_argument("who", help=WHO)
        export.add_argument("file", type=Path, nargs="?")
        export.set_defaults(act=self._export)
        for name, deed in DEEDS.items():
            command = commands.add_parser(name, help=deed.words.lower())
            command.add_argument("who", nargs="*", help=f"{WHO}; lines of the standard input, if none is given")
            command.set_defaults(act=self._carry_out, deed=deed)
            add_option("--because", command, required=True, help="for the audit log: no address")
            add_option("--dry-run", command)
            if deed.is_final:
                add_option("--yes-i-mean", command, help="what would be asked for: such as “erase 3”")

    def _show(self, who: str | None, **_: Any) -> None:
        for reader in readers([who] if who else lines()):
            self._tell(reader)

    def _tell(self, reader: Subscriber) -> None:
        for line in accounts.of_reader(reader):
            self.stdout.write(line)
        self.stdout.write(f"reader {reader.pk}: {why_not_mail(reader) or 'may get digests'}")
        for one in audit.decisions_on(reader, DECISIONS_SHOWN):
            self.stdout.write(f"  {accounts.moment(one.at)} {one.who}: {one.words}")

    def _find(self, beginning: str, **_: Any) -> None:
        if not HASH.fullmatch(beginning):
            raise CommandError("Write 12 to 64 hexadecimal digits.")
        with tqdm(unit=" readers", disable=None) as bar:
            reader = by_hash(beginning, lambda asked: bar.update(asked - bar.n))
        if reader is None:
            raise CommandError("No reader's address has this hash.")
        self._tell(reader)

    def _export(self, who: str, file: Path | None, **_: Any) -> None:
        [reader] = readers([who])
        with private_file(file) if file else nullcontext(self.stdout) as out:
            audit.record(audit.command_line(), reader, EXPORTED, reason(""))
            out.write(json.dumps(all_about(reader), cls=DjangoJSONEncoder, indent=2, ensure_ascii=False))
        if file:
            self.stdout.write(f"All about reader {reader.pk} is in {file}.")

    def _carry_out(self, command: str, deed: Deed, who: list[str], **options: Any) -> None:
        """For one after the other, each with its record: what was done stays when the next one fails."""
        people = readers(who or lines())
        reason_of(options["because"])  # before anything is typed
        if deed.is_final and not options["dry_run"]:
            confirm(options["typed"], f"{command} {len(people)}")
        user, changed = audit.command_line(), 0
        for reader in tqdm(people, unit=" readers", disable=None):
            changed += self._one(deed, reader, user, **options)
        self.stdout.write(f"{deed.words}: {changed:,} of {len(people):,} readers changed.")

    def _one(self, deed: Deed, reader: Subscriber, user: User, **options: Any) -> bool:
        was = reader.get_status_display()
        with for_good(options["dry_run"]):
            is_done = carry_out(deed, reader, timezone.now(), user, reason(options["because"]))
        if not is_done:
            self.stdout.write(f"reader {reader.pk}, {was}: nothing was changed.")
        return is_done


def fault(number: int, words: str) -> CommandError:
    """About one of several, by its place; 0 where it is the only one."""
    return CommandError(f"No. {number}: {words} Nothing was changed." if number else words)


def readers(sought: Iterable[str]) -> list[Subscriber]:
    """All of them, or none: raises CommandError that says which line names nobody, without repeating an address."""
    people, sought = [], list(sought)
    for number, words in enumerate(sought, start=1):
        named = partial(fault, number if len(sought) > 1 else 0)
        try:
            matches = found(words)[0]
        except ValidationError as error:
            raise named(error.messages[0]) from None
        if not matches:
            raise named("It is a hash: `reader find` finds whose.")
        those = [one for one in matches if one.is_whole] or matches
        if len({one.reader.pk for one in those}) > 1:
            ids = "; ".join(one.by for one in those)
            raise named(f"It matches several ids: {ids}.")
        people.append(those[0].reader)
    if not people:
        raise CommandError("Nobody was named.")
    return people
