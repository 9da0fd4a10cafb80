"""The pages about papers and topics."""

from django.urls import path, register_converter

from papers.archive import Period
from papers.views import archive, papers, search, topics


class PeriodConverter:
    """`2025-07-18`, `2025-W29` or `2025-07`; any other spelling is no address of ours."""

    regex = r"\d{4}-(?:\d{2}-\d{2}|W\d{2}|\d{2})"

    def to_python(self, text: str) -> Period:
        return Period.parse(text)

    def to_url(self, period: Period) -> str:
        return str(period)


register_converter(PeriodConverter, "period")

urlpatterns = [
    path("", archive.home, name="home"),
    path("papers/", archive.archive, name="archive"),
    path("papers/<period:period>/", archive.period, name="period"),
    path("papers/<int:pk>/<slug:slug>/", papers.paper, name="paper"),
    path("authors/<str:key>/", papers.author, name="author"),
    path("topics/", topics.topics, name="topics"),
    path("topics/<slug:slug>/", topics.topic, name="topic"),
    path("search/", search.search, name="search"),
    path("about/", papers.about, name="about"),
]
