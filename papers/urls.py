"""The pages about papers and topics."""

from django.urls import path, register_converter

from papers import feeds, sitemaps
from papers.api.endpoints import api
from papers.archive import Period
from papers.views import archive, papers, search, topics


class PeriodConverter:
    """`2025-07-18`, `2025-W29` or `2025-07`; any other spelling is no address of ours."""

    regex = r"\d{4}-(?:\d{2}-\d{2}|W\d{2}|\d{2})"

    def to_python(self, text: str) -> Period:
        return Period.parse(text)

    def to_url(self, period: Period) -> str:
        return str(period)


class FormConverter:
    """The form of a feed."""

    regex = "|".join(feeds.FORMS)

    def to_python(self, text: str) -> str:
        return text

    def to_url(self, form: str) -> str:
        return form


register_converter(PeriodConverter, "period")
register_converter(FormConverter, "form")

urlpatterns = [
    path("api/v1/", api.urls),
    path("", archive.home, name="home"),
    path("papers/", archive.archive, name="archive"),
    path("papers/feed.<form:form>", feeds.latest, name="latest_feed"),
    path("papers/<period:period>/", archive.period, name="period"),
    path("papers/<period:period>/feed.<form:form>", feeds.period, name="period_feed"),
    path("papers/<int:pk>/<slug:slug>/", papers.paper, name="paper"),
    path("authors/<str:key>/", papers.author, name="author"),
    path("topics/", topics.topics, name="topics"),
    path("topics/<slug:slug>/", topics.topic, name="topic"),
    path("topics/<slug:slug>/feed.<form:form>", feeds.topic, name="topic_feed"),
    path("search/", search.search, name="search"),
    path("search/feed.<form:form>", feeds.search, name="search_feed"),
    path("about/", papers.about, name="about"),
    path("sitemap.xml", sitemaps.index, name="sitemap"),
    path("sitemap-pages.xml", sitemaps.pages, name="sitemap_pages"),
    path("sitemap-topics.xml", sitemaps.topics, name="sitemap_topics"),
    path("sitemap-papers-<period:month>-part<int:part>.xml", sitemaps.month, name="sitemap_month"),
]
