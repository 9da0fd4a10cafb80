"""What can be followed, and the papers of one topic."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from papers.models import Paper, Topic
from papers.views.caching import public_page
from papers.views.lists import page_of


@public_page
def topics(request: HttpRequest) -> HttpResponse:
    """Everything that can be followed, under its headings."""
    fields: dict[str, list[Topic]] = {}
    for row in Topic.objects.order_by("position", "name"):
        fields.setdefault(row.field, []).append(row)
    return render(request, "papers/topics.html", {"fields": fields})


@public_page
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    """One topic's papers, hottest first."""
    found = get_object_or_404(Topic, slug=slug)
    page = page_of(request, Paper.objects.about(found))
    context = {"topic": found, "follow": [found], "page": page, "feed": request.path + "feed."}
    return render(request, "papers/topic.html", context)
