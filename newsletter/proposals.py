"""Papers that somebody shows instead of choosing: topics for them at once, a first taste once they have signed up.

It stands here because subscribers know topics, and nothing of papers.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.csrf import csrf_exempt

from newsletter.models import Feedback
from papers.identity import arxiv_ids
from papers.models import Paper, PaperTopic, Topic
from subscribers import links
from subscribers.forms import LONGEST_LIST, SignUpForm
from subscribers.models import Subscriber
from subscribers.views.pages import in_its_language, posted_here, reads_and_posts

MOST_PAPERS = 50
MOST_TOPICS = 6
TWO = 2  # papers of a topic are no accident


@dataclass(frozen=True)
class Proposal:
    """What a list of papers says of its reader."""

    topics: Sequence[tuple[Topic, int]]  # those to tick first, then the most frequent; each with its number of papers
    ticked: Sequence[Topic]
    found: Sequence[str]  # arXiv ids, as `unknown`
    unknown: Sequence[str]
    is_cut: bool = False  # there were more than MOST_PAPERS


def propose_for(text: str) -> Proposal:
    """The topics of the papers whose arXiv ids stand in the text. Two queries."""
    ids = arxiv_ids(text[:LONGEST_LIST])
    asked = ids[:MOST_PAPERS]
    there = Paper.objects.numbers_by_arxiv_id(asked)
    belonging = PaperTopic.objects.belonging().filter(paper__in=there.values()).select_related("topic")
    rows = belonging.order_by("topic__position", "topic__name")
    papers = Counter(row.topic for row in rows)
    likely = telling(rows, len(there))
    topics = sorted(papers.items(), key=lambda pair: (pair[0] not in likely, -pair[1]))[:MOST_TOPICS]
    return Proposal(
        topics=topics,
        ticked=[topic for topic, _ in topics if topic in likely],
        found=[one for one in asked if one in there],
        unknown=[one for one in asked if one not in there],
        is_cut=len(ids) > MOST_PAPERS,
    )


def telling(rows: Iterable[PaperTopic], papers: int) -> set[Topic]:
    """The topics that `papers` speak for clearly: two of them belong to it, or a third of them to no other as much.

    What one paper of many touches beside its subject is no wish of its reader.
    """
    belong = Counter(row.topic for row in rows)
    strongest: dict[int, PaperTopic] = {}
    for row in rows:
        best = strongest.setdefault(row.paper_id, row)
        if row.strength > best.strength:
            strongest[row.paper_id] = row
    first = Counter(row.topic for row in strongest.values())
    return {topic for topic in belong if belong[topic] >= TWO or 3 * first[topic] >= papers}


@in_its_language
@csrf_exempt  # as the form itself: it stands on pages that are the same for everybody
@reads_and_posts
def propose(request: HttpRequest) -> HttpResponse:
    """The sign-up form again, with all that was typed and the topics of the pasted papers. Nothing is stored."""
    if request.method != "POST":
        return redirect(links.public("subscribe"))
    if not posted_here(request):
        return render(request, "subscribers/elsewhere.html", status=403)
    proposal = propose_for(request.POST.get("papers", ""))
    form = SignUpForm(request.POST).again(proposal.topics, proposal.ticked)
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
