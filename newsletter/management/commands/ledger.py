"""Look at the ledger of delivery, check it, and decide what only a person can."""

from argparse import ArgumentTypeError
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from tqdm import tqdm

from newsletter import audit
from newsletter.delivery import decisions, installation, invariants
from newsletter.delivery.decisions import Digests, Verdict
from newsletter.desk.finding import uid_in
from newsletter.management import accounts
from newsletter.management.deciding import add_option, confirm
from newsletter.management.naming import EDITION, edition_named, lines, reader_at
from newsletter.models import Digest, Edition
from subscribers.management.caller import caller

SEND_FROM_HERE = "send from here"
LONGEST = 24 * 366  # hours of a new expiry
HINT = "; --expire-in HOURS gives time"


class Command(BaseCommand):
    help = "Shows and checks the ledger of delivery, and carries out what an operator decides about its digests."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        check = commands.add_parser("check", help="check all invariants; exit code 1 where one is broken")
        check.add_argument("--most", type=whole(10_000), default=20, help="rows to name for each (20)")
        check.set_defaults(act=self._check)
        show = commands.add_parser("show", help="what stands in it")
        show.add_argument("what", help=f"{EDITION}; a reader's address; a digest's uid")
        show.add_argument("--in-doubt", action="store_true", help="of an edition: the uids in doubt, one a line")
        show.set_defaults(act=self._show)
        retry = commands.add_parser("retry-failed", help="plan again what surely was not sent")
        retry.add_argument("edition", help=EDITION)
        retry.set_defaults(act=self._retry_failed)
        resolve = commands.add_parser("resolve", help="say what became of digests in doubt")
        resolve.add_argument("what", help=f"{EDITION}; a digest's uid; - for uids in the standard input, one a line")
        resolve.add_argument("--as", dest="verdict", required=True, choices=Verdict.values, help="what became of them")
        add_option("--yes-i-mean", resolve, help="what would be asked for: such as “12 not-sent”")
        resolve.set_defaults(act=self._resolve)
        adopt = commands.add_parser("adopt", help="this database is no copy: let mail go out from it")
        add_option("--yes-i-mean", adopt, help=f"what would be asked for: “{SEND_FROM_HERE}”")
        adopt.set_defaults(act=self._adopt)
        for decision in (retry, resolve):
            decision.add_argument("--expire-in", type=whole(LONGEST), metavar="HOURS", help="also what has expired")
        add_option("--dry-run", retry, resolve, adopt)

    def handle(self, *_: Any, act: Callable[..., None], **options: Any) -> None:
        act(at=timezone.now(), **options)

    def _check(self, at: datetime, most: int, **_: Any) -> None:
        rules = list(invariants.rules(at))
        broken = list(invariants.broken(tqdm(rules, unit=" rules", disable=None), most))
        for rule, names, more in broken:
            self.stdout.write(f"BROKEN: {rule.claim}")
            self.stdout.write("".join(f"  {name}\n" for name in names) + ("  and more\n" if more else ""), ending="")
        if broken:
            raise CommandError(f"{len(broken)} of {len(rules)} rules are broken.")
        self.stdout.write(f"All {len(rules)} rules hold.")

    def _show(self, what: str, in_doubt: bool, **_: Any) -> None:
        if in_doubt:
            doubts = decisions.in_doubt(edition_named(what).digests.all()).order_by("pk").values_list("uid", flat=True)
            told: Iterable[str] = map(str, doubts.iterator())
        elif (uid := uid_in(what)) is not None:
            told = accounts.of_digest(one(uid))
        elif "@" in what:
            told = accounts.of_reader(reader_at(what))
        elif ":" in what:
            told = accounts.of_edition(edition_named(what))
        else:
            raise CommandError(f"“{what}” is none of these: {EDITION}; a reader's address; a digest's uid.")
        for line in told:
            self.stdout.write(line)

    def _retry_failed(self, at: datetime, expire_in: int | None, dry_run: bool, **options: Any) -> None:
        edition = edition_named(options["edition"])
        failed = decisions.failed(edition.digests.all())
        until = at + timedelta(hours=expire_in) if expire_in else None
        number = failed.count()
        if dry_run:
            left = decisions.left_alone(failed, at, until)
            would = f"{number - left.told - left.late} would be planned again.{left.words(HINT)}{waits(edition)}"
            self.stdout.write(f"{would} Nothing was changed.")
            return
        with tqdm(total=number, unit=" digests", disable=None) as bar:
            record = on_record("retry failed")
            changed = decisions.retry_failed(failed, at, until, record=record, follow=bar.update)
        left = decisions.left_alone(failed, at, until)
        self.stdout.write(f"{changed} are planned again.{left.words(HINT)}{waits(edition)}")

    def _adopt(self, at: datetime, typed: str | None, dry_run: bool, **_: Any) -> None:
        if settings.DATABASE_IS_RESTORED:
            raise CommandError("DATABASE_IS_RESTORED is set: unset it first.")
        due = Digest.objects.claimable(at).order_by().count()
        self.stdout.write(f"{due} digests would go out at once; cancel their editions first, if they went out before.")
        if not dry_run:
            confirm(typed, SEND_FROM_HERE)
            installation.adopt(at, caller())
            self.stdout.write("Mail goes out from this database.")

    def _resolve(self, at: datetime, **options: Any) -> None:
        verdict, hours = Verdict(options["verdict"]), options["expire_in"]
        rows = named(options["what"])
        number = decisions.in_doubt(rows).count()
        phrase = f"{number} {verdict.value}"
        until = at + timedelta(hours=hours) if hours else None
        editions = Edition.objects.filter(pk__in=rows.order_by().values("edition")).order_by("pk")
        stopped = "" if verdict is Verdict.ACCEPTED else "".join(map(waits, editions))
        if options["dry_run"] or not (number or options["typed"]):
            left = decisions.left_in_doubt(rows, verdict, at, until).words(HINT) + stopped
            ask = f" To be typed: “{phrase}”." if number else ""
            self.stdout.write(f"In doubt: {number}.{left}{ask} Nothing was changed.")
            return
        if not number:
            raise CommandError("None of these is in doubt (any more): nothing was changed.")
        confirm(options["typed"], phrase)
        with tqdm(total=number, unit=" digests", disable=None) as bar:
            record = on_record(f"resolve as {verdict.value}")
            changed = decisions.resolve(rows, verdict, at, until, record=record, follow=bar.update)
        left = decisions.left_in_doubt(rows, verdict, at, until).words(HINT) + stopped
        self.stdout.write(f"{changed} settled: {verdict.label}.{left}")


