"""What readers do with their digests: ask for one now, read one on the web."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter import editions, tasks
from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest
from subscribers import gate, links
from subscribers.schedule import in_words
from subscribers.views.pages import private, speak_to, token_page


@token_page
@require_POST
def sample(request: HttpRequest, token: str) -> HttpResponse:
    """Send the reader of this preferences link a digest now, once a day."""
    subscriber = speak_to(links.read_preferences(token))
    refusal = gate.why_not_mail(subscriber)
    planned = refusal is None and editions.plan_sample(subscriber, timezone.now())
    if planned:
        tasks.nudge(tasks.deliver)
    due = subscriber.next_digest_at
    context = {
        "token": token,
        "planned": planned,
        "refused": refusal is not None,
        "subscriber": subscriber,
        "next_digest": due and in_words(due, timezone.now(), subscriber.zone),
    }
    return render(request, "newsletter/sample.html", context)


@require_safe
def web_copy(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A digest as it was mailed; its random uid is the key."""
    digest = get_object_or_404(Digest.objects.select_related("edition", "subscriber"), uid=uid)
    if digest.status not in Digest.Status.possibly_sent() or digest.subscriber.email is None:
        return private(render(request, "newsletter/no_copy.html", status=404))
    choices = [Choice(row.paper_id, row.reason, row.outside) for row in digest.papers.all()]
    renderer = Renderer(digest.edition, digest.edition.pool.count())
    return private(HttpResponse(renderer.html(digest, choices)))
