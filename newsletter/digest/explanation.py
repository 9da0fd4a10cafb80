"""A reader's candidate list of an edition, with every part of the score and why each paper was taken or left."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from math import inf

from django.conf import settings

from newsletter.digest import candidates, readers
from newsletter.digest.choice import Chooser, Line
from newsletter.digest.readers import Reader
from newsletter.models import Digest, Edition, EditionPaper
from papers.models import Paper, Topic
from subscribers.models import Subscriber


@dataclass(frozen=True)
class Explanation:
    """What is known of the reader, and what follows from it. Computed as if the digest were chosen now."""

    reader: Reader
    lines: list[tuple[str, Line]]  # titles beside them
    digest: Digest | None  # the reader's copy, where one was planned

    @property
    def profile(self) -> Iterator[tuple[str, str]]:
        """The reader in words."""
        names = dict(Topic.objects.values_list("pk", "name"))
        one = self.reader
        yield "topics", ", ".join(sorted(names[pk] for pk in one.topics)) or "none: the best of everything"
        yield "follows", ", ".join([*one.phrases, *one.authors]) or "nothing else"
        muted = [*sorted(names[pk] for pk in one.muted_topics), *one.muted_phrases, *one.muted_authors]
        yield "mutes", ", ".join(muted) or "nothing"
        yield "taste in words", weights(one.taste.terms)
        yield "taste in authors", weights(one.taste.authors)
        yield "papers in a digest", str(one.size)


def explain(subscriber: Subscriber, edition: Edition, at: datetime) -> Explanation:
    """What this edition would bring this reader, were it chosen now; as it was planned for them, if it was.

    A digest of this very edition that was sent already does not count as sent: it is what is to be explained.
    """
    if digest := edition.digests.filter(subscriber=subscriber).first():
        edition = edition.as_of(digest.revision)
    pool = candidates.load(edition)
    [reader] = readers.load([subscriber], pool, at, but=edition)
    here = replace(reader, language=settings.LANGUAGE_CODE)  # the operator's, not the reader's
    lines = [*Chooser(pool).explain(here), *banned(edition)]
    titles = dict(Paper.objects.filter(pk__in=[line.paper for line in lines]).values_list("pk", "title"))
    return Explanation(reader, [(titles[line.paper], line) for line in lines], digest)


def banned(edition: Edition) -> Iterator[Line]:
    """What an editor keeps from everybody: it is no candidate, and has no score."""
    for paper in edition.pool.filter(choice=EditionPaper.Choice.BANNED).values_list("paper_id", flat=True):
        yield Line(paper, "", 0, 0, 0, 0, -inf, "left: banned by an editor")


def weights(found: Mapping[str, float]) -> str:
    named = sorted(found.items(), key=lambda item: -abs(item[1]))
    return ", ".join(f"{name} {weight:+.2f}" for name, weight in named) or "nothing learned yet"
