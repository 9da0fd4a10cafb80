"""What the choice knows of a reader, read for a whole batch in a constant number of queries."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime

from django.db.models import Exists, OuterRef, Subquery

from newsletter.digest import tastes
from newsletter.digest.candidates import Candidates
from newsletter.digest.taste import Taste
from newsletter.models import DigestPaper, Edition, EditionPaper, Feedback
from subscribers.models import Interest, Subscriber

# A paper that was sent has taken off when it is noticed five times as much as then: 0.7 on the logarithm's scale.
TAKEN_OFF = 0.7
_NOTICE_THEN = EditionPaper.objects.filter(edition=OuterRef("digest__edition"), paper=OuterRef("paper"))
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
    risen: defaultdict[int, dict[int, date]] = defaultdict(dict)
    again: set[tuple[int, int]] = set()
    first, last = pool.span
    rows = DigestPaper.objects.filter(subscriber__among=subscribers, paper__gte=first, paper__lte=last)
    if but is not None:
        rows = rows.exclude(digest__edition=but)
    then = Subquery(_NOTICE_THEN.values("notice")[:1])
    for subscriber, paper, rising, before, day in rows.annotate(then=then).values_list(
        "subscriber_id", "paper_id", "rising", "then", "digest__edition__date"
    ):
        if paper not in pool.row_of:
            continue
        sent[subscriber].add(paper)
        if rising:
            again.add((subscriber, paper))
        elif before is not None and pool.notice.get(paper, 0.0) - before >= TAKEN_OFF:
            risen[subscriber][paper] = day
    for subscriber, paper in again:
        risen[subscriber].pop(paper, None)
    return sent, risen
