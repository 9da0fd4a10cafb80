"""Sign-up requests that are held, and attack mode: what the admin does under Sign-up requests and Attacks."""

import sys
from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db.models import Count, QuerySet
from django.utils import timezone
from tqdm import tqdm

from newsletter import audit
from newsletter.desk.needs import MOST_HELD, held
from newsletter.management.accounts import moment
from newsletter.management.deciding import DRY, add_option, confirm, for_good, reason
from subscribers.models import Attack, SubscriptionRequest

CHUNK = 500
Requests = QuerySet[SubscriptionRequest]
RULES: dict[str, Callable[[Any, datetime], int]] = {
    "release": lambda rows, at: rows.release(at),
    "discard": lambda rows, at: rows.delete()[0],  # noqa: ARG005 - as the other
}


class Command(BaseCommand):
    help = "Shows sign-up requests that are held, releases or discards them, and turns attack mode on or off."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("show", help="attack mode, and what is held")
        release = commands.add_parser("release", help="carry held requests out now, whatever the limits")
        discard = commands.add_parser("discard", help="forget held requests")
        for command in (release, discard):
            command.add_argument("addresses", nargs="*", help="lines of the standard input, if none is given")
            command.add_argument("--all", action="store_true", help="all that are held")
        add_option("--because", release, discard, help="for the audit log: no address")
        add_option("--yes-i-mean", discard, help="what would be asked for: such as “discard 12”")
        attack = commands.add_parser("attack", help="turn attack mode on; it then ends by hand")
        attack.add_argument("because", metavar="why", help="without any address")
        calm = commands.add_parser("calm", help="turn attack mode off")
        add_option("--because", calm)
        add_option("--dry-run", release, discard, attack, calm)

    def handle(self, *_: Any, command: str, **options: Any) -> None:
        now = timezone.now()
        if command == "show":
            self._show()
        elif command in RULES:
            self._decide(command, now, **options)
        else:
            with for_good(options["dry_run"]):
                (self._attack if command == "attack" else self._calm)(options["because"], now)
            if options["dry_run"]:
                self.stdout.write(DRY)

    def _show(self) -> None:
        for attack in Attack.objects.on():
            self.stdout.write(f"Sign-up is under attack since {moment(attack.began_at)}: {attack.reason}")
        number = held()
        self.stdout.write(f"Held: {number:,}{' or more' if number == MOST_HELD else ''}")
        reasons = SubscriptionRequest.objects.held().order_by().values_list("reason").annotate(Count("pk"))
        for why, count in reasons if number < MOST_HELD else ():
            self.stdout.write(f"  {count:>6,} {SubscriptionRequest.Reason(why).label}")

    def _decide(self, command: str, at: datetime, **options: Any) -> None:
        """In chunks, each with its record in one transaction; only what is held when it begins."""
        rows = SubscriptionRequest.objects.held()
        if not options["all"]:
            addresses = options["addresses"] or [line.strip() for line in sys.stdin if line.strip()]
            rows = rows.filter(email__in=[address.lower() for address in addresses])
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        if command == "discard" and not options["dry_run"]:
            confirm(options["typed"], f"discard {len(keys)}")
        changed = 0
        with tqdm(total=len(keys), unit=" requests", disable=None) as bar:
            for start in range(0, len(keys), CHUNK):
                some = keys[start : start + CHUNK]
                with for_good(options["dry_run"]):
                    changed += self._some(command, some, at, options["because"])
                bar.update(len(some))
        self.stdout.write(f"{changed:,} of {len(keys):,} requests: {command}.")
        if options["dry_run"]:
            self.stdout.write(DRY)

    def _some(self, command: str, keys: list[int], at: datetime, why: str) -> int:
        rows = SubscriptionRequest.objects.held().filter(pk__in=keys)
        audit.note(reason(why), list(rows), command, {})
        return RULES[command](rows, at)

    def _attack(self, why: str, at: datetime) -> None:
        if not why.strip():
            raise CommandError("Say why, without any address.")
        if not Attack.objects.begin(why.strip()[:300], at, by_hand=True):
            raise CommandError("Attack mode is on already.")
        attack = Attack.objects.on().get()
        attack.tell(at)  # the operators know of it: one of them did it
        audit.record(audit.command_line(), attack, "begin", reason(""))
        self.stdout.write("Attack mode is on, until somebody ends it.")

    def _calm(self, why: str, at: datetime) -> None:
        attack = Attack.objects.on().first()
        if attack is None or not attack.end(at, by_hand=True):
            raise CommandError("Attack mode is off.")
        audit.record(audit.command_line(), attack, "end", reason(why))
        self.stdout.write("Attack mode is off.")
