"""Sign-up requests that are held, and attack mode: what the admin does under Sign-up requests and Attacks."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.db.models import Count
from tqdm import tqdm

from newsletter import audit
from newsletter.desk.needs import MOST_HELD, held
from newsletter.management.accounts import moment
from newsletter.management.deciding import Deciding, add_option, confirm, for_good, reason
from newsletter.management.naming import lines
from subscribers.models import Attack, SubscriptionRequest

CHUNK = 500


class Command(Deciding):
    help = "Shows sign-up requests that are held, releases or discards them, and turns attack mode on or off."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("show", help="attack mode, and what is held").set_defaults(act=self._show)
        release = commands.add_parser("release", help="carry held requests out now, whatever the limits")
        release.set_defaults(act=self._decide, do=lambda rows, at: rows.release(at))
        discard = commands.add_parser("discard", help="forget held requests")
        discard.set_defaults(act=self._decide, do=lambda rows, _: rows.delete()[0])
        for command in (release, discard):
            command.add_argument("addresses", nargs="*", help="lines of the standard input, if none is given")
            command.add_argument("--all", action="store_true", help="all that are held")
        add_option("--because", release, discard, help="for the audit log: no address")
        add_option("--yes-i-mean", discard, help="what would be asked for: such as “discard 12”")
        attack = commands.add_parser("attack", help="turn attack mode on; it then ends by hand")
        attack.add_argument("because", metavar="why", help="without any address")
        attack.set_defaults(act=self._switch, do=self._attack)
        calm = commands.add_parser("calm", help="turn attack mode off")
        calm.set_defaults(act=self._switch, do=self._calm)
        add_option("--because", calm)
        add_option("--dry-run", release, discard, attack, calm)

    def _show(self, **_: Any) -> None:
        for attack in Attack.objects.on():
            self.stdout.write(f"Sign-up is under attack since {moment(attack.began_at)}: {attack.reason}")
        number = held()
        self.stdout.write(f"Held: {number:,}{' or more' if number == MOST_HELD else ''}")
        reasons = SubscriptionRequest.objects.held().order_by().values_list("reason").annotate(Count("pk"))
        for why, count in reasons if number < MOST_HELD else ():
            self.stdout.write(f"  {count:>6,} {SubscriptionRequest.Reason(why).label}")

    def _decide(self, command: str, do: Callable[..., int], at: datetime, **options: Any) -> None:
        """In chunks, each with its record in one transaction; only what is held when it begins."""
        rows = SubscriptionRequest.objects.held()
        if not options["all"]:
            addresses = options["addresses"] or lines()
            rows = rows.filter(email__in=[address.lower() for address in addresses])
        keys = list(rows.order_by("pk").values_list("pk", flat=True))
        if command == "discard" and not options["dry_run"]:
            confirm(options["typed"], f"discard {len(keys)}")
        changed = 0
        with tqdm(total=len(keys), unit=" requests", disable=None) as bar:
            for start in range(0, len(keys), CHUNK):
                some = keys[start : start + CHUNK]
                with for_good(options["dry_run"]):
                    rows = SubscriptionRequest.objects.held().filter(pk__in=some)
                    audit.note(reason(options["because"]), list(rows), command, {})
                    changed += do(rows, at)
                bar.update(len(some))
        self.stdout.write(f"{changed:,} of {len(keys):,} requests: {command}.")

    def _switch(self, do: Callable[[str, datetime], None], at: datetime, because: str, dry_run: bool, **_: Any) -> None:
        with for_good(dry_run):
            do(because, at)

    def _attack(self, why: str, at: datetime) -> None:
        if not why.strip():
            raise CommandError("Say why, without any address.")
        audit.check_why(why)
        if not Attack.objects.begin(why.strip()[:300], at, by_hand=True):
            raise CommandError("Attack mode is on already.")
        audit.record(audit.command_line(), Attack.objects.on().get(), "begin", reason(""))
        self.stdout.write("Attack mode is on, until somebody ends it.")

    def _calm(self, why: str, at: datetime) -> None:
        attack = Attack.objects.on().first()
        if attack is None or not attack.end(at, by_hand=True):
            raise CommandError("Attack mode is off.")
        audit.record(audit.command_line(), attack, "end", reason(why))
        self.stdout.write("Attack mode is off.")
