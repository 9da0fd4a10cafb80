"""Look at an edition, prepare it and decide about it: what the admin's pages of editions do."""

import sys
from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import CommandError, CommandParser
from django.db.models import Q
from django.utils import timezone

from newsletter import audit, editions
from newsletter.delivery.canaries import size_asked_for
from newsletter.desk import month, preflight, preview
from newsletter.desk.edition import EXPORTED, table
from newsletter.desk.standing import Standing
from newsletter.desk.turns import TURNS, Turn, carry_out, size_of
from newsletter.digest.notes import check_length
from newsletter.management import accounts
from newsletter.management.deciding import Deciding, add_option, confirm, for_good, reason
from newsletter.management.naming import EDITION, edition_named, kind_and_day
from newsletter.models import Edition, EditionPaper
from newsletter.numbers import is_number
from papers.models import Paper, Topic
from subscribers.management.caller import private_file

DECISIONS_SHOWN = 20
Choice = EditionPaper.Choice
# What can be decided about an edition's papers.
CHOICES = {
    "pin": (Choice.PINNED, "first in it"),
    "ban": (Choice.BANNED, "banned from all editions"),
    "free": (Choice.POOL, "left to its fit"),
}


class Command(Deciding):
    help = "Shows an edition, prepares it and decides about it."

    def add_arguments(self, parser: CommandParser) -> None:
        commands = parser.add_subparsers(dest="command", required=True)
        months = commands.add_parser("list", help="the editions of a month, past and coming")
        months.add_argument("--month", default="", help="such as 2026-11; this one, if not given")
        months.set_defaults(act=self._list)

        def about(name: str, what: str, **todo: Any) -> CommandParser:
            command: CommandParser = commands.add_parser(name, help=what)
            command.add_argument("edition", help=EDITION)
            command.set_defaults(**{"act": self._on} | todo)
            return command

        about("show", "its digests by state, and who decided what", do=self._show)
        export = about("export", "all its digests, as CSV without addresses", do=self._export)
        export.add_argument("file", type=Path, nargs="?")
        check = about("check", "look for what would go wrong", do=self._check)
        test_send = about("test-send", "mail a copy to an operator", do=self._test_send)
        for command in (check, test_send):
            command.add_argument("--topics", nargs="*", default=[], metavar="SLUG", help="as somebody new gets it")
            command.add_argument("--reader", default="", metavar="ADDRESS", help="as this reader gets it")
        test_send.add_argument("--to", required=True, metavar="NAME", help="whose account's own address gets it")
        decisions = [about("open", "open it ahead of its day, to prepare it", act=self._open)]
        for name, turn in TURNS.items():
            decisions.append(about(name, f"from then on it {turn.done}", do=self._turn, turn=turn))
            if turn.is_final:
                add_option("--yes-i-mean", decisions[-1])
        commands.choices["canary"].add_argument("--size", default="", help=f"how many ({size_asked_for()})")
        for name, (choice, words) in CHOICES.items():
            decisions.append(about(name, f"papers are {words}", do=self._choose, choice=choice, words=words))
            decisions[-1].add_argument("papers", nargs="+", help="arXiv ids, DOIs or our own numbers")
        decisions.append(about("note", "the editor's note above the papers", do=self._note))
        either = decisions[-1].add_mutually_exclusive_group()
        either.add_argument("text", nargs="?", help="read from the standard input, if not given")
        either.add_argument("--none", action="store_true", help="take the note away")
        add_option("--because", *decisions)
        add_option("--dry-run", *decisions, test_send)

    def _on(self, edition: str, do: Callable[..., None], **options: Any) -> None:
        do(edition_named(edition), **options)

    def _list(self, **options: Any) -> None:
        now = timezone.now()
        try:
            shown = month.month_of(options["month"], now)
        except ValueError as error:
            raise CommandError(str(error)) from None
        for line in accounts.stopped():
            self.stdout.write(line)
        for day in (day for week in month.weeks(shown, now) for day in week if day):
            for one in day.editions:
                name = f"{day.date}  {one.edition.kind}"
                self.stdout.write(f"{name}: {one.edition.state}, {one.accepted:,} of {one.planned:,}")
            for coming in day.coming:
                self.stdout.write(f"{day.date}  {coming.name.lower()}: coming, readers: {coming.readers:,}")

    def _open(self, **options: Any) -> None:
        kind, day = kind_and_day(options["edition"])
        with for_good(options["dry_run"]):
            edition, is_new = editions.open_ahead(kind, day, timezone.now())
            if is_new:
                audit.record(audit.command_line(), edition, month.OPENED, reason(options["because"]))
            papers = edition.pool.count()
        state = "is open" if is_new else "was open already"
        self.stdout.write(f"{edition} {state}, with {papers:,} papers in its pool.")

    def _show(self, edition: Edition, **_: Any) -> None:
        for line in accounts.of_edition(edition):
            self.stdout.write(line)
        for one in audit.decisions_on(edition, DECISIONS_SHOWN):
            values = "".join(f"; {name}: {before or '–'} → {after or '–'}" for name, before, after in one.values)
            self.stdout.write(f"  {accounts.moment(one.at)} {one.who}: {one.words}{values}")

    def _export(self, edition: Edition, file: Path | None, **_: Any) -> None:
        with private_file(file) if file else nullcontext(self.stdout) as out:
            audit.record(audit.command_line(), edition, EXPORTED, reason(""))
            out.writelines(table(edition))
        if file:
            self.stdout.write(f"The results of {edition} are in {file}.")

    def _check(self, edition: Edition, **options: Any) -> None:
        seen = preview_of(edition, **options)
        checks = preflight.checks(edition, seen.pool_size, seen.mail, timezone.now())
        for check in checks:
            self.stdout.write(f"{'fine' if check.is_fine else 'LOOK'}  {check.words}")
        if faults := sum(not check.is_fine for check in checks):
            raise CommandError(f"{faults} of {len(checks)} need attention.")

    def _test_send(self, edition: Edition, **options: Any) -> None:
        account = User.objects.filter(username=options["to"], is_active=True, is_staff=True).first()
        if account is None:
            raise CommandError(f"There is no operator {options['to']}.")
        mail = preview_of(edition, **options).mail
        if options["dry_run"]:
            fault = preview.why_no_test(account.email) or ("" if mail else "there is nothing to send.")
        else:
            fault = preview.send_copy(account, edition, mail, audit.command_line(), f"{reason('')}: ")
        if fault or mail is None:
            raise CommandError(f"No test mail was accepted: {fault}")
        self.stdout.write(f"“[Test] {mail.subject}” goes to {account.username}'s own address.")

    def _choose(self, edition: Edition, choice: Choice, words: str, **options: Any) -> None:
        papers = [paper_of(name) for name in options["papers"]]
        with for_good(options["dry_run"]):
            for paper in papers:
                EditionPaper.objects.decide(edition, paper, choice)
            numbers = ", ".join(str(paper.pk) for paper in papers)
            audit.record(audit.command_line(), edition, f"{options['command']} {numbers}", reason(options["because"]))
        for paper in papers:
            self.stdout.write(f"{paper}: {words}.")

    def _note(self, edition: Edition, **options: Any) -> None:
        text = "" if options["none"] else text_of(options["text"])
        before = audit.snapshot(edition)
        with for_good(options["dry_run"]):
            edition.revise()  # a note is for digests that are not planned yet
            edition.note = text
            edition.save(update_fields=["note"])
            audit.record(audit.command_line(), edition, "note", reason(options["because"]), before)
        self.stdout.write(f"The note of {edition}: {edition.note or 'none'}")

    def _turn(self, edition: Edition, turn: Turn, **options: Any) -> None:
        size = size_of(options.get("size", ""))
        if turn.is_final:
            waiting = Standing.now(edition).open
            self.stdout.write(f"Waiting now, and not to go: {waiting:,}. Whoever's hour is still to come gets none.")
            if not options["dry_run"]:
                confirm(options["typed"], str(edition))
        with for_good(options["dry_run"]):
            if not carry_out(turn, edition, audit.command_line(), reason(options["because"]), size):
                raise CommandError(turn.why_not(edition))
        self.stdout.write(f"{edition} {turn.done}.")


