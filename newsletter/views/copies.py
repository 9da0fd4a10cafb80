"""What readers do with their digests: ask for one now, read one on the web, say more or less like this."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe

from newsletter import editions, tasks
from newsletter.digest import candidates
from newsletter.digest.choice import Chooser
from newsletter.digest.copies import as_submitted
from newsletter.digest.readers import Reader
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest, DigestPaper, Edition, EditionPaper, Feedback
from papers.models import Topic
from papers.tasks import nudge
from papers.views.caching import public_page
from subscribers import gate, links
from subscribers.moves import moved_since
from subscribers.schedule import in_words
from subscribers.views.pages import private_page, reads_and_posts, speak_to, token_page

EXAMPLE_POOL = 200  # papers that an example is chosen from
EXAMPLE_SIZE = 5


@public_page
def example(request: HttpRequest) -> HttpResponse:
    """A digest as anybody would get it today: of the topics that are named, else of everything. Nothing is stored."""
    wanted = set(request.GET.getlist("topics"))
    topics = frozenset(pk for pk, slug in Topic.objects.values_list("pk", "slug") if slug in wanted)
    edition = Edition(kind=Edition.Kind.DAILY, date=timezone.now().date())
    pool = [row for row in editions.pool_of(edition, EXAMPLE_POOL) if row.choice != EditionPaper.Choice.BANNED]
    choices = Chooser(candidates.of(pool)).choose(Reader(topics, EXAMPLE_SIZE)) if pool else []
    if choices:
        html = Renderer(edition, len(pool)).example(choices, settings.LANGUAGE_CODE)
        # Its links are for the whole window, not for the frame that the mail stands in.
        mail = html.replace("<head>", '<head><base target="_top">', 1)
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
        nudge(tasks.deliver)
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
def web_copy(request: HttpRequest, signed: str) -> HttpResponse:
    """A digest as it was mailed, with all its papers."""
    digest = Digest.objects.select_related("edition", "subscriber").filter(uid=uid_of(signed)).first()
    if digest is None or not is_readable(digest):
        return no_copy(request)
    renderer, choices = as_submitted(digest)
    return HttpResponse(renderer.html(digest, choices)) if choices else no_copy(request)


@csrf_exempt  # as on every page behind a secret link: subscribers/views/pages.py
@private_page
@reads_and_posts
def say(request: HttpRequest, signed: str, place: int, word: str) -> HttpResponse:
    """More like this, less, or save: a reader's word on a paper of their digest, to be taken back as easily.

    Without `word` in the form it is the word of the link. An empty one takes back what was said; the word `before` it
    stands again where the page knows of one: who saves what they liked, and takes that back, likes it still.
    """
    rows = DigestPaper.objects.select_related("digest__subscriber", "paper")
    row = rows.filter(digest__uid=uid_of(signed), place=place).first()
    if row is None or not is_readable(row.digest) or word not in Feedback.Kind.values:
        return no_copy(request)
    reader, status = row.digest.subscriber, 200
    said = Feedback.objects.filter(subscriber=reader, paper=row.paper).first()
    if request.method == "POST":
        anew = request.POST.get("word", word)
        if anew in Feedback.Kind.values:
            Feedback.objects.say(reader, row.paper, anew, timezone.now())
            query = {"before": said.kind} if said and said.kind != anew else None
            return redirect(reverse("say", args=[signed, place, anew], query=query))
        if not anew:
            before = known(request.POST.get("before"))
            Feedback.objects.take_back(reader, row.paper, timezone.now(), before)
            return redirect("say", signed, place, before or word)
        status = 422
    before = known(request.GET.get("before"))
    context = {
        "row": row,
        "word": Feedback.Kind(word),
        "kinds": sorted(Feedback.Kind, key=lambda kind: kind != word),  # the word that was asked for first
        "said": said,
        "is_said": said is not None and said.kind == word,
        "before": Feedback.Kind(before) if before else None,
    }
    with translation.override(reader.language):
        return render(request, "newsletter/say.html", context, status=status)


def known(word: str | None) -> str:
    """The word, if it is one that a reader can say of a paper."""
    return word if word in Feedback.Kind.values else ""


def uid_of(signed: str) -> UUID:
    """The digest that a signed uid opens; else of one that does not exist."""
    try:
        return links.DigestKeys().uid(signed)
    except links.BadLink:
        return UUID(int=0)


def is_readable(digest: Digest) -> bool:
    """Whether the reader has it, or may have it, is still known, and has not left the address that it went to.

    Like every link that could show or change something, those of a digest die when its reader moves.
    """
    if digest.status not in Digest.Status.possibly_sent() or digest.subscriber.email is None:
        return False
    return not moved_since(digest.subscriber, digest.submitted_at or digest.planned_at)


def no_copy(request: HttpRequest) -> HttpResponse:
    return render(request, "newsletter/no_copy.html", status=404)
