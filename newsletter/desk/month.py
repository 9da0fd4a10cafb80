"""The calendar of editions: a month of them, past and coming, with their states and counts."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from newsletter import audit, editions
from newsletter.desk.posting import posted_from
from newsletter.desk.standing import Standing, standings
from newsletter.models import Census, Edition
from papers.archive import Period, weeks_of_month
from subscribers.schedule import Cadence

DAY = timedelta(days=1)
OPENED = "opened it ahead"


@dataclass(frozen=True)
class Coming:
    """An edition that nobody has opened yet, and how many readers it would go to by the last census."""

    name: str
    readers: int


@dataclass(frozen=True)
class Day:
    """A square of the calendar."""

    date: date
    is_today: bool
    editions: list[Standing]
    coming: list[Coming]

    @property
    def is_empty(self) -> bool:
        return not (self.editions or self.coming)


class AheadForm(forms.Form):
    """Which edition to open before its first reader is due."""

    kind = forms.ChoiceField(choices=Cadence.choices)
    date = forms.DateField()


@require_safe
@permission_required("newsletter.view_edition", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """A month, by `?month=2026-03`; this one where none is named."""
    now = timezone.now()
    try:
        month = month_of(request.GET.get("month", ""), now)
    except ValueError:
        raise Http404("There is no such month.") from None
    return show(request, month, now)


@posted_from("desk_calendar")
@permission_required("newsletter.change_edition", raise_exception=True)
def open_ahead(request: HttpRequest) -> HttpResponse:
    """Open a coming edition, to prepare it. Whoever does is on record."""
    now, form = timezone.now(), AheadForm(request.POST)
    if not form.is_valid():
        return show(request, Period.month(now.date()), now, fault="Choose a rhythm, and a day as in 2026-03-20.")
    try:
        edition, is_new = editions.open_ahead(form.cleaned_data["kind"], form.cleaned_data["date"], now)
    except ValidationError as error:
        return show(request, Period.month(now.date()), now, fault=error.messages[0])
    if is_new:
        audit.record(request.user, edition, OPENED)
        messages.success(request, f"{edition} is open: its papers can be looked at, pinned and banned.")
    else:
        messages.info(request, f"{edition} was open already.")
    return redirect("desk_edition", edition.pk)


def show(request: HttpRequest, month: Period, at: datetime, fault: str = "") -> HttpResponse:
    """The month's page, with what was wrong where something was."""
    context = admin.site.each_context(request) | {
        "title": f"Calendar, {month.name}",
        "opts": Edition._meta,
        "month": month,
        "neighbours": [Period.month(month.first - DAY), Period.month(month.last + DAY)],
        "weeks": weeks(month, at),
        "cadences": Cadence.choices,
        "earliest": at.date(),
        "latest": at.date() + editions.FURTHEST_AHEAD,
        "fault": fault,
    }
    return render(request, "admin/desk/month.html", context, status=422 if fault else 200)


def month_of(text: str, at: datetime) -> Period:
    """The month of `2026-03`; the present one where nothing is said. Raises ValueError where it is none."""
    return Period.month(Period.parse(text).first if text else at.date())


def weeks(month: Period, at: datetime) -> list[list[Day | None]]:
    """Weeks from Monday on; days of the neighbouring months are None. Two queries, whatever there is."""
    opened = defaultdict(list)
    for one in standings(month.first, month.last):
        opened[one.edition.date].append(one)
    census = Census.objects.first()

    def of(day: date) -> Day:
        kinds = {one.edition.kind for one in opened[day]}
        due = due_on(day, census) if census and day >= at.date() else {}
        coming = [
            Coming(str(Edition.Kind(kind).label), due[kind]) for kind in Cadence if due.get(kind) and kind not in kinds
        ]
        return Day(day, day == at.date(), opened[day], coming)

    return [[of(square.day) if square else None for square in week.squares] for week in weeks_of_month(month, set())]


def due_on(day: date, census: Census) -> dict[str, int]:
    """How many readers have this day in their rhythm, by cadence."""
    by_weekday = census.counts.get("weekdays", {})
    monthly = census.counts["cadences"].get(Cadence.MONTHLY, 0) if day.day == 1 else 0
    return {kind: numbers[day.weekday()] for kind, numbers in by_weekday.items()} | {str(Cadence.MONTHLY): monthly}
