"""What can be followed, and the papers of one topic."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import reverse

from papers.models import Paper, Topic
from papers.views.caching import public_page
from papers.views.lists import page_of
from papers.views.metadata import Metadata, feed_links


@public_page
def topics(request: HttpRequest) -> HttpResponse:
    """Everything that can be followed, under its headings."""
    fields: dict[str, list[Topic]] = {}
    for row in Topic.objects.order_by("position", "name"):
        fields.setdefault(row.field, []).append(row)
    meta = Metadata("Topics", "Every topic you can follow, by field.", reverse("topics"))
    return render(request, "papers/topics.html", {"meta": meta, "fields": fields})


@public_page
def topic(request: HttpRequest, slug: str) -> HttpResponse:
    """One topic's papers, hottest first."""
    found = get_object_or_404(Topic, slug=slug)
    page = page_of(request, Paper.objects.about(found))
    meta = Metadata(
        title=found.name,
        description=found.description,
        path=reverse("topic", args=[slug]),
        feeds=feed_links("topic_feed", slug),
        number=page.number,
    )
    return render(request, "papers/topic.html", {"meta": meta, "topic": found, "follow": [found], "page": page})
