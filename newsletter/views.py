"""What readers do with their digests: ask for one now, read one on the web."""

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter import editions, tasks
from newsletter.digest import candidates
from newsletter.digest.choice import Choice, Chooser
from newsletter.digest.readers import Reader
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest, Edition
from papers.models import Topic
from papers.views.caching import public_page
from subscribers import gate, links
from subscribers.schedule import in_words
from subscribers.views.pages import private_page, speak_to, token_page

EXAMPLE_POOL = 200  # papers that an example is chosen from
EXAMPLE_SIZE = 5


@public_page
def example(request: HttpRequest) -> HttpResponse:
    """A digest as anybody would get it today: of the topics that are named, else of everything. Nothing is stored."""
    wanted = set(request.GET.getlist("topics"))
    topics = frozenset(pk for pk, slug in Topic.objects.values_list("pk", "slug") if slug in wanted)
    edition = Edition(kind=Edition.Kind.DAILY, date=timezone.now().date())
    pool = editions.pool_of(edition, EXAMPLE_POOL)
    choices = Chooser(candidates.of(pool)).choose(Reader(topics, EXAMPLE_SIZE)) if pool else []
    if choices:
        # Its links are for the whole window, not for the frame that the mail stands in.
        mail = Renderer(edition, len(pool)).example(choices).replace("<head>", '<head><base target="_top">', 1)
        response = render(request, "newsletter/example.html", {"mail": mail})
    else:
        response = render(request, "newsletter/no_example.html")
    response["X-Robots-Tag"] = "noindex"
    return response


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


@private_page
@require_safe
def web_copy(request: HttpRequest, uid: UUID) -> HttpResponse:
    """A digest as it was mailed; its random uid is the key."""
    sent = Digest.objects.filter(uid=uid, status__in=Digest.Status.possibly_sent(), subscriber__email__isnull=False)
    digest = sent.select_related("edition", "subscriber").first()
    if digest is None:
        return render(request, "newsletter/no_copy.html", status=404)
    choices = [Choice(row.paper_id, row.reason, row.outside) for row in digest.papers.all()]
    renderer = Renderer(digest.edition, digest.edition.pool.count())
    return HttpResponse(renderer.html(digest, choices))
