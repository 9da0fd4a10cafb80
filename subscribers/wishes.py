"""What a reader asks for: topics, rhythm and amount; and what they follow and mute beside the topics."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import product
from typing import Any

from papers.models import Topic
from subscribers.models import Interest, Subscriber, Weekday
from subscribers.schedule import EVERY_DAY, Cadence, Schedule


@dataclass(frozen=True)
class Wishes:
    topics: tuple[Topic, ...] = ()
    cadence: Cadence = Cadence.DAILY
    local_hour: int = 8
    weekday: int = Weekday.MONDAY
    weekdays: int = EVERY_DAY
    zone: str = "UTC"
    digest_size: int = 5
    language: str = "en"
    papers: str = ""  # that they like, as typed on signing up; not kept by us, but told on: signals.shown

    @property
    def schedule(self) -> Schedule:
        return Schedule(self.cadence, self.local_hour, self.weekday, self.zone, self.weekdays)

    def columns(self) -> dict[str, str | int]:
        """As the subscriber's row holds them; the topics have rows of their own."""
        return {
            "cadence": self.cadence,
            "local_hour": self.local_hour,
            "weekday": self.weekday,
            "weekdays": self.weekdays,
            "zone": self.zone,
            "digest_size": self.digest_size,
            "language": self.language,
        }

    def as_json(self) -> dict[str, Any]:
        """As a row keeps them until they are carried out; the topics by their keys."""
        return {**self.columns(), "topics": [topic.pk for topic in self.topics], "papers": self.papers}

    @classmethod
    def from_json(cls, kept: dict[str, Any]) -> "Wishes":
        """As above, read again; topics that are gone meanwhile are not wished for any more."""
        known = Topic.objects.in_bulk(kept["topics"])
        topics = tuple(known[pk] for pk in kept["topics"] if pk in known)
        return cls(**{**kept, "topics": topics, "cadence": Cadence(kept["cadence"])})

    @classmethod
    def of(cls, subscriber: Subscriber) -> "Wishes":
        """What this subscriber asked for up to now."""
        return cls(
            topics=tuple(subscriber.topics.all()),
            cadence=Cadence(subscriber.cadence),
            local_hour=subscriber.local_hour,
            weekday=subscriber.weekday,
            weekdays=subscriber.weekdays,
            zone=subscriber.zone,
            digest_size=subscriber.digest_size,
            language=subscriber.language,
        )


# The four lists of what is followed and muted, by the names of their fields.
LISTS = {f"{sense.value}_{kind.value}s": (sense, kind) for sense, kind in product(Interest.Sense, Interest.Kind)}


@dataclass(frozen=True)
class Tastes:
    """What sharpens the choice: muted topics, whether rising papers may come again, and the four lists."""

    muted_topics: tuple[Topic, ...] = ()
    rising: bool = True
    follow_phrases: tuple[str, ...] = ()
    follow_authors: tuple[str, ...] = ()
    mute_phrases: tuple[str, ...] = ()
    mute_authors: tuple[str, ...] = ()

    @classmethod
    def of(cls, subscriber: Subscriber) -> "Tastes":
        """What this subscriber follows and mutes now."""
        found: dict[str, Any] = {name: [] for name in LISTS}
        for interest in subscriber.interests.all():
            found[f"{interest.sense}_{interest.kind}s"].append(interest.value)
        lists = {name: tuple(sorted(values, key=str.casefold)) for name, values in found.items()}
        return cls(muted_topics=tuple(subscriber.muted_topics.all()), rising=subscriber.rising, **lists)

    def write(self, subscriber: Subscriber) -> None:
        """Store the lists and the muted topics; `rising` is a column of the subscriber's own."""
        subscriber.muted_topics.set(self.muted_topics)
        subscriber.interests.all().delete()
        Interest.objects.bulk_create(self._interests(subscriber), ignore_conflicts=True)

    def _interests(self, subscriber: Subscriber) -> Iterable[Interest]:
        for name, (sense, kind) in LISTS.items():
            for value in getattr(self, name):
                yield Interest(subscriber=subscriber, sense=sense, kind=kind, value=value)
