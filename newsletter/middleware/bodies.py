"""How much may be posted, and how it is read where nobody said how much it is."""

from collections.abc import Callable
from io import BytesIO

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent
from django.core.handlers.wsgi import WSGIRequest
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.loader import render_to_string
from django.views.defaults import bad_request

from subscribers.views.pages import private_page

LONGEST_FORM = 64_000  # bytes: the fullest preferences take a third of it
# Operators upload whole lists, providers report many events at once, and the API has a limit of its own.
LARGER = ("/admin/", "/anymail/", "/api/")
TOO_MUCH = (RequestDataTooBig, TooManyFieldsSent, TooManyFilesSent)


def bounded(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware that answers a form that is too long before anything of it is read, and measures a chunked one.

    A body sent in chunks has no Content-Length, without which Django reads nothing: what a mail program posts to
    unsubscribe would be lost. Where the server ends the input with the body (`wsgi.input_terminated`) it is read here,
    up to the limit; where it does not, nobody could tell where it ends.
    """

    def middleware(request: WSGIRequest) -> HttpResponseBase:
        limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE if request.path_info.startswith(LARGER) else LONGEST_FORM
        if not request.META.get("CONTENT_LENGTH") and request.method not in {"GET", "HEAD"}:
            if request.META.get("wsgi.input_terminated"):
                body = request.META["wsgi.input"].read(limit + 1)
                if len(body) > limit:
                    return refused("413.html", 413)
                known = {"CONTENT_LENGTH": str(len(body)), "wsgi.input": BytesIO(body)}
                return get_response(WSGIRequest(request.environ | known))
            if "HTTP_TRANSFER_ENCODING" in request.META:
                return refused("411.html", 411)
        if limit == LONGEST_FORM and length(request) > limit:
            return refused("413.html", 413)
        return get_response(request)

    return middleware


def length(request: HttpRequest) -> int:
    """The bytes that the header promises; none where it is no number, as Django reads it."""
    try:
        return int(request.META.get("CONTENT_LENGTH") or 0)
    except ValueError:
        return 0


@private_page
def refused(template: str, status: int) -> HttpResponse:
    return HttpResponse(render_to_string(template), status=status)


@private_page
def unreadable(request: HttpRequest, exception: Exception) -> HttpResponse:
    """What Django shows for a request that it cannot read: too much of something is said as that."""
    return refused("413.html", 413) if isinstance(exception, TOO_MUCH) else bad_request(request, exception)