def named(what: str) -> Digests:
    """The digests of an edition, one by its uid, or those whose uids stand in the standard input."""
    if what == "-":
        uids = {number: uid_in(line) for number, line in enumerate(lines(), start=1)}
        if bad := [number for number, uid in uids.items() if uid is None]:
            raise CommandError(f"Line {bad[0]} is no uid. Nothing was changed.")
        rows = Digest.objects.filter(uid__in=set(uids.values()))
        if missing := len(set(uids.values())) - rows.count():
            raise CommandError(f"Of {missing} of these uids there is no digest. Nothing was changed.")
        return rows
    if uid := uid_in(what):
        return Digest.objects.filter(pk=one(uid).pk)
    return edition_named(what).digests.all()


def whole(most: int) -> Callable[[str], int]:
    """Reads a whole number from 1 to `most`."""

    def number(words: str) -> int:
        if not (words.isascii() and words.isdigit() and 1 <= int(words[:9]) <= most):
            raise ArgumentTypeError(f"{words!r} is no whole number from 1 to {most}")
        return int(words)

    return number


def on_record(action: str) -> decisions.Record:
    """Writes each digest that was changed into the admin's audit log."""
    who = caller()

    def record(digests: list[Digest], before: str, after: str) -> None:
        audit.note(who, digests, action, {"status": [before, after]})

    return record


def waits(edition: Edition) -> str:
    """What keeps the planned ones of an edition from going out, as a sentence to follow another."""
    return "" if edition.status == Edition.Status.OPEN else f" {edition}: {edition.state}."


def one(uid: UUID) -> Digest:
    digest = Digest.objects.select_related("edition").filter(uid=uid).first()
    if digest is None:
        raise CommandError(f"There is no digest {uid}.")
    return digest
