"""What was shown when: today, a day, a week, a month."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render

from papers.archive import Kind, Period, Week, weeks_of_month
from papers.models import Listing, Paper
from papers.views.caching import public_page
from papers.views.lists import page_of


@dataclass(frozen=True)
class Surroundings:
    """Where to go from a period: its neighbours that have papers, and the calendar of its month."""

    earlier: Period | None
    later: Period | None
    month: Period
    weeks: list[Week]

    @property
    def weekdays(self) -> list[date]:
        """Seven days that bear the names of the columns."""
        return [self.weeks[0].period.first + timedelta(days=number) for number in range(7)]

    @classmethod
    def of(cls, period: Period) -> Self:
        """Three queries, each the end of an index."""
        before = Listing.objects.filter(day__lt=period.first).aggregate(day=Max("day"))["day"]
        after = Listing.objects.filter(day__gt=period.last).aggregate(day=Min("day"))["day"]
        month = Period.month(period.last)
        listed = Listing.objects.filter(day__gte=month.first, day__lte=month.last)
        shown = set(listed.order_by().values_list("day", flat=True).distinct())
        return cls(
            earlier=Period.of(period.kind, before) if before else None,
            later=Period.of(period.kind, after) if after else None,
            month=month,
            weeks=weeks_of_month(period, shown),
        )


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """The latest day on which any paper was listed, hottest first."""
    day = latest_day()
    papers = Paper.objects.filter(listed_on=day).trending() if day else Paper.objects.none()
    context = {
        "day": day,
        "page": page_of(request, papers),
        "around": Surroundings.of(Period.day(day)) if day else None,
    }
    return render(request, "papers/home.html", context)


@public_page
def period(request: HttpRequest, period: Period) -> HttpResponse:
    """A day, a week or a month of lists, most noticed first."""
    page = page_of(request, Paper.objects.shown(period.first, period.last).noticed())
    context = {
        "period": period,
        "heading": f"Trending papers, {period}",
        "page": page,
        "around": Surroundings.of(period),
        "feed": request.path + "feed.",
    }
    return render(request, "papers/period.html", context, status=200 if page.lines else 404)


@public_page
def archive(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The way in: the latest month."""
    day = latest_day()
    if day is None:
        raise Http404("No paper has been listed yet.")
    return redirect("period", Period.of(Kind.MONTH, day))


def latest_day() -> date | None:
    """The last day of which any list is known."""
    day: date | None = Paper.objects.aggregate(day=Max("listed_on"))["day"]
    return day
