"""The read-only JSON API: the lists of the public pages, for programs. See docs/api.md."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import F, Prefetch
from django.http import Http404, HttpRequest, HttpResponse
from ninja import NinjaAPI, Query
from ninja.errors import Throttled, ValidationError

from papers import trends
from papers.api import cursors, schemas
from papers.api.cursors import BadCursorError, Order
from papers.api.docs import OurDocs
from papers.api.parameters import Paging, PapersWanted, SearchWanted
from papers.api.throttling import NetworkThrottle
from papers.models import Authorship, Paper, PaperQuerySet, PaperTopic, Topic
from papers.models.topics import BELONGS
from papers.search import find
from papers.views.caching import public_page
from papers.views.metadata import absolute

HOTTEST = Order("hottest", ("-hot", "pk"))
NEWEST = Order("newest", ("-listed_on", "-hot", "pk"))
# The same as HOTTEST, by the index of PaperTopic.
HOTTEST_OF_TOPIC = Order("hottest of a topic", ("-topic_hot", "topic_paper"))

api = NinjaAPI(
    title=f"{settings.SITE_NAME}: API",
    version="1.0.0",
    description="Research papers, what they are about, and how they trend. Read-only, open to everybody, no key.",
    docs=OurDocs(),
    docs_decorator=public_page,
    servers=[{"url": settings.SITE_URL}],
    urls_namespace="api",
    throttle=NetworkThrottle(),
)
PROBLEMS = {422: schemas.Problem, 429: schemas.Problem}
PROBLEMS_AND_404 = {404: schemas.Problem, **PROBLEMS}


@api.get("/topics", response={200: schemas.Topics, 429: schemas.Problem}, operation_id="topics", summary="All topics")
def topics(request: HttpRequest) -> schemas.Topics:  # noqa: ARG001 - ninja's signature
    """What papers are sorted into."""
    rows = Topic.objects.order_by("position", "name")
    return schemas.Topics(topics=[schemas.Topic.of(row) for row in rows])


@api.get(
    "/topics/{slug:slug}/papers",
    response={200: schemas.Papers, **PROBLEMS_AND_404},
    operation_id="topic_papers",
    summary="A topic's papers",
)
def topic_papers(request: HttpRequest, response: HttpResponse, slug: str, wanted: Query[Paging]) -> schemas.Papers:
    """Hottest first."""
    rows = _of_topic(_listed(), _topic(slug))
    return _page(request, response, wanted, HOTTEST_OF_TOPIC, rows)


@api.get(
    "/papers",
    response={200: schemas.Papers, **PROBLEMS_AND_404},
    operation_id="papers",
    summary="Papers by their lists",
)
def papers(request: HttpRequest, response: HttpResponse, wanted: Query[PapersWanted]) -> schemas.Papers:
    """Every paper that a list has shown; those of some days, one topic, one author, if you say so."""
    rows, order = _listed(), NEWEST if wanted.sort == "newest" else HOTTEST
    if wanted.topic:
        rows = _of_topic(rows, _topic(wanted.topic))
        order = order if order is NEWEST else HOTTEST_OF_TOPIC
    if wanted.author:
        rows = rows.filter(authorships__key=_known_author(wanted.author))
    if wanted.since or wanted.until:
        rows = rows.shown(wanted.since, wanted.until)
    return _page(request, response, wanted, order, rows)


@api.get(
    "/papers/{int:number}",
    response={200: schemas.SinglePaper, **PROBLEMS_AND_404},
    operation_id="paper",
    summary="One paper",
)
def paper(request: HttpRequest, number: int) -> schemas.SinglePaper:  # noqa: ARG001
    """With its readings: how its popularity grew. One that turned out to be another paper too is answered as that."""
    found = _with_topics(Paper.objects.filter(pk=number)).first()
    found = found or _with_topics(Paper.objects.filter(merged__number=number)).first()
    if found is None:
        raise Http404("We have no paper of this number.")
    readings = list(found.readings.order_by("-taken_at")[: schemas.READINGS_SHOWN])[::-1]
    fields = schemas.fields_of(found, trends.trends_of([found])[found.pk])
    return schemas.SinglePaper(**fields, readings=schemas.counts_of(readings))


@api.get("/search", response={200: schemas.Papers, **PROBLEMS}, operation_id="search", summary="Papers by their words")
def search(request: HttpRequest, response: HttpResponse, wanted: Query[SearchWanted]) -> schemas.Papers:
    """Best first, 200 papers at most."""
    start = cursors.read(f"search {wanted.q}", wanted.cursor) if wanted.cursor else 0
    found = find(wanted.q)
    end = start + wanted.limit
    here = found[start:end]
    by_row = {row.pk: row for row in _with_topics(Paper.objects.filter(pk__in=here))}
    following = cursors.write(f"search {wanted.q}", end) if len(found) > end else ""
    return _answer(request, response, [by_row[pk] for pk in here if pk in by_row], following)


def _listed() -> PaperQuerySet:
    return Paper.objects.filter(listed_on__isnull=False)


def _topic(slug: str) -> Topic:
    found = Topic.objects.filter(slug=slug).first()
    if found is None:
        raise Http404(f"There is no topic {slug}. {absolute('/api/v1/topics')} lists them all.")
    return found


def _known_author(key: str) -> str:
    if not Authorship.objects.filter(key=key).exists():
        raise Http404(f"We know no paper by {key}. A key looks like ada-lovelace.")
    return key


def _of_topic(rows: PaperQuerySet, topic: Topic) -> PaperQuerySet:
    mine = rows.filter(paper_topics__topic=topic, paper_topics__strength__gte=BELONGS)
    return mine.annotate(topic_hot=F("paper_topics__hot"), topic_paper=F("paper_topics__paper"))


def _with_topics(rows: PaperQuerySet) -> PaperQuerySet:
    by_strength = PaperTopic.objects.belonging().select_related("topic").order_by("-strength", "pk")
    return rows.prefetch_related(Prefetch("paper_topics", by_strength))


def _page(
    request: HttpRequest, response: HttpResponse, wanted: Paging, order: Order, rows: PaperQuerySet
) -> schemas.Papers:
    here, following = order.page(_with_topics(rows), wanted.limit, wanted.cursor)
    return _answer(request, response, here, following)


def _answer(request: HttpRequest, response: HttpResponse, rows: Sequence[Paper], following: str) -> schemas.Papers:
    """The page, and the way to the next one in its body and in a Link header (RFC 8288)."""
    scores = trends.trends_of(rows)
    address = None
    if following:
        query = {**request.GET.dict(), "cursor": following}
        address = f"{absolute(request.path)}?{urlencode(query)}"
        response["Link"] = f'<{address}>; rel="next"'
    lines = [schemas.PaperLine(**schemas.fields_of(row, scores[row.pk])) for row in rows]
    return schemas.Papers(papers=lines, next=address)


def _problem(request: HttpRequest, status: int, words: str) -> HttpResponse:
    return api.create_response(request, {"detail": words}, status=status)


@api.exception_handler(Http404)
def _missing(request: HttpRequest, error: Http404) -> HttpResponse:
    return _problem(request, 404, str(error))


@api.exception_handler(BadCursorError)
def _bad_cursor(request: HttpRequest, error: BadCursorError) -> HttpResponse:
    return _problem(request, 422, str(error))


@api.exception_handler(ValidationError)
def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return _problem(request, 422, " ".join(map(_in_words, error.errors)))


@api.exception_handler(Throttled)
def _too_often(request: HttpRequest, error: Throttled) -> HttpResponse:  # noqa: ARG001
    limit = settings.API_REQUESTS_PER_MINUTE
    return _problem(request, 429, f"That is more than {limit} requests a minute. Retry-After says how long to wait.")


def _in_words(error: dict[str, Any]) -> str:
    """`limit: Input should be less than or equal to 100.`"""
    names = [str(part) for part in error["loc"] if part not in {"query", "path", "wanted"}]
    words = str(error["msg"]).removeprefix("Value error, ")
    return f"{'.'.join(names)}: {words}." if names else f"{words}."
