"""The sign-up form on other sites: the script, and the page that hands both snippets to an operator. docs/embed.md."""

from django.conf import settings
from django.contrib import admin
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string

from papers.models import Topic
from papers.views.caching import public_page
from subscribers.forms import SignUpForm
from subscribers.models import Subscriber


@public_page
def script(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The script of the second snippet, at an address that stays; it holds nobody's cookies and no origin's secrets."""
    text = render_to_string("newsletter/embed.js", {"consent_words": SignUpForm.consent_words})
    return HttpResponse(text, content_type="text/javascript; charset=utf-8")


@permission_required("subscribers.view_subscriber", raise_exception=True)
def page(request: HttpRequest) -> HttpResponse:
    """For operators: choose topics, copy a snippet."""
    topics = list(Topic.objects.all())
    wanted = set(request.GET.getlist("topics"))
    chosen = [topic for topic in topics if topic.slug in wanted]
    context = {
        **admin.site.each_context(request),
        "title": "Embed the sign-up form",
        "opts": Subscriber._meta,
        "topics": topics,
        "chosen": chosen,
        "origins": settings.EMBED_ORIGINS,
        "site_url": settings.SITE_URL,
        "form_snippet": snippet("form", chosen),
        "script_snippet": snippet("script", chosen),
    }
    return render(request, "admin/embed.html", context)


def snippet(name: str, topics: list[Topic]) -> str:
    """What an operator pastes into a page."""
    context = {"site_url": settings.SITE_URL, "topics": topics, "consent_words": SignUpForm.consent_words}
    return render_to_string(f"newsletter/_embed_{name}.html", context).strip()
