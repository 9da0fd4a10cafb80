"""A run of a source: ask, read, store, answer by answer, and record how it went.

What an answer brought is stored before the next is asked for, so a run that fails half-way keeps its first half,
and a back-fill goes on where it stopped. Whatever a source does is recorded in its row and stops no other.
"""

import logging
from collections.abc import Callable, Iterable
from contextlib import nullcontext
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from itertools import islice
from types import ModuleType
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from papers import readings, similar, topics, trends
from papers.matching import UpsertResult
from papers.models import Paper
from papers.records import PaperRecord
from papers.sources import arxiv_api, arxiv_feed, arxiv_oai, hugging_face
from papers.sources.fetching import UnavailableError
from papers.sources.models import REMEMBERED, REPORT_LINES, Source
from papers.sources.pace import NoTurnError
from papers.sources.shapes import Ask, Parsed, Skipped, SourceError, Wish, plain

log = logging.getLogger(__name__)

MODULES: dict[str, ModuleType] = {
    Source.Kind.HUGGING_FACE: hugging_face,
    Source.Kind.ARXIV_FEED: arxiv_feed,
    Source.Kind.ARXIV_API: arxiv_api,
    Source.Kind.ARXIV_OAI: arxiv_oai,
}
# A task leaves the rest to the next run: a worker is not to be held for hours by one back-fill.
ASKS_A_TASK = 25
# What never ends is broken: arXiv has 3 million papers, a thousand an answer.
ASKS_AT_MOST = 10_000
STORED_AT_ONCE = 200  # records a transaction, with their topics and trends
IDS_A_RUN = 400
# How long papers without categories are asked for, in turns.
IDS_FOR = timedelta(days=30)


@dataclass
class Run:
    """What a run did so far. `waiting` are the requests that remain, `unchanged` answers that brought nothing new."""

    result: UpsertResult = field(default_factory=UpsertResult)
    skipped: list[Skipped] = field(default_factory=list)
    waiting: list[Ask] = field(default_factory=list)
    asked: int = 0
    unchanged: int = 0
    errors: list[str] = field(default_factory=list)
    wait: timedelta | None = None


class BusyError(Exception):
    """Another worker is fetching this source, or it is not due."""


class LostError(Exception):
    """We took so long that another worker fetches this source now."""


def fetch(  # noqa: PLR0913 - what an operator can say at the command line
    source: Source,
    days: tuple[date | None, date | None] = (None, None),
    *,
    asked: bool = False,
    dry_run: bool = False,
    limit: int = ASKS_AT_MOST,
    watch: Callable[[Run], None] = lambda _: None,
) -> Run:
    """Fetch a source once, with `limit` requests at most; `asked` by a person, also when it is off or not due.

    `days` are the first and the last; without them the source goes on where it stopped. `watch` is called after
    each answer. A dry run stores nothing, not even how it went. Raises BusyError.
    """
    at = timezone.now()
    if not Source.objects.filter(pk=source.pk).claim(at, asked=asked):
        raise BusyError(f"{source} is being fetched already, or it is not due.")
    source.refresh_from_db()
    run = Run()
    try:
        Fetching(source, run, at, dry_run=dry_run, watch=watch).go(days, limit)
    except LostError:
        log.warning("%s was lost to another worker", source)
        run.errors.append("It took too long: another worker fetches this source now.")
        return run
    except SourceError as error:
        run.errors.append(plain(error))
        if isinstance(error, UnavailableError) and error.retry_after:
            run.wait = timedelta(seconds=error.retry_after)
    except Exception:
        # An operator who looks at the source must see our own faults too.
        log.exception("fetching %s failed", source)
        run.errors.append("A fault of this program stopped it: see the log.")
    finally:
        if dry_run:
            source.release()
    if not dry_run:
        _record(source, run)
    return run


