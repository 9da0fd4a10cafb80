"""Hugging Face's daily papers: what its readers submitted and voted for, by day, week, month or trend.

The rate limit is not published, so one request a second is all we ask for. The outer `publishedAt` is neither
the paper's date nor the listing's: `paper.submittedOnDailyAt` is the day, and where that is missing (before
17 March 2025) it is the day that was asked for. Counts move, so every answer is a reading.
"""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any
from urllib.parse import urlencode

from papers.records import ListingRecord, PaperRecord
from papers.sources import fetching
from papers.sources.pace import Pace
from papers.sources.shapes import (
    Ask,
    Parsed,
    Reader,
    SourceError,
    Wish,
    from_json,
    is_possible,
    moment,
    plain,
    reading_of,
    text_of,
)

SOURCE = "hugging-face"
PACE = Pace("hugging-face")
PAGE = 100  # papers an answer, at most
MAX_PAGES = 10
FIRST_DAY = date(2023, 5, 4)  # before the first list of daily papers
VIEWS = ("day", "week", "month", "trending")


def asks(wish: Wish) -> list[Ask]:
    """One request a day (week, month) from `since` to `until`; today's list and what is due to be read again else.

    Raises SourceError where the days wished for are none.
    """
    if wish.view == "trending":
        return [_ask(wish.base, {"sort": "trending"}, None, fresh=True)]
    until = min(wish.until or wish.today, wish.today)
    since = max(wish.since or until, FIRST_DAY)
    if since > until:
        raise SourceError("There are no daily papers of these days.")
    days = [date.fromordinal(number) for number in range(since.toordinal(), until.toordinal() + 1)]
    if wish.view in {"week", "month"}:
        periods = dict.fromkeys(_period(day, wish.view) for day in days)
        return [_ask(wish.base, {wish.view: period}, None, fresh=True) for period in periods]
    # A day without a name is today's or one that is being fetched by hand; a due one must bring its counts.
    plain_days = [day for day in days if day not in wish.reread]
    again = [_ask(wish.base, {"date": day.isoformat()}, day, fresh=True) for day in wish.reread]
    return [_ask(wish.base, {"date": day.isoformat()}, day) for day in plain_days] + again


def download(ask: Ask, validators: fetching.Validators | None = None) -> fetching.Answer:
    """One answer. Raises SourceError."""
    return fetching.fetch(ask.url, PACE, validators)


def parse(content: bytes, ask: Ask, at: datetime) -> Parsed:
    """The papers of one answer, read at `at`. Raises SourceError, and nothing else."""
    rows = from_json(content)
    if not isinstance(rows, list):
        raise SourceError("Hugging Face must answer with a list of papers.")
    reader = Reader()
    place = _offset(ask)
    for number, row in enumerate(rows[:PAGE], start=1):
        place += 1
        try:
            reader.records.append(_record(row, ask, at, place, reader))
        except ValueError as error:
            reader.skip(f"paper {number}", error)
    if len(rows) > PAGE:
        reader.skip("the rest", f"more than {PAGE} papers in one answer")
    following = _page(ask) + 1
    if len(rows) < PAGE or following >= MAX_PAGES:
        return reader.parsed()
    return reader.parsed(Ask(f"{ask.url.split('&p=')[0]}&p={following}", ask.day, fresh=ask.fresh))


def _record(row: object, ask: Ask, at: datetime, place: int, reader: Reader) -> PaperRecord:
    if not isinstance(row, Mapping) or not isinstance(row.get("paper"), Mapping):
        raise ValueError("it is no paper")
    paper: Mapping[str, Any] = row["paper"]
    stated = text_of(paper, "submittedOnDailyAt")
    listed = moment(stated, at.date())
    day = listed.date() if listed and is_possible(listed.date(), at.date(), FIRST_DAY) else ask.day
    if stated and (listed is None or day != listed.date()):
        reader.skip(f"the day of {text_of(paper, 'id')}", f"{plain(stated)} is no day for a listing")
    authors = paper.get("authors")
    names = [text_of(one, "name") for one in authors if isinstance(one, Mapping)] if isinstance(authors, list) else []
    return PaperRecord.from_source(
        title=text_of(paper, "title") or text_of(row, "title"),
        abstract=text_of(paper, "summary") or text_of(row, "summary"),
        authors=names,
        arxiv_id=text_of(paper, "id"),
        url="",
        code_url=text_of(paper, "githubRepo"),
        published_at=moment(text_of(paper, "publishedAt"), at.date()),
        # Only a day's own list has an order that is a place on a page.
        listing=ListingRecord(SOURCE, day, place if ask.day == day else None) if day else None,
        reading=reading_of(at, paper.get("upvotes"), row.get("numComments"), paper.get("githubStars")),
    )


def _ask(base: str, options: dict[str, str], day: date | None, *, fresh: bool = False) -> Ask:
    return Ask(f"{base}?{urlencode({**options, 'limit': PAGE})}", day, fresh)


def _page(ask: Ask) -> int:
    number = ask.url.partition("&p=")[2]
    return int(number) if number.isascii() and number.isdigit() else 0


def _offset(ask: Ask) -> int:
    return _page(ask) * PAGE


def _period(day: date, view: str) -> str:
    year, week, _ = day.isocalendar()
    return f"{year}-W{week:02}" if view == "week" else f"{day:%Y-%m}"
