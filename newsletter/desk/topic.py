"""The page of a topic: its papers of late, who follows it, and how well its papers are found."""

from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from newsletter.models import Census
from papers.models import PaperTopic, Topic
from papers.quality import JUDGED, quality, training_of

PAPERS_SHOWN = 25


@require_safe
@permission_required("papers.view_topic", raise_exception=True)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """For everybody who may see topics. Readers are a number of the last census."""
    topic = get_object_or_404(Topic, pk=pk)
    census = Census.objects.first()
    model, is_learnt = training_of(topic)
    rows = PaperTopic.objects.filter(topic=topic).belonging().select_related("paper", "topic")
    context = admin.site.each_context(request) | {
        "title": "How it does",
        "opts": Topic._meta,
        "original": topic,
        "subtitle": str(topic),
        "topic": topic,
        "papers": rows.order_by("-hot", "paper")[:PAPERS_SHOWN],
        "readers": census and census.counts["topics"].get(topic.name, 0),
        "counted_at": census and census.at,
        "quality": quality(topic),
        "judged": JUDGED,
        "model": model,
        "is_learnt": is_learnt,
    }
    return render(request, "admin/desk/topic.html", context)
