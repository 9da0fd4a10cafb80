"""Mails that are the same in every run: a small and a full digest, and one letter of each kind."""

from datetime import timedelta
from uuid import UUID

from django.core.mail import EmailMultiAlternatives

from newsletter.digest.choice import Choice
from newsletter.digest.rendering import Renderer
from newsletter.models import Digest, Edition
from papers.models import Paper
from subscribers.emails import letter_email
from subscribers.models import Letter, Move, Subscriber
from tests.conftest import NOW

# Titles, abstracts and authors such as sources have them after cleaning: math, accents, other scripts, signs of HTML.
PAPERS = [
    ("Learning on graphs with 10⁶ nodes in O(n log n) time", "Ada Lovelace|Emmy Noether"),
    ("Schrödinger bridges for Łukasiewicz logics", "Zoë Müller|Łukasz Ółęcki|Nguyễn Văn An|José Ñandú|Ada Lovelace"),
    ("למידה עמוקה על גרפים", "דנה כהן"),
    ("面向图的大规模表示学习方法与应用研究综述", "王小明|李雷"),
    ("Is x < y & y < z enough? A <script> for “total” orders", "R. O'Hara"),
    ("Robots 🤖 that read: 👩‍🔬 assistants at work", "Emmy Noether"),
    ("Offline reinforcement learning without tears", ""),
    (
        "A title that goes on, and on, until no phone can show it where a subject has its place",
        "Ada Lovelace",
    ),
    ("Small models, long memories", "Sofia Kovalevskaya"),
]
ABSTRACT = "Graphs are everywhere. We present result number {}, with α ≤ β² and 5 % less error. It holds."
REASON = "Graph neural networks · 312 upvotes"


def some_papers() -> list[Paper]:
    """The papers above under fixed numbers, some without a PDF, code or an abstract."""
    for number, (title, authors) in enumerate(PAPERS, start=1):
        Paper.objects.create(
            pk=900_000 + number,
            title=title,
            authors=authors.split("|") if authors else [],
            abstract="" if number == 7 else ABSTRACT.format(number),
            url=f"https://arxiv.org/abs/2603.{number:05}",
            pdf_url=f"https://arxiv.org/pdf/2603.{number:05}" if number != 3 else "",
            code_url=f"https://github.com/papers/number-{number}?tab=readme&x=1" if number % 2 else "",
        )
    return list(Paper.objects.order_by("pk"))


def a_reader() -> Subscriber:
    return Subscriber.objects.create(
        uid=UUID(int=1), leave_key="0123456789abcdefghijkl", email="you@lab.example.org", status="active",
        created_at=NOW - timedelta(days=17), confirmed_at=NOW - timedelta(days=17), next_digest_at=NOW,
    )  # fmt: skip


def digests() -> dict[str, tuple[Renderer, Digest, list[Choice]]]:
    """What a small and a full digest are rendered from."""
    papers, reader = some_papers(), a_reader()
    small = Edition(kind="daily", date=NOW.date())
    full = Edition(kind="weekly", date=NOW.date(), note="Two of these come with code.\nHave a good week & weekend!")
    choices = [Choice(paper.pk, REASON) for paper in papers]
    choices[1] = Choice(papers[1].pk, "Still rising · Robotics · 1,203 upvotes", rising=True)
    choices[-1] = Choice(papers[-1].pk, "From outside your topics · 98 upvotes", outside=True)
    return {
        name: (Renderer(edition, 54), Digest(uid=UUID(int=uid), edition=edition, subscriber=reader), choices[:size])
        for name, edition, uid, size in (("small", small, 2, 1), ("full", full, 3, len(papers)))
    }


def letters(reader: Subscriber) -> dict[str, EmailMultiAlternatives]:
    Move.objects.create(subscriber=reader, email="new@lab.example.org")
    kinds = Letter.Kind.values
    return {
        kind: letter_email(Letter(subscriber=reader, kind=kind, requested_at=NOW, not_before=NOW)) for kind in kinds
    }
