"""The public, read-only JSON API: what the site shows, for programs. See docs/api.md."""

import base64
import binascii
import logging
from collections.abc import Callable
from datetime import date, datetime
from functools import wraps
from hashlib import sha256
from typing import Annotated, Any

import redis
from django.conf import settings
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils.http import urlencode
from ninja import Field, NinjaAPI, Path, Query, Schema
from ninja.errors import HttpError
from ninja.throttling import AnonRateThrottle

from papers import trends
from papers.models import Paper, Topic
from papers.search import LONGEST_QUERY, find
from papers.summary import summary
from papers.views.caching import FRESH_FOR
from papers.views.lists import with_all_shown

log = logging.getLogger(__name__)

PAGE, LARGEST_PAGE = 20, 100
RATE = "120/min"  # a client; a page of 100 each half second is enough for anybody
SLUG = r"^[-\w]*$"
PRINTABLE = r"^[^\x00-\x1f]*$"  # PostgreSQL cannot even be asked for a NUL
LAST_ROW = 2**63 - 1  # of a BigAutoField


class Throttle(AnonRateThrottle):
    """By the client's address, as the counted proxies saw it. Without Redis nobody is refused."""

    def get_cache_key(self, request: HttpRequest) -> str:
        return "api:" + sha256((self.get_ident(request) or "").encode("utf-8", "replace")).hexdigest()

    def allow_request(self, request: HttpRequest) -> bool:
        try:
            return bool(super().allow_request(request))
        except redis.RedisError:
            log.warning("the API is not throttled: Redis does not answer")
            return True


api = NinjaAPI(
    title=f"{settings.SITE_NAME} API",
    version="1.0.0",
    description=f"Read-only and open to everybody, at most {RATE.replace('/', ' requests a ')}ute a client.",
    throttle=[Throttle(RATE)],
    urls_namespace="api",
)


class TopicOut(Schema):
    slug: str
    name: str
    description: str
    field: str


class StrengthOut(Schema):
    topic: str
    name: str
    strength: float = Field(description="0 to 1")
    source: str = Field(description="categories, text or editor")
    standing: float = Field(
        description="Of its notice, in standard deviations above what is usual there of late, -3 to 3"
    )


class PaperOut(Schema):
    """A paper as the lists show it."""

    id: int
    url: str
    title: str
    abstract: str
    summary: str = Field(description="Sentences of the abstract that say what is new")
    authors: list[str]
    arxiv_id: str | None
    doi: str | None
    categories: list[str]
    topics: list[StrengthOut]
    published_at: datetime | None
    listed_on: date | None
    links: dict[str, str]
    trend: float = Field(description="The trend score: docs/trends.md")
    notice: float = Field(description="The same without its date")
    upvotes: int | None


class ReadingOut(Schema):
    taken_at: datetime
    upvotes: int
    comments: int
    stars: int | None


class PartOut(Schema):
    words: str
    value: float


class WholePaperOut(PaperOut):
    """A paper with what its trend is made of."""

    trend_parts: list[PartOut]
    readings: list[ReadingOut]


class PapersOut(Schema):
    papers: list[PaperOut]
    next: str | None = Field(description="The address of the next page; null at the end")


class ErrorOut(Schema):
    detail: Any


class Wanted(Schema):
    """Which papers; what is left out is not asked for."""

    topic: str | None = Field(None, max_length=50, pattern=SLUG, description="A topic's slug")
    author: str | None = Field(
        None, max_length=100, pattern=PRINTABLE, description="As in an author's address: ada-lovelace"
    )
    since: date | None = Field(None, description="Listed on this day or later")
    until: date | None = Field(None, description="Listed on this day or earlier")
    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE)
    cursor: str | None = Field(None, max_length=100, description="From `next`")


class Searched(Schema):
    q: str = Field(max_length=LONGEST_QUERY, description="Words, “phrases”, -words; an arXiv id or a DOI")
    limit: int = Field(PAGE, ge=1, le=LARGEST_PAGE)


@api.get("/topics", response=list[TopicOut], summary="All topics")
def topics(request: HttpRequest) -> QuerySet[Topic]:  # noqa: ARG001 - ninja's signature
    return Topic.objects.order_by("position", "name")