def store(records: Iterable[PaperRecord], at: datetime) -> UpsertResult:
    """Store papers with their topics and trends; a paper is never seen without them."""
    result = UpsertResult()
    remaining = iter(records)
    while chunk := list(islice(remaining, STORED_AT_ONCE)):
        with transaction.atomic():
            stored = Paper.objects.upsert(chunk, at)
            papers = list(Paper.objects.filter(pk__in=stored.paper_ids))
            topics.assign(papers)
            trends.rank(papers)
            similar.index(paper for paper in papers if paper.pk in stored.new_ids | stored.updated_ids)
        result.add(stored)
    if result.changed_anything:
        trends.normalise()
    if result.new_ids and similar.is_outgrown():
        similar.learn(at)
    return result


class Fetching:
    """One run, from its wish to its last answer."""

    def __init__(
        self,
        source: Source,
        run: Run,
        at: datetime,
        *,
        dry_run: bool = False,
        watch: Callable[[Run], None] = lambda _: None,
    ) -> None:
        self.source, self.run, self.at = source, run, at
        self.dry_run, self.watch = dry_run, watch
        self.module = MODULES[source.kind]
        self.seen: set[str] = set()

    def go(self, days: tuple[date | None, date | None], limit: int) -> None:
        """Ask until nothing is left to be asked. Raises SourceError, LostError."""
        go_on = not any(days) and self.source.kind == Source.Kind.ARXIV_OAI
        if go_on and self.source.cursor.get("waiting"):
            self.run.waiting = asks_from(self.source.cursor["waiting"])
            cursor = self.source.cursor
        else:
            wish = _wish(self.source, self.at, *(_unfinished(self.source.cursor) if go_on else days))
            self.run.waiting = self.module.asks(wish)
            cursor = {**self.source.cursor, **_begun(wish)}
        while self.run.waiting and self.run.asked < limit:
            self.ask(self.run.waiting.pop(0))
            self._keep(cursor)
        if not self.run.waiting and not self.run.errors:
            self._keep(_ended(cursor, self.at))

    def ask(self, ask: Ask) -> None:
        """Ask, read, store. An answer that cannot be read is recorded, and the next is asked for.

        Raises UnavailableError, NoTurnError: then it is to be asked again.
        """
        try:
            known = {} if ask.fresh or self.dry_run else self.source.validators.get(ask.url, {})
            answer = self.module.download(ask, known)
            parsed = Parsed() if answer.content is None else self.module.parse(answer.content, ask, self.at)
        except (UnavailableError, NoTurnError):
            self.run.waiting.insert(0, ask)
            raise
        except SourceError as error:
            parsed = Parsed()
            self.run.errors.append(plain(error))
        else:
            self.run.unchanged += answer.content is None
            self._store(parsed)
            if answer.validators and not self.dry_run:
                kept = {**self.source.validators, ask.url: answer.validators}
                self.source.validators = dict(list(kept.items())[-REMEMBERED:])
        self.run.asked += 1
        self.seen.add(ask.url)
        if circle := [one.url for one in parsed.follow if one.url in self.seen]:
            self.run.errors.append(f"The source leads in circles: {plain(circle[0])}.")
        self.run.waiting[:0] = [one for one in parsed.follow if one.url not in self.seen]

    def _store(self, parsed: Parsed) -> None:
        with transaction.atomic() if self.dry_run else nullcontext():
            self.run.result.add(store(parsed.records, self.at))
            if self.dry_run:
                transaction.set_rollback(True)
        self.run.skipped += parsed.skipped

    def _keep(self, cursor: dict[str, Any]) -> None:
        """Write down how far we are: whoever continues begins here."""
        self.watch(self.run)
        if self.source.kind == Source.Kind.ARXIV_OAI:
            cursor = {**cursor, "waiting": asks_to(self.run.waiting)}
        kept = {} if self.dry_run else {"cursor": cursor, "validators": self.source.validators}
        if not self.source.renew(timezone.now(), **kept):
            raise LostError


