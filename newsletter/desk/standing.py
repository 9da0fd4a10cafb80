"""How editions stand, by the latest counts of newsletter/census.py: what the dashboard and an edition's page show."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Self

from django.db.models import OuterRef, Subquery

from newsletter.models import Digest, Edition, Progress

Status = Digest.Status
# Shares of complaints: keep below the first, never reach the second (https://support.google.com/a/answer/81126).
WATCH, STOP = 0.001, 0.003
TOO_FEW = 3  # complaints that may be chance, whatever their share
WITH_REASONS = [Status.SKIPPED, Status.FAILED, Status.IN_DOUBT]
MOST_READ = 5_000  # digests of each of these, to gather their reasons from
REASONS_SHOWN = 12


@dataclass(frozen=True)
class Standing:
    """An edition and its digests by state. The six ends and what is still to go add up to what was planned."""

    edition: Edition
    counts: Mapping[str, int]
    rate: float = 0.0  # settled in a minute
    counted_at: datetime | None = None

    @classmethod
    def now(cls, edition: Edition) -> Self:
        """By the latest count; by counting along the index where there is none any more."""
        if last := Progress.objects.latest_of(edition):
            return cls(edition, last.counts, last.rate, last.seen_at)
        return cls(edition, edition.accounts())

    def of(self, *statuses: str) -> int:
        return sum(self.counts.get(status, 0) for status in statuses)

    @property
    def planned(self) -> int:
        return sum(self.counts.values())

    @property
    def accepted(self) -> int:
        """The provider took them, whatever it told of them later."""
        return self.of(*Status.sent())

    @property
    def skipped(self) -> int:
        return self.of(Status.SKIPPED)

    @property
    def failed(self) -> int:
        return self.of(Status.FAILED)

    @property
    def expired(self) -> int:
        return self.of(Status.EXPIRED)

    @property
    def cancelled(self) -> int:
        return self.of(Status.CANCELLED)

    @property
    def in_doubt(self) -> int:
        return self.of(Status.IN_DOUBT)

    @property
    def open(self) -> int:
        return self.of(*Status.unsettled())

    @property
    def percent(self) -> int:
        """Settled, of what was planned so far."""
        return 100 * (self.planned - self.open) // self.planned if self.planned else 0

    @property
    def ends_at(self) -> datetime | None:
        """When what is planned so far will have gone out, at the present rate."""
        if not (self.rate and self.open and self.counted_at):
            return None
        return self.counted_at + timedelta(minutes=self.open / self.rate)


def standings(since: date, until: date) -> list[Standing]:
    """The editions of these days by their latest counts, the latest first; in one query."""
    latest = Progress.objects.filter(edition=OuterRef("pk")).order_by("-at")
    editions = (
        Edition.objects.filter(date__range=(since, until))
        .with_state()
        .annotate(**{f"latest_{name}": Subquery(latest.values(name)[:1]) for name in ("counts", "rate", "seen_at")})
    )
    return [
        Standing(
            edition,
            edition.latest_counts or {},  # type: ignore[attr-defined]
            edition.latest_rate or 0.0,  # type: ignore[attr-defined]
            edition.latest_seen_at,  # type: ignore[attr-defined]
        )
        for edition in editions
    ]


def reasons(one: Standing) -> list[tuple[str, str, list[tuple[str, int]]]]:
    """The commonest reasons of each side exit, from MOST_READ digests at most: status, its words, reasons."""
    found = []
    for status in WITH_REASONS:
        if one.of(status):
            some = one.edition.digests.filter(status=status).order_by().values_list("reason", flat=True)[:MOST_READ]
            found.append((str(status), status.label.lower(), Counter(some).most_common(REASONS_SHOWN)))
    # What waits and was tried before; in the order in which it is claimed, because it has an index.
    first = one.edition.digests.filter(status=Status.PLANNED).order_by("not_before").values_list("reason", flat=True)
    tried = Counter(filter(None, first[:MOST_READ] if one.of(Status.PLANNED) else ()))
    return found + ([(str(Status.PLANNED), "still to go", tried.most_common(REASONS_SHOWN))] if tried else [])


def first_expiry(edition: Edition | None = None) -> datetime | None:
    """When the first of the copies that wait would come too late: of an edition, or of all."""
    waiting = (edition.digests if edition else Digest.objects).filter(status=Status.PLANNED).order_by("expires_at")
    return waiting.values_list("expires_at", flat=True).first()


@dataclass(frozen=True)
class Health:
    """What providers and readers made of the digests of a day, or of several."""

    day: date | None
    accepted: int
    failed: int
    bounced: int
    complained: int

    @classmethod
    def of(cls, standings: Iterable[Standing], day: date | None = None) -> Self:
        those = list(standings)
        return cls(
            day,
            sum(one.accepted for one in those),
            sum(one.failed for one in those),
            sum(one.of(Status.BOUNCED) for one in those),
            sum(one.of(Status.COMPLAINED) for one in those),
        )

    @property
    def acceptance(self) -> float | None:
        """In percent, as all shares below; None where nothing was tried."""
        tried = self.accepted + self.failed
        return 100 * self.accepted / tried if tried else None

    @property
    def bounces(self) -> float:
        return 100 * self.bounced / self.accepted if self.accepted else 0.0

    @property
    def complaints(self) -> float:
        return 100 * self.complained / self.accepted if self.accepted else 0.0

    @property
    def verdict(self) -> str:
        """What the share of complaints calls for; empty where nothing."""
        share = self.complaints / 100
        if self.complained < TOO_FEW or share < WATCH:
            return ""
        return "stop and find out why" if share >= STOP else "watch it"


def by_day(standings: Iterable[Standing]) -> list[Health]:
    """The latest day first."""
    days: dict[date, list[Standing]] = {}
    for one in standings:
        days.setdefault(one.edition.date, []).append(one)
    return [Health.of(days[day], day) for day in sorted(days, reverse=True)]
