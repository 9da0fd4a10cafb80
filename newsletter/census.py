"""Counting, so that pages need not: readers every hour, the editions that go out at every tick.

A page reads the last rows. What is counted here is counted along an index, or once an hour.
"""

import zoneinfo
from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db.models import Count, Q

from newsletter.models import Census, Digest, Edition, Progress
from papers.models import Topic
from subscribers.models import Subscriber
from subscribers.schedule import Cadence, weekdays_in

FOLLOWED = timedelta(days=7)  # after its date: providers tell of complaints for days
HOUR, DAY, MONTH = timedelta(hours=1), timedelta(days=1), timedelta(days=30)
LONGEST_GAP = timedelta(minutes=10)  # between two counts that a rate is told from
Status = Subscriber.Status
Rhythm = tuple[str, int, int, int]  # cadence, ISO weekday, mask of weekdays, and how many readers have it
GONE = [Status.UNSUBSCRIBED, Status.BOUNCED, Status.COMPLAINED, Status.ERASED]


def take(at: datetime) -> Census:
    """Count the readers: reads the whole table once."""
    totals = Subscriber.objects.aggregate(
        active=Count("pk", filter=Q(status=Status.ACTIVE)),
        paused=Count("pk", filter=Q(status=Status.PAUSED)),
        pending=Count("pk", filter=Q(status=Status.PENDING)),
        new_day=Count("pk", filter=Q(confirmed_at__gt=at - DAY)),
        new_month=Count("pk", filter=Q(confirmed_at__gt=at - MONTH)),
        lost_day=Count("pk", filter=lost_since(at - DAY)),
        lost_month=Count("pk", filter=lost_since(at - MONTH)),
    )
    active = Subscriber.objects.mailable().order_by()
    rhythms = list(active.values_list("cadence", "weekday", "weekdays").annotate(Count("pk")))
    names = dict(Topic.objects.values_list("pk", "name"))
    topics = Subscriber.topics.through.objects.filter(subscriber__status=Status.ACTIVE).order_by()
    counts = totals | {
        "topics": {names[pk]: count for pk, count in topics.values_list("topic_id").annotate(Count("pk"))},
        "cadences": by_cadence(rhythms),
        "weekdays": by_weekday(rhythms),
        "countries": by_country(dict(active.values_list("zone").annotate(Count("pk")))),
    }
    census, _ = Census.objects.update_or_create(at=at, defaults={"active": totals["active"], "counts": counts})
    return census


def lost_since(moment: datetime) -> Q:
    """Who had confirmed, and has left or bounced since."""
    return Q(status__in=GONE, confirmed_at__isnull=False, status_changed_at__gt=moment)


def by_cadence(rhythms: Iterable[Rhythm]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for cadence, _, _, count in rhythms:
        counts[cadence] += count
    return dict(counts)


def by_weekday(rhythms: Iterable[Rhythm]) -> dict[str, list[int]]:
    """Of the cadences that have weekdays: how many readers are due on each, from Monday on."""
    counts = {str(Cadence.DAILY): [0] * 7, str(Cadence.WEEKLY): [0] * 7}
    for cadence, weekday, weekdays, count in rhythms:
        if cadence in counts:
            for day in weekdays_in(weekdays) if cadence == Cadence.DAILY else [weekday]:
                counts[cadence][day - 1] += count
    return counts


def by_country(zones: dict[str, int]) -> dict[str, int]:
    """Readers by the country of their zone; by the zone itself where it is in no single country."""
    countries: Counter[str] = Counter()
    for zone, count in zones.items():
        countries[country_of().get(zone, zone)] += count
    return dict(countries)


@cache
def country_of() -> dict[str, str]:
    """Countries by zone, from the system's tz database; empty where that brings no tables."""
    for folder in map(Path, zoneinfo.TZPATH):
        if (folder / "zone.tab").exists() and (folder / "iso3166.tab").exists():
            names = {line[0]: line[1] for line in columns(folder / "iso3166.tab")}
            return {line[2]: names[line[0]] for line in columns(folder / "zone.tab")}
    return {}


def columns(table: Path) -> list[list[str]]:
    lines = table.read_text(encoding="utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def follow(at: datetime) -> int:
    """Count the editions that go out, and once an hour those that are over; returns how many were counted."""
    counted = 0
    for edition in Edition.objects.filter(date__gte=(at - FOLLOWED).date()).order_by("pk"):
        last = Progress.objects.latest_of(edition)
        if last is None or not last.is_over or at - last.seen_at >= HOUR:
            count(edition, last, at)
            counted += 1
    return counted


def recount(edition: Edition, at: datetime) -> None:
    """After a decision, so that its page does not contradict what was just said."""
    count(edition, Progress.objects.latest_of(edition), at)


def count(edition: Edition, last: Progress | None, at: datetime) -> Progress:
    """Count one edition along its index. The same counts again only prolong the last row."""
    accounts = {status: number for status, number in edition.accounts().items() if number}
    planned = sum(accounts.values())
    unsettled = sum(accounts.get(status, 0) for status in Digest.Status.unsettled())
    rate = rate_since(last, planned - unsettled, at)
    if last and last.counts == accounts:
        Progress.objects.filter(pk=last.pk).update(seen_at=at, rate=rate)
        return last
    values = {"seen_at": at, "planned": planned, "open": unsettled, "rate": rate, "counts": accounts}
    row, _ = Progress.objects.update_or_create(edition=edition, at=at, defaults=values)
    return row


def rate_since(last: Progress | None, settled: int, at: datetime) -> float:
    """Digests a minute since the last count; that count's own rate where it is too close to tell."""
    if last is None or at - last.seen_at > LONGEST_GAP:
        return 0.0
    gap = at - last.seen_at
    if gap < timedelta(seconds=settings.TICK_SECONDS) / 2:
        return last.rate
    return max(0, settled - last.settled) / (gap / timedelta(minutes=1))