def text_of(words: str | None) -> str:
    """Of a note: from the standard input, where none is given. Raises ValidationError for one that is too long, and
    CommandError where there is none: as from cron, whose commands have nothing to read."""
    text = (sys.stdin.read() if words is None else words).strip()
    if not text:
        raise CommandError("There is no text: nothing was changed. --none takes a note away.")
    check_length(text)
    return text


def preview_of(edition: Edition, topics: list[str], reader: str, **_: Any) -> preview.Preview:
    """As the page of the preview shows it. Raises CommandError for an unknown topic or reader."""
    known = Topic.objects.filter(slug__in=topics).values_list("slug", flat=True)
    if missing := set(topics) - set(known):
        raise CommandError(f"There is no topic {', '.join(sorted(missing))}.")
    form = preview.ReaderForm({"address": reader, "topics": topics})
    if not form.is_valid():
        raise CommandError(" ".join(str(error) for errors in form.errors.values() for error in errors))
    return preview.preview_of(edition, form)


def paper_of(name: str) -> Paper:
    """By arXiv id, DOI or our own number. Raises CommandError where there is none."""
    own = Q(pk=name) if is_number(name) else Q()
    papers = Paper.objects.filter(Q(arxiv_id=name) | Q(doi=name.lower()) | own)[:2]
    if len(papers) != 1:
        raise CommandError(f"There is no paper {name}: write its arXiv id, its DOI or its number.")
    return papers[0]
