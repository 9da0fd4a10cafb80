"""What the choice knows of a reader, read for a whole batch in a constant number of queries."""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db import connection
from django.db.models import Exists, OuterRef

from newsletter.digest import tastes
from newsletter.digest.candidates import Candidates
from newsletter.digest.taste import Taste
from newsletter.models import Digest, DigestPaper, Edition, EditionPaper, Feedback
from newsletter.rows import run
from subscribers.models import Interest, Subscriber

# A paper that was sent has taken off when it is noticed five times as much as then: 0.7 on the logarithm's scale.
TAKEN_OFF = 0.7
# And as much as 20 upvotes are, which one of seven listings ever gets: five times hardly anything is no news.
NOTICED = math.log10(1 + 20)
# PostgreSQL thinks that new papers were sent to nobody yet, until it counts again, and would rather go through what all
# readers were sent of them. A pair of columns has one index alone: that of a reader's papers.
READER_BY_READER = """
SELECT sent.subscriber_id, sent.paper_id, sent.rising, sent.digest_id
FROM unnest(%s::bigint[]) AS reader(id), LATERAL (
    SELECT * FROM newsletter_digestpaper
    WHERE subscriber_id = reader.id
      AND (subscriber_id, paper_id) >= (reader.id, %s) AND (subscriber_id, paper_id) <= (reader.id, %s)
    OFFSET 0
) AS sent"""
_SENT = DigestPaper.objects.filter(subscriber=OuterRef("subscriber"), paper=OuterRef("paper"))

NO_TASTE = Taste()


@dataclass(frozen=True)
class Reader:
    """No name, no address."""

    topics: frozenset[int]
    size: int
    seen: Collection[int] = ()  # papers that were ever sent to this reader, or that they spoke of
    # Of these, those that may be mentioned once more, and the day that they were sent.
    risen: Mapping[int, date] = field(default_factory=dict)
    muted_topics: frozenset[int] = frozenset()
    phrases: tuple[str, ...] = ()
    authors: tuple[str, ...] = ()
    muted_phrases: tuple[str, ...] = ()
    muted_authors: tuple[str, ...] = ()
    taste: Taste = NO_TASTE
    language: str = "en"  # of the reasons


def load(subscribers: Sequence[Subscriber], pool: Candidates, at: datetime, but: Edition | None = None) -> list[Reader]:
    """The readers behind these subscribers, in their order. What was sent with edition `but` does not count."""
    asked = [one.pk for one in subscribers]
    topics = _pairs(Subscriber.topics.through, asked)
    muted = _pairs(Subscriber.muted_topics.through, asked)
    sent, risen = _sent(asked, pool, but)
    known = _spoken_of(asked, pool, but)
    wishes: defaultdict[tuple[int, str, str], list[str]] = defaultdict(list)
    for interest in Interest.objects.filter(subscriber__among=asked).order_by("pk"):
        wishes[interest.subscriber_id, interest.sense, interest.kind].append(interest.value)
    learned = tastes.of(subscribers, pool, at)
    follow, mute = Interest.Sense.FOLLOW, Interest.Sense.MUTE
    phrase, author = Interest.Kind.PHRASE, Interest.Kind.AUTHOR
    return [
        Reader(
            topics=frozenset(topics[one.pk]),
            size=one.digest_size,
            seen=frozenset(sent[one.pk] | known[one.pk]),
            risen={paper: day for paper, day in risen[one.pk].items() if paper not in known[one.pk]}
            if one.rising
            else {},
            muted_topics=frozenset(muted[one.pk]),
            phrases=tuple(wishes[one.pk, follow, phrase]),
            authors=tuple(wishes[one.pk, follow, author]),
            muted_phrases=tuple(wishes[one.pk, mute, phrase]),
            muted_authors=tuple(wishes[one.pk, mute, author]),
            taste=learned.get(one.pk, NO_TASTE),
            language=one.language,
        )
        for one in subscribers
    ]


