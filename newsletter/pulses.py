"""Which parts of the service are alive: each task that does its work leaves a trace, at most once in its rhythm."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import redis
from django.conf import settings

from newsletter.models import Pulse
from subscribers import shared

PATIENCE = 5  # rhythms that a part may miss before somebody should look
AT_LEAST = timedelta(minutes=2)


@dataclass(frozen=True)
class Part:
    """A part in words, and the seconds between two pieces of its work. Whoever runs them all, beat wakes them."""

    words: str
    seconds: int

    def is_silent(self, last: datetime | None, at: datetime) -> bool:
        """Whether it was last heard too long ago, or never."""
        return last is None or at - last > max(AT_LEAST, PATIENCE * timedelta(seconds=self.seconds))


def parts() -> dict[str, Part]:
    """By the name of the task."""
    tick = settings.TICK_SECONDS
    return {
        "newsletter.tasks.tick": Part("Planning", tick),
        "newsletter.tasks.deliver": Part("Delivery", tick),
        "newsletter.tasks.send_letters": Part("Letters", tick),
        "subscribers.tasks.carry_out_requests": Part("Sign-ups", tick),
        "papers.tasks.fetch_due": Part("Fetching", 300),
        "newsletter.tasks.take_census": Part("Counting", 3600),
    }


def beat(task: str, at: datetime) -> None:
    """This task has done its work."""
    if part := parts().get(task):
        Pulse.objects.feel(part.words, at, timedelta(seconds=part.seconds / 2))


def waiting_tasks() -> int | None:
    """How many wake-ups wait in the queue; None where Redis does not answer."""
    try:
        return shared.ask(lambda client: int(client.llen(settings.CELERY_TASK_DEFAULT_QUEUE)))
    except redis.RedisError:
        return None
