"""The pages about papers and topics."""

from django.urls import path, register_converter

from papers import feeds, sitemaps
from papers.api import api
from papers.archive import Period
from papers.views import archive, papers, search, topics


class PeriodConverter:
    """`2025-07-18`, `2025-W29` or `2025-07`; any other spelling is no address of ours."""

    regex = r"\d{4}-(?:\d{2}-\d{2}|W\d{2}|\d{2})"

    def to_python(self, text: str) -> Period:
        return Period.parse(text)

    def to_url(self, period: Period) -> str:
        return str(period)


class FormatConverter:
    """The forms in which feeds come."""

    regex = "|".join(feeds.FORMATS)

    def to_python(self, text: str) -> str:
        return text

    def to_url(self, form: str) -> str:
        return form


register_converter(PeriodConverter, "period")
register_converter(FormatConverter, "format")

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
    path("papers/feed.<format:form>", feeds.latest, name="feed"),
    path("papers/<period:period>/feed.<format:form>", feeds.period, name="period_feed"),
    path("topics/<slug:slug>/feed.<format:form>", feeds.topic, name="topic_feed"),
    path("search/feed.<format:form>", feeds.search, name="search_feed"),
    path("api/v1/", api.urls),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemap-<slug:name>.xml", sitemaps.section, name="sitemap_section"),
    path("robots.txt", sitemaps.robots, name="robots"),
]
