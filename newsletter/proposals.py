"""Papers that somebody shows instead of choosing: topics for them at once, a first taste once they have signed up.

It stands here because subscribers know topics, and nothing of papers.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt

from newsletter.models import Feedback
from papers.identity import arxiv_ids
from papers.models import Paper, Topic
from papers.models.topics import BELONGS
from subscribers import links
from subscribers.forms import LONGEST_LIST, SignUpForm
from subscribers.models import Subscriber
from subscribers.views.pages import posted_here, public_page, reads_and_posts

MOST_PAPERS = 50
MOST_TOPICS = 6


@dataclass(frozen=True)
class Proposal:
    """What a list of papers says of its reader."""

    topics: Sequence[tuple[Topic, int]]  # the most frequent first, each with its number of papers
    found: Sequence[str]  # arXiv ids, as `unknown`
    unknown: Sequence[str]
    is_cut: bool = False  # there were more than MOST_PAPERS


def propose_for(text: str) -> Proposal:
    """The topics of the papers whose arXiv ids stand in the text. Two queries."""
    ids = arxiv_ids(text[:LONGEST_LIST])
    asked = ids[:MOST_PAPERS]
    there = Paper.objects.numbers_by_arxiv_id(asked)
    belonging = Topic.objects.filter(paper_topics__paper__in=there.values(), paper_topics__strength__gte=BELONGS)
    counted = belonging.annotate(shown=Count("paper_topics")).order_by("-shown", "position", "name")[:MOST_TOPICS]
    return Proposal(
        topics=[(topic, topic.shown) for topic in counted],
        found=[one for one in asked if one in there],
        unknown=[one for one in asked if one not in there],
        is_cut=len(ids) > MOST_PAPERS,
    )


@public_page
@csrf_exempt  # as the form itself: it stands on pages that are the same for everybody
@reads_and_posts
def propose(request: HttpRequest) -> HttpResponse:
    """The sign-up form again, with all that was typed and the topics of the pasted papers. Nothing is stored."""
    if request.method != "POST":
        return redirect(links.public("subscribe"))
    if not posted_here(request):
        return render(request, "subscribers/elsewhere.html", status=403)
    proposal = propose_for(request.POST.get("papers", ""))
    form = SignUpForm(request.POST).again(proposal.topics)
    return render(request, "subscribers/subscribe.html", {"signup_form": form, "proposal": proposal})


def remember(subscriber: Subscriber, text: str, at: datetime) -> None:
    """Keep the papers of the text as liked, for the taste; what was said of a paper before stands.

    A stranger may have typed it, again and again: past MOST_PAPERS words nothing is added.
    """
    said = Feedback.objects.filter(subscriber=subscriber).count()
    ids = arxiv_ids(text)[: max(0, MOST_PAPERS - said)]
    liked = set(Paper.objects.numbers_by_arxiv_id(ids).values())
    Feedback.objects.bulk_create(
        [Feedback(subscriber=subscriber, paper_id=paper, kind=Feedback.Kind.MORE, at=at) for paper in liked],
        ignore_conflicts=True,
    )
