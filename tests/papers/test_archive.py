"""Days, weeks and months: their names, their pages and the calendar between them."""

from datetime import date

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st
from pytest_django import Settings

from papers.archive import Kind, Period, weeks_of_month
from papers.models import Listing, Paper
from papers.trends import rank

dates = st.dates(date(2, 1, 1), date(9998, 12, 31))


@pytest.fixture(autouse=True)
def _plain_http(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = False


def listed(title: str, *days: date, place: int = 1) -> Paper:
    paper = Paper.objects.create(title=title, listed_on=max(days))
    for day in days:
        Listing.objects.create(paper=paper, source="page", day=day, place=place)
    rank([paper])
    return paper


@given(st.sampled_from(Kind), dates)
def test_a_period_is_read_as_it_is_written(kind: Kind, day: date) -> None:
    period = Period.of(kind, day)
    assert day in period
    assert Period.parse(str(period)) == period


@pytest.mark.parametrize(
    ("text", "first", "last"),
    [
        ("2025-07-18", date(2025, 7, 18), date(2025, 7, 18)),
        ("2025-W29", date(2025, 7, 14), date(2025, 7, 20)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-W53", date(2026, 12, 28), date(2027, 1, 3)),
    ],
)
def test_a_period_holds_its_days(text: str, first: date, last: date) -> None:
    period = Period.parse(text)
    assert (period.first, period.last) == (first, last)


@pytest.mark.parametrize(
    "text", ["2025-02-29", "2025-W54", "2025-13", "2025-00", "0000-01-01", "9999-12-31", "2025-7-1", "٢٠٢٥-٠٧", "", "x"]
)
def test_what_is_no_day_of_our_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is no day, week or month of our time"):
        Period.parse(text)


@given(st.sampled_from(Kind), dates)
def test_a_calendar_holds_each_day_of_its_month_once(kind: Kind, day: date) -> None:
    period = Period.of(kind, day)
    squares = [square for week in weeks_of_month(period, {period.last}) for square in week.squares if square]
    month = Period.month(period.last)
    assert [square.day.day for square in squares] == list(range(1, month.last.day + 1))
    assert [square.day for square in squares if square.shown] == [period.last]


@pytest.mark.django_db
def test_a_day_shows_its_papers_even_where_they_were_listed_again(client: Client) -> None:
    listed("Twice", date(2025, 7, 18), date(2025, 7, 21))
    listed("Once", date(2025, 7, 18), place=2)
    listed("Another day", date(2025, 7, 17))
    page = client.get("/papers/2025-07-18/")
    assert [line.paper.title for line in page.context["page"].lines] == ["Twice", "Once"]


@pytest.mark.django_db
def test_a_month_is_ordered_by_notice_and_not_by_date(client: Client) -> None:
    listed("Late and little noticed", date(2025, 7, 31), place=40)
    listed("Early and much noticed", date(2025, 7, 1))
    for path in ("/papers/2025-07/", "/papers/"):
        page = client.get(path, follow=True)
        titles = [line.paper.title for line in page.context["page"].lines]
        assert titles == ["Early and much noticed", "Late and little noticed"]


@pytest.mark.django_db
def test_a_period_leads_to_its_neighbours_that_have_papers(client: Client) -> None:
    for day in (date(2025, 6, 30), date(2025, 7, 18), date(2025, 7, 21)):
        listed(str(day), day)
    content = client.get("/papers/2025-07-18/").content.decode()
    for path in ("/papers/2025-06-30/", "/papers/2025-07-21/", "/papers/2025-07/", "/papers/2025-W29/"):
        assert f'href="{path}"' in content


@pytest.mark.django_db
@pytest.mark.parametrize(
    "path", ["/papers/1999-01-01/", "/papers/2025-02-30/", "/papers/9999-12-31/", "/authors/nobody/", "/authors/%00/"]
)
def test_what_we_know_nothing_of_is_not_found(client: Client, path: str) -> None:
    listed("One", date(2025, 7, 18))
    response = client.get(path)
    assert response.status_code == 404
    assert "Archive" in response.content.decode()


@pytest.mark.django_db
def test_an_author_has_a_page_by_any_spelling_of_the_name(client: Client) -> None:
    for title, name in (("One", "Renée Müller"), ("Two", "Muller, Renee"), ("Three", "R. Müller")):
        paper = Paper.objects.create(title=title, authors=[name], listed_on=date(2025, 7, 18))
        rank([paper])
    page = client.get("/authors/renee-muller/").context["page"]
    assert {line.paper.title for line in page.lines} == {"One", "Two"}


@pytest.mark.django_db
def test_an_authors_page_follows_the_papers_names() -> None:
    paper = Paper.objects.create(title="One", authors=["Ada Lovelace", "Ada Lovelace", "?"])
    paper.authors = ["Ada King", "李 明"]
    paper.save()
    assert sorted(paper.authorships.values_list("key", flat=True)) == ["ada-king", "李-明"]