def _pairs(through: type, subscribers: Sequence[int]) -> Mapping[int, set[int]]:
    found: defaultdict[int, set[int]] = defaultdict(set)
    rows = through.objects.filter(subscriber__among=subscribers)  # type: ignore[attr-defined]
    for subscriber, topic in rows.values_list("subscriber_id", "topic_id"):
        found[subscriber].add(topic)
    return found


def _spoken_of(subscribers: Sequence[int], pool: Candidates, but: Edition | None) -> Mapping[int, set[int]]:
    """The papers of the pool that each reader said something of, wherever: they know them."""
    known: defaultdict[int, set[int]] = defaultdict(set)
    first, last = pool.span
    words = Feedback.objects.filter(subscriber__among=subscribers, paper__gte=first, paper__lte=last)
    if but is not None:
        words = words.exclude(Exists(_SENT.filter(digest__edition=but)))
    for subscriber, paper in words.values_list("subscriber_id", "paper_id"):
        if paper in pool.row_of:
            known[subscriber].add(paper)
    return known


def _sent(
    subscribers: Sequence[int], pool: Candidates, but: Edition | None
) -> tuple[Mapping[int, set[int]], Mapping[int, dict[int, date]]]:
    """The papers of the pool that each reader has, and since when those that took off since and were mentioned only
    once."""
    sent: defaultdict[int, set[int]] = defaultdict(set)
    again: set[tuple[int, int]] = set()
    noticed = list[tuple[int, int, int]]()  # enough to have taken off since
    left_out = set[int]()
    if but is not None:
        left_out.update(but.digests.filter(subscriber__among=subscribers).values_list("pk", flat=True))
    for subscriber, paper, rising, digest in _history(subscribers, *pool.span):
        if paper not in pool.row_of or digest in left_out:
            continue
        sent[subscriber].add(paper)
        if rising:
            again.add((subscriber, paper))
        elif pool.notice.get(paper, 0.0) >= NOTICED:
            noticed.append((subscriber, paper, digest))
    return sent, _risen(noticed, again, pool)


def _history(subscribers: Sequence[int], first: int, last: int) -> Iterable[tuple[int, int, bool, int]]:
    """What these readers were sent of a span of papers: reader, paper, whether as still rising, digest."""
    if connection.vendor == "postgresql":
        return run(READER_BY_READER, [list(subscribers), first, last])
    rows = DigestPaper.objects.filter(subscriber__among=subscribers, paper__gte=first, paper__lte=last).order_by()
    return rows.values_list("subscriber_id", "paper_id", "rising", "digest_id")


def _risen(
    noticed: Sequence[tuple[int, int, int]], again: Collection[tuple[int, int]], pool: Candidates
) -> Mapping[int, dict[int, date]]:
    """Of papers with their readers and digests, those that have taken off since, with the day that they were sent."""
    risen: defaultdict[int, dict[int, date]] = defaultdict(dict)
    once = [(subscriber, paper, digest) for subscriber, paper, digest in noticed if (subscriber, paper) not in again]
    if once:
        digests = Digest.objects.filter(pk__among={digest for _, _, digest in once})
        edition_of = dict(digests.order_by().values_list("pk", "edition_id"))
        days = dict(Edition.objects.filter(pk__in=set(edition_of.values())).values_list("pk", "date"))
        pools = EditionPaper.objects.filter(edition__in=days, paper__in={paper for _, paper, _ in once})
        then = {(edition, paper): notice for edition, paper, notice in pools.values_list("edition", "paper", "notice")}
        for subscriber, paper, digest in once:
            if (edition := edition_of.get(digest)) is None:
                continue  # a hand in the database has taken the digest away from its papers
            before = then.get((edition, paper))
            if before is not None and pool.notice[paper] - before >= TAKEN_OFF:
                risen[subscriber][paper] = days[edition]
    return risen
