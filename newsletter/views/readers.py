"""A reader's own pages about the past: what was learned of them, and what they were sent."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from typing import Self

from django.conf import settings
from django.core import signing
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_safe

from newsletter.digest.reasons import telling
from newsletter.digest.tastes import taste_of
from newsletter.models import Digest, Feedback, Profile
from newsletter.numbers import is_number
from papers.models import Paper, PaperTopic
from papers.models.topics import spoken
from subscribers import links
from subscribers.models import Subscriber
from subscribers.schedule import listed
from subscribers.views.pages import reads_and_posts, speak_to, token_page

DIGESTS_SHOWN = 30
WORDS_SHOWN = 200
TOPICS_SHOWN = 8
TERMS_SHOWN = 12
LIKED = [Feedback.Kind.MORE, Feedback.Kind.SAVED]


@token_page
@reads_and_posts
def learned(request: HttpRequest, token: str) -> HttpResponse:
    """Every word the reader said of a paper, to be changed or taken back; it is all that their taste is made of."""
    subscriber = speak_to(links.read_preferences(token))
    if request.method != "POST":
        return learned_page(request, subscriber, token)
    words = Feedback.objects.filter(subscriber=subscriber)
    if "restore" in request.POST:
        return restore(request, subscriber, token)
    if "paper" in request.POST:
        paper = request.POST["paper"]
        words = words.filter(paper=int(paper)) if is_number(paper) else words.none()
    elif "all" not in request.POST:
        return redirect("learned", token)
    return say_anew(request, subscriber, token, words)


def say_anew(request: HttpRequest, subscriber: Subscriber, token: str, words: QuerySet[Feedback]) -> HttpResponse:
    """Change these words, or without a new one take them back; the page offers the undo."""
    word = request.POST.get("word", "")
    if word and word not in Feedback.Kind.values:
        return learned_page(request, subscriber, token, status=422)
    before = packed(subscriber, words, word)
    with transaction.atomic():
        if word:
            words.update(kind=word)
        else:
            words.delete()
        forget_taste(subscriber)
    return learned_page(request, subscriber, token, before=before, word=word)


def restore(request: HttpRequest, subscriber: Subscriber, token: str) -> HttpResponse:
    """Undo, for an hour: what the reader has said since, in another tab perhaps, stays."""
    try:
        before, word = unpacked(subscriber, request.POST["restore"])
    except signing.SignatureExpired:
        return learned_page(request, subscriber, token, status=409, is_too_late=True)
    except signing.BadSignature:
        return learned_page(request, subscriber, token, status=400, is_not_ours=True)
    with transaction.atomic():
        for said in before:
            as_left = Feedback.objects.filter(subscriber=subscriber, paper=said.paper_id, at=said.at, kind=word)
            as_left.update(kind=said.kind)
        if not word:  # they were taken back: whatever stands there now was said since
            Feedback.objects.bulk_create(before, ignore_conflicts=True)
        forget_taste(subscriber)
    return redirect("learned", token)


def forget_taste(subscriber: Subscriber) -> None:
    """The next digest learns it anew: a word that was changed here is as old as it was, and would not be noticed."""
    Profile.objects.filter(subscriber=subscriber).delete()


def learned_page(
    request: HttpRequest, subscriber: Subscriber, token: str, status: int = 200, **context: object
) -> HttpResponse:
    words = Feedback.objects.filter(subscriber=subscriber)
    shown = {
        "token": token,
        "words": words.select_related("paper")[:WORDS_SHOWN],
        "count": words.count(),
        "topics": listed(f"{spoken(name)} ({times})" for name, times in liked_topics(words)),
        "taste": Taste.of(subscriber),
        "kinds": list(Feedback.Kind),
        **context,
    }
    return render(request, "newsletter/learned.html", shown, status=status)


@dataclass(frozen=True)
class Taste:
    """What the latest digest looked for and away from, heaviest first: the profile in the reader's words."""

    wanted: list[str]
    unwanted: list[str]

    @classmethod
    def of(cls, subscriber: Subscriber) -> Self | None:
        profile = Profile.objects.filter(subscriber=subscriber).first()
        if profile is None:
            return None
        taste = taste_of(profile)
        return cls(telling(taste.wanted, TERMS_SHOWN), telling(taste.unwanted, TERMS_SHOWN))


def liked_topics(words: QuerySet[Feedback]) -> list[tuple[str, int]]:
    """The topics of what was liked, the most frequent first, each with how often."""
    liked = words.filter(kind__in=LIKED).order_by("-at").values_list("paper_id", flat=True)[:WORDS_SHOWN]
    links_ = PaperTopic.objects.belonging().filter(paper__in=list(liked)).order_by("topic__position")
    return Counter(links_.values_list("topic__name", flat=True)).most_common(TOPICS_SHOWN)


def packed(subscriber: Subscriber, words: QuerySet[Feedback], anew: str) -> str:
    """Some words of a reader, and what is said `anew` of all of them, signed for the way through the page and back."""
    rows = [(word.paper_id, word.kind, word.at.isoformat()) for word in words]
    return signing.dumps([rows, anew], salt=f"learned.{subscriber.uid.hex}", compress=True)


def unpacked(subscriber: Subscriber, text: str) -> tuple[list[Feedback], str]:
    """The words again, and what took their place.

    Raises SignatureExpired where they are too old, and BadSignature where they are not this reader's, or not ours.
    """
    rows, anew = signing.loads(text, salt=f"learned.{subscriber.uid.hex}", max_age=settings.KEEP_FORMER)
    there = set(Paper.objects.filter(pk__in=[row[0] for row in rows]).values_list("pk", flat=True))
    before = [
        Feedback(subscriber=subscriber, paper_id=paper, kind=kind, at=datetime.fromisoformat(at))
        for paper, kind, at in rows
        if paper in there
    ]
    return before, anew


@token_page
@require_safe
def digests(request: HttpRequest, token: str) -> HttpResponse:
    """The last digests that went out, with their papers and why each was chosen."""
    subscriber = speak_to(links.read_preferences(token))
    sent = Digest.objects.filter(subscriber=subscriber, status__in=Digest.Status.possibly_sent())
    latest = sent.select_related("edition").order_by("-planned_at").prefetch_related("papers__paper")[:DIGESTS_SHOWN]
    shown = {digest: list(digest.papers.all()) for digest in latest}
    papers = [row.paper_id for rows in shown.values() for row in rows]
    said = {word.paper_id: word for word in Feedback.objects.filter(subscriber=subscriber, paper__in=papers)}
    with_words = [(digest, [(row, said.get(row.paper_id)) for row in rows]) for digest, rows in shown.items()]
    context = {"token": token, "digests": with_words, "most": DIGESTS_SHOWN, "kinds": list(Feedback.Kind)}
    return render(request, "newsletter/digests.html", context)
