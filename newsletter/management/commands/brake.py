"""Stop all mail and let it go again, end the hold of a domain: what the admin does under Brakes and Held domains."""

from collections.abc import Callable
from typing import Any

from django.core.management.base import CommandError, CommandParser
from django.utils import timezone

from newsletter import audit
from newsletter.delivery.feedback import bounces
from newsletter.management.accounts import moment
from newsletter.management.deciding import Deciding, add_option, for_good, reason
from newsletter.models import Brake
from subscribers.models import HeldDomain


class Command(Deciding):
    help = "Shows what stops mail; stops all of it, lets it go again, and ends the hold of a recipient domain."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        commands.add_parser("show", help="what stops mail now").set_defaults(act=self._show)
        pull = commands.add_parser("pull", help="stop all mail")
        pull.add_argument("because", metavar="why", help="said in the admin to everybody")
        pull.set_defaults(act=self._decide, do=self._pull)
        release = commands.add_parser(
            "release", help="let all mail go again; for a database that is no copy: ledger adopt"
        )
        release.set_defaults(act=self._decide, do=self._release)
        free = commands.add_parser("free", help="end the hold of a domain")
        free.add_argument("domain")
        free.set_defaults(act=self._decide, do=self._free)
        add_option("--because", release, free)
        add_option("--dry-run", pull, release, free)

    def _decide(self, do: Callable[..., None], dry_run: bool, **options: Any) -> None:
        with for_good(dry_run):
            do(**options)

    def _show(self, **_: Any) -> None:
        if not Brake.objects.engaged().exists():
            self.stdout.write("No brake is pulled: mail goes out.")
        for brake in Brake.objects.engaged():
            who = "".join(f" ({one.who})" for one in audit.decisions_on(brake, 1))
            self.stdout.write(f"All mail is stopped since {moment(brake.pulled_at)}: {brake}{who}")
        for held in HeldDomain.objects.all().iterator():
            self.stdout.write(f"{held.domain} is held until {moment(held.until)}: {held.reason}")

    def _pull(self, because: str, **_: Any) -> None:
        if not because.strip():
            raise CommandError("Say why, for whoever asks later.")
        audit.check_why(because)
        if Brake.objects.engaged().filter(cause=Brake.Cause.OTHER).exists():
            raise CommandError("All mail is stopped already.")
        Brake.objects.pull(because.strip(), by_hand=True)
        audit.record(audit.command_line(), Brake.objects.engaged().latest("pk"), "pull", reason(""))
        self.stdout.write("All mail is stopped.")

    def _release(self, because: str, **_: Any) -> None:
        engaged = list(Brake.objects.engaged())
        if not engaged:
            raise CommandError("No brake is pulled: mail goes out.")
        if not Brake.objects.release(timezone.now()):
            raise CommandError("Only `ledger adopt` releases this brake.")
        for brake in engaged:
            before = audit.snapshot(brake)
            brake.refresh_from_db()
            if brake.released_at:
                audit.record(audit.command_line(), brake, "release", reason(because), before)
        self.stdout.write(
            "Mail goes out again." if not Brake.objects.engaged().exists() else "Another brake is engaged."
        )

    def _free(self, domain: str, because: str, **_: Any) -> None:
        domain = domain.strip().lower()
        rows = HeldDomain.objects.filter(domain=domain)
        held = rows.first()
        if held is None:
            raise CommandError(f"{domain} is not held.")
        audit.record(audit.command_line(), held, "free", reason(because))
        bounces.free(rows)
        self.stdout.write(f"{domain} is mailed again.")
