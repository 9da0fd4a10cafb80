"""The admin's home: what needs a person, what goes out, and how all of it does. Nothing here counts a big table."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.http import HttpRequest
from django.utils import timezone

from newsletter import pulses
from newsletter.desk import needs
from newsletter.desk.needs import May, Signals
from newsletter.desk.standing import Health, Standing, by_day, standings
from newsletter.models import Census
from papers.charts import LOW, Chart, chart
from papers.sources.models import Source
from subscribers.abuse import attack
from subscribers.abuse.counting import seen
from subscribers.schedule import Cadence

HEALTH_DAYS, CHART_DAYS = 7, 30
REFRESH = 20  # seconds
ROWS_SHOWN = 8  # of a table of groups; the others fold away


@dataclass(frozen=True)
class Group:
    """Some of the readers: how many, and of a hundred of the largest group."""

    name: str
    number: int
    share: int


@dataclass(frozen=True)
class Beat:
    part: str
    last: datetime | None
    state: str


# What somebody must be able to see to be told that all is well.
NEEDED = [
    *("newsletter.view_progress", "newsletter.view_pulse", "newsletter.view_brake"),
    *("papers.view_source", "subscribers.view_subscriptionrequest", "subscribers.view_import"),
]


def dashboard(request: HttpRequest, context: dict[str, Any]) -> dict[str, Any]:
    """What the theme asks for its home page."""
    return context | today(request.user.has_perm, timezone.now())


def today(may: May, at: datetime) -> dict[str, Any]:
    """The sections that somebody may see; a constant number of queries, whatever there is."""
    found = needs.signals(may)
    recent = recent_standings(at) if may("newsletter.view_progress") else []
    health = Health.of(recent)
    sources = list(Source.objects.all()) if may("papers.view_source") else []
    held = needs.held() if may("subscribers.view_subscriptionrequest") else None
    shows_parts = may("newsletter.view_pulse")
    urgent = [
        *needs.stopped(found),
        *(needs.silent(found, at) if shows_parts else ()),
        *needs.provider(health),
        *(() if found.of("brake") else needs.silence(recent, at)),
        *needs.nothing(recent, at),
        *needs.editions(recent, may, at),
        *needs.sources(sources),
        *(needs.letters(at) if may("subscribers.view_letter") else ()),
        *needs.requests(held or 0),
        *needs.imports(found),
    ]
    return {
        "refresh": REFRESH,
        "now": at,
        "needs": urgent,
        "sees_all": all(map(may, NEEDED)),
        "has_role": any(map(may, NEEDED)),
        "editions": (near := [one for one in recent if one.edition.date >= at.date() - timedelta(days=1)]),
        "shows_ends": any(one.expired or one.cancelled for one in near),  # rare: they have columns where there are some
        "shows_editions": may("newsletter.view_progress"),
        "health": health,
        "health_days": by_day(recent),
        "sources": sources,
        "signups": signups(held, found, at) if held is not None else None,
        "beats": beats(found, at) if shows_parts else None,
        "queue": pulses.waiting_tasks() if shows_parts else None,
        "readers": readers(at) if may("newsletter.view_census") else None,
    }


def recent_standings(at: datetime) -> list[Standing]:
    return standings(at.date() - timedelta(days=HEALTH_DAYS), at.date() + timedelta(days=1))


def signups(held: int, found: Signals, at: datetime) -> dict[str, Any]:
    """The last hour at the form."""
    return {
        "asked": seen(attack.ASKED, at),
        "confirmed": seen(attack.CONFIRMED, at),
        "held": held,
        "is_attacked": bool(found.of("attack")),
    }


def beats(found: Signals, at: datetime) -> list[Beat]:
    heard = [(part, found.pulses.get(part.words)) for part in pulses.parts().values()]
    return [Beat(part.words, last, state_of(part, last, at)) for part, last in heard]


def state_of(part: pulses.Part, last: datetime | None, at: datetime) -> str:
    if last is None:
        return "not begun yet"
    return "silent" if part.is_silent(last, at) else "well"


def readers(at: datetime) -> dict[str, Any] | None:
    """The latest census, with the line of the last weeks; None before the first."""
    census = Census.objects.first()
    if census is None:
        return None
    cadences = {Cadence(name).label: number for name, number in census.counts["cadences"].items()}
    return {
        "at": census.at,
        "counts": census.counts,
        "tables": [
            ("By topic", groups(census.counts["topics"])),
            ("By cadence", groups(cadences)),
            ("By country of the time zone", groups(census.counts["countries"])),
        ],
        "line": history(at),
    }


def history(at: datetime) -> Chart | None:
    """Active readers in CHART_DAYS."""
    counted = Census.objects.filter(at__gt=at - timedelta(days=CHART_DAYS)).order_by("at")
    return chart(list(counted.values_list("at", "active")), LOW)


def groups(numbers: Mapping[Any, int]) -> tuple[list[Group], list[Group]]:
    """The largest first: those that are shown, and those that are folded away."""
    most = max(numbers.values(), default=1) or 1
    sized = sorted(numbers.items(), key=lambda one: (-one[1], str(one[0])))
    found = [Group(str(name), number, 100 * number // most) for name, number in sized]
    return found[:ROWS_SHOWN], found[ROWS_SHOWN:]
