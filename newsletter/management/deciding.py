"""What the commands that decide something have in common: options, a dry run, a typed confirmation, a record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from newsletter import audit
from subscribers.management.caller import caller

DRY = "A dry run, which changes nothing. What would be said:"
OPTIONS: dict[str, dict[str, Any]] = {
    "--because": {"default": "", "metavar": "WHY", "help": "for the audit log"},
    "--dry-run": {"action": "store_true", "help": "say what would be done, and do nothing"},
    "--yes-i-mean": {"dest": "typed", "help": "what would be asked for"},
}


class Deciding(BaseCommand):
    """A command of several parts, each of which sets as `act` what does it."""

    def handle(self, *_: Any, act: Callable[..., None], **options: Any) -> None:
        """What the domain says of wrong words is said here: it raises ValidationError, as it does on the pages."""
        if options.get("dry_run"):
            self.stdout.write(DRY)
        try:
            act(at=timezone.now(), **options)
        except ValidationError as error:
            raise CommandError(error.messages[0]) from None


def add_option(name: str, *commands: CommandParser, **instead: Any) -> None:
    """Lets these commands take one of `OPTIONS`, with what is to be otherwise."""
    for command in commands:
        command.add_argument(name, **OPTIONS[name] | instead)


@contextmanager
def for_good(is_dry: bool) -> Iterator[None]:
    """Keeps what the block does; a dry run does it too, and takes it back at the end."""
    with transaction.atomic():
        yield
        if is_dry:
            transaction.set_rollback(True)


def confirm(typed: str | None, phrase: str) -> None:
    """Asks for the phrase where it was not handed in; raises CommandError for any other."""
    if typed is None:
        try:
            typed = input(f"Type “{phrase}” to confirm: ")
        except EOFError:
            raise CommandError(f"There is no terminal to ask at: pass --yes-i-mean “{phrase}”.") from None
    if typed.strip() != phrase:
        raise CommandError(f"“{typed}” is not “{phrase}”: nothing was changed.")


def reason(because: str) -> str:
    """Why, and who ran the command, as the audit log keeps it. Raises ValidationError for an address."""
    audit.check_why(because)
    return "; ".join(filter(None, [because, caller()]))