@api.get("/papers", response={200: PapersOut, 400: ErrorOut}, summary="Papers, hottest first")
def papers(request: HttpRequest, response: HttpResponse, wanted: Annotated[Wanted, Query()]) -> Any:  # noqa: ARG001
    rows = Paper.objects.filter(listed_on__isnull=False)
    if wanted.topic is not None:
        rows = rows.filter(paper_topics__topic__slug=wanted.topic)
    if wanted.author is not None:
        rows = rows.filter(authorships__key=wanted.author)
    if wanted.since:
        rows = rows.filter(listed_on__gte=wanted.since)
    if wanted.until:
        rows = rows.filter(listed_on__lte=wanted.until)
    if wanted.cursor is not None:
        try:
            hot, pk = read_cursor(wanted.cursor)
        except ValueError as error:
            raise HttpError(400, "This cursor is not one of ours. Take it from `next`, unchanged.") from error
        rows = rows.filter(Q(hot__lt=hot) | Q(hot=hot, pk__gt=pk))
    found = list(with_all_shown(rows.trending())[: wanted.limit + 1])
    following = None
    if len(found) > wanted.limit:
        asked = wanted.dict(exclude_none=True) | {"cursor": cursor(found[wanted.limit - 1])}
        following = f"{settings.SITE_URL}{reverse('api:papers')}?{urlencode(asked)}"
        response["Link"] = f'<{following}>; rel="next"'
    return {"papers": [shown(paper) for paper in found[: wanted.limit]], "next": following}


@api.get("/papers/{int:pk}", response={200: WholePaperOut, 404: ErrorOut}, summary="One paper")
def paper(request: HttpRequest, pk: Annotated[int, Path(ge=1, le=LAST_ROW)]) -> Any:  # noqa: ARG001
    found = get_object_or_404(with_all_shown(Paper.objects.all()), pk=pk)
    parts = trends.trends_of([found])[found.pk].parts
    return shown(found) | {
        "trend_parts": [{"words": words, "value": value} for words, value in parts],
        "readings": list(found.readings.all()),
    }


@api.get("/search", response=PapersOut, summary="Papers that hold the words, best first")
def search(request: HttpRequest, wanted: Annotated[Searched, Query()]) -> Any:  # noqa: ARG001
    order = find(wanted.q)[: wanted.limit]
    by_row = {paper.pk: paper for paper in with_all_shown(Paper.objects.filter(pk__in=order))}
    return {"papers": [shown(by_row[pk]) for pk in order if pk in by_row], "next": None}


def shown(paper: Paper) -> dict[str, Any]:
    """A paper that came by `with_all_shown`, as PaperOut describes it."""
    readings = list(paper.readings.all())
    links = {"abstract": paper.url, "pdf": paper.pdf_url, "code": paper.code_url}
    return {
        **{name: getattr(paper, name) for name in ("title", "abstract", "authors", "arxiv_id", "doi", "categories")},
        **{name: getattr(paper, name) for name in ("published_at", "listed_on", "notice")},
        "id": paper.pk,
        "trend": paper.hot,
        "url": settings.SITE_URL + reverse("paper", args=[paper.pk, paper.slug]),
        "summary": summary(paper.abstract),
        "topics": [
            {
                "topic": given.topic.slug,
                "name": given.topic.name,
                "strength": given.strength,
                "source": given.source,
                "standing": round(given.standing, 2),
            }
            for given in paper.paper_topics.all()
        ],
        "links": {name: url for name, url in links.items() if url.startswith("https://")},
        "upvotes": readings[-1].upvotes if readings else None,
    }


def cursor(paper: Paper) -> str:
    """Where a page ended: nothing is skipped or counted to go on from there."""
    return base64.urlsafe_b64encode(f"{paper.hot!r} {paper.pk}".encode()).decode().rstrip("=")


def read_cursor(text: str) -> tuple[float, int]:
    """Raises ValueError."""
    try:
        hot, pk = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode("ascii").split(" ")
    except (binascii.Error, UnicodeError) as error:
        raise ValueError(text) from error
    value, row = float(hot), int(pk)
    if not (abs(value) < 1e9 and 0 < row <= LAST_ROW):
        raise ValueError(text)
    return value, row


def open_to_all(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware: any site may read the API, and any cache may keep what it answered."""

    @wraps(get_response)
    def middleware(request: HttpRequest) -> HttpResponse:
        response = get_response(request)
        if request.path_info.startswith("/api/"):
            response["Access-Control-Allow-Origin"] = "*"
            if response.status_code == 200:
                response["Cache-Control"] = f"public, max-age={FRESH_FOR}"
        return response

    return middleware


@api.exception_handler(Http404)
def not_found(request: HttpRequest, error: Http404) -> HttpResponse:  # noqa: ARG001
    return api.create_response(request, {"detail": "There is nothing of this number or name."}, status=404)
