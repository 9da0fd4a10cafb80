"""What the commands that decide something have in common: options, a dry run, a typed confirmation, a record."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction
from django.utils import timezone

from newsletter import audit
from newsletter.desk.deeds import ADDRESS_IN_WHY
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
        if options.get("dry_run"):
            self.stdout.write(DRY)
        act(at=timezone.now(), **options)


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
    """Why, and who ran the command, as the audit log keeps it. Raises CommandError for an address."""
    check_words(because)
    return "; ".join(filter(None, [because, caller()]))


def check_words(words: str) -> None:
    """Raises CommandError where an address is in them: many read them."""
    if audit.ADDRESS.search(words):
        raise CommandError(ADDRESS_IN_WHY)
