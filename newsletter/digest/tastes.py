"""The stored tastes of readers: learned anew when a reader has said something, and now and then as words fade."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Max

from newsletter.digest.candidates import Candidates
from newsletter.digest.taste import Taste, Word, faded, learn, read
from newsletter.models import Feedback, Profile
from papers.models import Paper
from subscribers.models import Subscriber

SAYS = {Feedback.Kind.MORE: 1.0, Feedback.Kind.SAVED: 1.0, Feedback.Kind.LESS: -1.0}
RELEARN_AFTER = timedelta(days=7)
MOST_WORDS = 100  # the latest; older ones have faded


def of(subscribers: Sequence[Subscriber], pool: Candidates, at: datetime) -> dict[int, Taste]:
    """The taste of each of these readers who has one, by row. Two queries, and four more where any is out of date."""
    asked = [one.pk for one in subscribers]
    said = Feedback.objects.filter(subscriber__among=asked).order_by()
    spoken = {row["subscriber"]: row for row in said.values("subscriber").annotate(words=Count("pk"), latest=Max("at"))}
    profiles = {profile.subscriber_id: profile for profile in Profile.objects.filter(subscriber__among=asked)}
    stale = [pk for pk, row in spoken.items() if not _is_fresh(profiles.get(pk), row["words"], row["latest"], at)]
    if stale:
        profiles |= relearn(stale, pool, at)
    return {pk: taste_of(profiles[pk]) for pk in spoken}


def taste_of(profile: Profile) -> Taste:
    return Taste(profile.terms, profile.authors, profile.likes)


def _is_fresh(profile: Profile | None, words: int, latest: datetime, at: datetime) -> bool:
    # A word that was taken back lowers the number; one that was changed is later.
    return profile is not None and (
        profile.words == words and latest <= profile.learned_at and at - profile.learned_at < RELEARN_AFTER
    )


def relearn(subscribers: Sequence[int], pool: Candidates, at: datetime) -> dict[int, Profile]:
    """Learn and store these readers' tastes; what is usual is what the edition's papers have."""
    said: defaultdict[int, list[Feedback]] = defaultdict(list)
    for word in Feedback.objects.filter(subscriber__in=subscribers).order_by("-at", "pk"):
        said[word.subscriber_id].append(word)
    wanted = {word.paper_id for words in said.values() for word in words[:MOST_WORDS]}
    texts = {
        pk: read(title, abstract, authors)
        for pk, title, abstract, authors in Paper.objects.filter(pk__in=wanted).values_list(
            "pk", "title", "abstract", "authors"
        )
    }
    usual = pool.corpus.features.usual
    profiles = {}
    for subscriber, words in said.items():
        heard = [
            Word(texts[one.paper_id], SAYS[Feedback.Kind(one.kind)] * faded(one.at, at)) for one in words[:MOST_WORDS]
        ]
        taste = learn(heard, usual)
        profiles[subscriber] = Profile(
            subscriber_id=subscriber,
            terms=dict(taste.terms),
            authors=dict(taste.authors),
            likes=taste.likes,
            words=len(words),
            learned_at=at,
        )
    Profile.objects.bulk_create(
        profiles.values(),
        update_conflicts=True,
        unique_fields=["subscriber"],
        update_fields=["terms", "authors", "likes", "words", "learned_at"],
    )
    return profiles