def _wish(source: Source, at: datetime, since: date | None, until: date | None) -> Wish:
    ids: tuple[str, ...] = ()
    reread: tuple[date, ...] = ()
    if source.kind == Source.Kind.ARXIV_API and not (since or until):
        ids = _ids_without_categories(source, at)
    if source.kind == Source.Kind.HUGGING_FACE and source.view == Source.View.DAY and not (since or until):
        reread = readings.days_due(hugging_face.SOURCE, at.date())
    return Wish(
        base=settings.SOURCE_URLS[source.kind],
        today=at.date(),
        since=since,
        until=until,
        categories=tuple(source.categories),
        view=source.view,
        reread=reread,
        ids=ids,
    )


def _ids_without_categories(source: Source, at: datetime) -> tuple[str, ...]:
    """The next papers that other sources named without categories, in turns: some ids arXiv does not know."""
    papers = Paper.objects.filter(categories=[], arxiv_id__isnull=False, created_at__gte=at - IDS_FOR).order_by("pk")
    rows = list(papers.filter(pk__gt=source.cursor.get("row", 0)).values_list("pk", "arxiv_id")[:IDS_A_RUN])
    source.cursor = {"row": rows[-1][0]} if len(rows) == IDS_A_RUN else {}
    return tuple(arxiv_id for _, arxiv_id in rows if arxiv_id)


def _begun(wish: Wish) -> dict[str, str | None]:
    return {
        "since": wish.since.isoformat() if wish.since else None,
        "until": wish.until.isoformat() if wish.until else None,
    }


def _ended(cursor: dict[str, Any], at: datetime) -> dict[str, Any]:
    """All was fetched up to `done`, unless the run was about days of the past."""
    done = cursor.get("done") if cursor.get("until") else at.date().isoformat()
    return {**{key: value for key, value in cursor.items() if key == "row"}, "done": done}


def _unfinished(cursor: dict[str, Any]) -> tuple[date | None, date | None]:
    """The days of a run that did not end; else from the day before the last that did."""
    since, until, done = (
        date.fromisoformat(cursor[key]) if cursor.get(key) else None for key in ("since", "until", "done")
    )
    if since or until:
        return since, until
    return (done - timedelta(days=1) if done else None), None


def asks_of(source: Source, at: datetime, since: date, until: date) -> list[dict[str, Any]]:
    """What must be asked to have these days, as it is kept. Raises SourceError."""
    wish = _wish(source, at, since, until)
    view = Source.View.DAY if wish.view == Source.View.TRENDING else wish.view
    return asks_to(MODULES[source.kind].asks(replace(wish, view=view)))


def asks_to(asks: Iterable[Ask]) -> list[dict[str, Any]]:
    """Requests as a row keeps them."""
    return [
        {"url": ask.url, "day": ask.day and ask.day.isoformat(), "categories": list(ask.categories)} for ask in asks
    ]


def asks_from(kept: Iterable[dict[str, Any]]) -> list[Ask]:
    """And back."""
    return [
        Ask(
            one["url"],
            day=date.fromisoformat(one["day"]) if one.get("day") else None,
            fresh=True,
            categories=tuple(one["categories"]),
        )
        for one in kept
    ]


def _record(source: Source, run: Run) -> None:
    lines = [str(one) for one in run.skipped[:REPORT_LINES]]
    if len(run.skipped) > REPORT_LINES:
        lines.append(f"and {len(run.skipped) - REPORT_LINES} more")
    source.settle(
        timezone.now(),
        run.wait,
        last_error="\n".join(run.errors[:REPORT_LINES]),
        last_report="\n".join(lines),
        found=run.result.found,
        new=run.result.new,
        updated=run.result.updated,
        skipped=len(run.skipped),
    )
    if run.errors:
        log.warning("fetching %s: %s", source, run.errors[0])
    log.info("fetched %s: %d found, %d new, %d skipped", source, run.result.found, run.result.new, len(run.skipped))
