"""What holds for every address of the API, also for those that do not exist."""

from collections.abc import Callable
from http import HTTPStatus

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_cache_control

from papers.views.caching import FRESH_FOR

PREFIX = "/api/"
OPEN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, HEAD, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Expose-Headers": "ETag, Link, Retry-After",
    "Access-Control-Max-Age": "86400",
}
WORDS = {
    HTTPStatus.NOT_FOUND: "There is nothing at this address. /api/v1/docs says what there is.",
    HTTPStatus.METHOD_NOT_ALLOWED: "This API can only be read: GET or HEAD.",
    HTTPStatus.INTERNAL_SERVER_ERROR: "Something broke on our side. Please try again later.",
}


def open_to_all(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[..., HttpResponseBase]:
    """Middleware: pages of any site may read (CORS), HEAD works, every error is JSON, caches know how long."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        if not request.path_info.startswith(PREFIX):
            return get_response(request)
        if request.method == "OPTIONS":
            return HttpResponse(status=HTTPStatus.NO_CONTENT, headers=OPEN)
        asked, request.method = request.method, "GET" if request.method == "HEAD" else request.method
        response = in_json(get_response(request))
        request.method = asked
        for name, value in OPEN.items():
            response[name] = value
        set_age(response)
        return response

    return middleware


def in_json(response: HttpResponseBase) -> HttpResponseBase:
    """An error page that was made for people, as the API says it."""
    if response.status_code < 400 or response.get("Content-Type", "").startswith("application/json"):
        return response
    words = WORDS.get(HTTPStatus(response.status_code), "This request cannot be read.")
    answer = JsonResponse({"detail": words}, status=response.status_code)
    for name in {"Allow", "Retry-After"} & set(response.headers):
        answer[name] = response[name]
    return answer


def set_age(response: HttpResponseBase) -> None:
    if response.status_code == HTTPStatus.TOO_MANY_REQUESTS or response.status_code >= 500:
        patch_cache_control(response, no_store=True)
    elif "Cache-Control" not in response:
        patch_cache_control(response, public=True, max_age=FRESH_FOR)
