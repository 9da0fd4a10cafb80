"""What a reader has a right to: all we know of them, and that it is forgotten."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_safe

from subscribers import leaving, links
from subscribers.export import everything_about
from subscribers.views.pages import reads_and_posts, speak_to, token_page


@token_page
@require_safe
def export(request: HttpRequest, token: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """A file to keep."""
    known = everything_about(links.read_preferences(token))
    headers = {"Content-Disposition": 'attachment; filename="trending-papers.json"'}
    return JsonResponse(known, headers=headers, json_dumps_params={"indent": 2, "ensure_ascii": False})


@token_page
@reads_and_posts
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Says what will be gone, then makes it so."""
    subscriber = speak_to(links.read_preferences(token))
    if request.method == "POST":
        leaving.erase(subscriber, timezone.now())
        return render(request, "subscribers/erased.html")
    return render(request, "subscribers/erase.html", {"token": token})
