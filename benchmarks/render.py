"""What a digest costs to render, beside what it would cost otherwise.

    python -m benchmarks.render

CPU time of one process, the best of several runs. The digest has twelve papers of the seed page; every reader has
another address, other links and other reasons. The table stands in docs/email.md.
"""

import atexit
import contextlib
import os
import tempfile
import time
import timeit
from collections.abc import Callable, Sequence
from pathlib import Path

import django

SERVERS = contextlib.ExitStack()
atexit.register(SERVERS.close)
_VAR = SERVERS.enter_context(tempfile.TemporaryDirectory())
os.environ |= {
    "DEMO": "1", "VAR_DIR": _VAR, "DATABASE_URL": f"sqlite:///{_VAR}/papers.sqlite3", "LOG_LEVEL": "ERROR",
    "SITE_URL": "https://papers.example", "DJANGO_SETTINGS_MODULE": "newsletter.settings",
}  # fmt: skip
django.setup()

from django.core.management import call_command  # noqa: E402 - the settings read the environment made above
from django.utils import timezone  # noqa: E402

from newsletter import editions  # noqa: E402
from newsletter.delivery.wire.mime import as_data  # noqa: E402
from newsletter.digest.choice import Choice  # noqa: E402
from newsletter.digest.rendering import Renderer  # noqa: E402
from newsletter.models import Digest, Edition  # noqa: E402
from papers.models import Paper  # noqa: E402
from subscribers.models import Subscriber  # noqa: E402
from subscribers.styling import inlined  # noqa: E402
from tests.newsletter.plainly import contexts_of, plain_html, plain_text, same  # noqa: E402

PAPERS, READERS, RUNS = 12, 200, 15
SEEDS = Path(__file__).parents[1] / "seeds"
Copy = tuple[Digest, list[Choice]]


def main() -> None:
    call_command("migrate", verbosity=0)
    call_command("load_topics", verbosity=0)
    call_command("import_papers", str(SEEDS / "trending.txt"), year=2026, verbosity=0)
    authors = ["Ada Lovelace", "Emmy Noether", "Sofia Kovalevskaya"]
    urls = {"url": "https://arxiv.org/abs/2302.14231", "pdf_url": "https://arxiv.org/pdf/2302.14231"}
    Paper.objects.update(authors=authors, **urls)
    edition = editions.open_edition("daily", Paper.objects.latest("listed_on").listed_on)
    papers = [row.paper_id for row in edition.pool.all()[:PAPERS]]
    renderer = Renderer(edition, edition.pool.count())
    report(renderer, [copy_for(number, edition, papers) for number in range(READERS)])


def copy_for(number: int, edition: Edition, papers: Sequence[int]) -> Copy:
    now = timezone.now()
    reader = Subscriber(email=f"reader{number}@example.org", confirmed_at=now)
    digest = Digest(edition=edition, subscriber=reader, not_before=now, expires_at=now)
    return digest, [Choice(pk, f"Graph neural networks · {number + pk} upvotes") for pk in papers]


def report(renderer: Renderer, copies: Sequence[Copy]) -> None:
    assert same(renderer, *copies[0])
    rendered, message = renderer.render(*copies[0]), renderer.message(*copies[0])
    cards, now = contexts_of(copies[0][1]), timezone.now()
    whole = plain_html(renderer, *copies[0], cards)
    print(f"{PAPERS} papers: HTML {len(rendered.html.encode()):,} octets, text {len(rendered.text.encode()):,}\n")
    ways: dict[str, Callable[[Copy], object]] = {
        "joined: subject, headers, HTML and text": lambda copy: renderer.render(*copy),
        "joined as it goes over SMTP, MIME and all": lambda copy: as_data(renderer.message(*copy), now),
        "Django's templates, HTML": lambda copy: plain_html(renderer, *copy, cards),
        "Django's templates, text": lambda copy: plain_text(renderer, *copy, cards),
        "styles put inline": lambda _: inlined(whole),
        "MIME: `EmailMultiAlternatives.message().as_bytes()`": lambda _: message.message().as_bytes(),
    }
    print("| one digest | µs of CPU |\n|---|---|")
    for name, way in ways.items():
        print(f"| {name} | {cost(way, copies):,.0f} |", flush=True)


def cost(way: Callable[[Copy], object], copies: Sequence[Copy]) -> float:
    """Microseconds of CPU for one digest."""

    def all_of_them() -> None:
        for copy in copies:
            way(copy)

    return min(timeit.repeat(all_of_them, number=1, repeat=RUNS, timer=time.process_time)) / len(copies) * 1e6


if __name__ == "__main__":
    main()
