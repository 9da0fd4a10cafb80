"""What was shown when: today, a day, a week, a month."""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Self

from django.conf import settings
from django.db.models import Max, Min
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse

from papers.archive import Kind, Period, Week, weeks_of_month
from papers.models import Listing, Paper
from papers.views.caching import public_page
from papers.views.lists import page_of
from papers.views.metadata import Metadata, feed_links


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


HOME = "The research papers your field is talking about, in your inbox, when you want them. No account."


@public_page
def home(request: HttpRequest) -> HttpResponse:
    """The latest day on which any paper was listed, hottest first."""
    day = latest_day()
    papers = Paper.objects.filter(listed_on=day).trending() if day else Paper.objects.none()
    page = page_of(request, papers)
    context = {
        "meta": Metadata(settings.SITE_NAME, HOME, reverse("home"), feed_links("latest_feed"), page.number),
        "day": day,
        "page": page,
        "around": Surroundings.of(Period.day(day)) if day else None,
    }
    return render(request, "papers/home.html", context)


@public_page
def period(request: HttpRequest, period: Period) -> HttpResponse:
    """A day, a week or a month of lists, most noticed first."""
    page = page_of(request, Paper.objects.shown(period.first, period.last).noticed())
    meta = Metadata(
        title=f"Trending papers, {period.name}",
        description=f"The research papers that were noticed most: {period.name}.",
        path=reverse("period", args=[period]),
        feeds=feed_links("period_feed", period),
        number=page.number,
    )
    context = {"meta": meta, "period": period, "page": page, "around": Surroundings.of(period)}
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
