"""What a reader asks for: topics, rhythm and amount."""

from dataclasses import dataclass

from papers.models import Topic
from subscribers.models import Subscriber, Weekday
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
        }

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
        )
