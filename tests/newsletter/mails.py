"""Mails that are the same in every run: a small and a full digest, and one letter of each kind."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.core.mail import EmailMultiAlternatives

from newsletter.digest.choice import Choice
from newsletter.digest.rendering import DigestMail, Renderer
from newsletter.digest.slots import Encode
from newsletter.models import Digest, Edition
from papers.models import Paper
from subscribers.emails import Mail, envelope, letter_email
from subscribers.models import Letter, Move, Subscriber
from tests.conftest import NOW

# Titles, authors and abstracts such as sources have them after cleaning: math, accents, other scripts, signs of HTML.
PAPERS = [
    (
        "Learning on graphs with 10⁶ nodes in O(n log n) time",
        "Ada Lovelace|Emmy Noether",
        "Message passing on large graphs is slow. To bridge this gap, we propose Halving, a sampler that keeps n log n "
        "of the n² pairs. On four graphs with 10⁶ nodes it trains 12× faster and loses at most 0.4 % of accuracy.",
    ),
    (
        "Schrödinger bridges for Łukasiewicz logics",
        "Zoë Müller|Łukasz Ółęcki|Nguyễn Văn An|José Ñandú|Ada Lovelace",
        "Fuzzy logics are rarely learnt. We show that the t-norm α ⊗ β = max(0, α + β − 1) is the limit of Schrödinger "
        "bridges as ε → 0, and give an estimator whose error is O(√(d/n)). The bound is tight.",
    ),
    (
        "למידה עמוקה על גרפים",
        "דנה כהן",
        "גרפים נמצאים בכל מקום. אנו מציגים רשת שלומדת מהם במעבר אחד, ומראים שהיא מדויקת יותר מקודמותיה.",
    ),
    (
        "面向图的大规模表示学习方法与应用研究综述",
        "王小明|李雷",
        "图数据无处不在。本文综述了面向大规模图的表示学习方法，并比较了它们在推荐、化学与交通中的应用。",
    ),
    (
        "Is x < y & y < z enough? A <script> for “total” orders",
        "R. O'Hara",
        "Objective: Orders are learnt from pairs x < y. Methods: We present an algorithm that asks for <n log n> pairs "
        "& repairs those that contradict each other. Results: Three contradictions in ten are found at once.",
    ),
    (
        "Robots 🤖 that read: 👩‍🔬 assistants at work",
        "Emmy Noether|Grace Hopper|Karen Spärck Jones",
        "Laboratories run on protocols written for people. In this paper, we introduce Scribe, an arm that reads them "
        "and asks where they leave something out. In 240 runs it finished 91 % without help; most failures were "
        "spilled water.",
    ),
    ("Offline reinforcement learning without tears", "", ""),
    (
        "A title that goes on, and on, until no phone can show it where a subject has its place",
        "Ada Lovelace",
        "We present a claim that goes on as its title does, through one clause after another, past every comma at "
        "which it might have rested, into an enumeration of everything that it could be applied to, among which are "
        "sorting, searching, scheduling, and routing, until it has to be cut between two words.",
    ),
    (
        "Photons in a lattice: γ → e⁺e⁻ at ℏω ≈ 1.2 MeV",
        "Sofia Kovalevskaya|Chien-Shiung Wu",
        "Pair production near threshold is hard to see. Here we report 37 ± 6 events in a germanium lattice cooled to "
        "4 K, where σ is 2.1 times what a free nucleus gives. The excess goes with cos² θ.",
    ),
    (
        "Protein folding as translation",
        "Rosalind Franklin|Max Perutz|Dorothy Hodgkin|John Kendrew|Ada Yonath|Venki Ramakrishnan",
        "A fold is a sentence in another alphabet. We train one model on both, with 8 million pairs, and find that it "
        "folds orphan proteins as well as those with many relatives. Weights and data are open.",
    ),
    (
        "What do readers of a newsletter want? A field study with 4,112 people",
        "Hedy Lamarr|Alan Turing",
        "Recommenders are judged by clicks. This study asks readers instead: for six months 4,112 of them said of each "
        "paper whether they were glad of it. Clicks agreed in 58 % of the cases.",
    ),
    (
        "Small models, long memories",
        "Sofia Kovalevskaya",
        "We describe a cache of 64 kB that lets a model of 100 million parameters answer questions on a book. It beats "
        "models of ten times its size on three of five sets, and runs on a phone.",
    ),
]
GRAPHS, MODELS = "Graph neural networks", "Language models and agents"
TOPICS = [
    GRAPHS, "Theory", GRAPHS, GRAPHS, "Theory", "Robotics", "Reinforcement learning", "Theory", "Physics",
    "Biology and genomics", "Recommendation and search", MODELS,
]  # fmt: skip


def some_papers() -> list[Paper]:
    """The papers above under fixed numbers, some without a PDF, code or an abstract."""
    for number, (title, authors, abstract) in enumerate(PAPERS, start=1):
        Paper.objects.create(
            pk=900_000 + number,
            title=title,
            authors=authors.split("|") if authors else [],
            abstract=abstract,
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
    full = Edition(
        kind="weekly",
        date=NOW.date(),
        note="Two of these come with code: https://code.example/two?a=1&b=2.\nHave a good week & weekend!",
    )
    choices = [
        Choice(paper.pk, f"{TOPICS[number]} · {312 - 17 * number} upvotes in 2 days")
        for number, paper in enumerate(papers)
    ]
    choices[1] = Choice(papers[1].pk, "Picked by the editor · 45 upvotes", picked=True)
    choices[3] = Choice(papers[3].pk, "Still rising · Graph neural networks · 1,203 upvotes", rising=True)
    choices[4] = Choice(papers[4].pk, "Like papers you liked: total orders and repairs")
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


class InPieces(DigestMail):
    """A digest of these texts, which no edition would have; `own` as for `envelope`."""

    def __init__(self, text: Sequence[str], html: Sequence[str], **own: Any) -> None:
        Mail.__init__(self, **envelope(**{"to": "alice@example.org", "subject": "Papers", **own}))
        del self.body, self.alternatives
        self._copy, self._shown = Pieces(text, html), 0


class Pieces:
    """A reader's copy before it is joined, as DigestMail knows it."""

    def __init__(self, text: Sequence[str], html: Sequence[str]) -> None:
        self._text, self._html = text, html

    def text(self, shown: int) -> str:
        del shown
        return "".join(self._text)

    def html(self, shown: int) -> str:
        del shown
        return "".join(self._html)

    def encoded(self, shown: int, encode: Encode) -> tuple[list[Any], list[Any]]:
        del shown
        return list(map(encode, self._text)), list(map(encode, self._html))
