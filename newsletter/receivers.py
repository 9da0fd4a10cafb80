"""What others tell us, passed on: a letter is owed, a provider has news."""

import gc
from datetime import datetime
from typing import Any

from anymail.signals import AnymailTrackingEvent, tracking
from celery.signals import beat_init, task_success, worker_process_init
from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.dispatch import receiver
from django.utils import timezone

from newsletter import merged_papers, personal, proposals, pulses, retention, roles, tasks
from newsletter.delivery.feedback import events
from papers.models import Paper
from papers.signals import merged, merging
from subscribers.models import Subscriber
from subscribers.signals import erasing, exporting, forgetting, letter_owed, request_stored, shown
from subscribers.tasks import carry_out_requests

OBJECTS = 10_000  # that a worker makes before it looks which of them nobody uses any more


@receiver(letter_owed)
def send_it_soon(**_: Any) -> None:
    tasks.call_for_letters()


@receiver(request_stored)
def carry_it_out_soon(**_: Any) -> None:
    carry_out_requests.delay()


@receiver(post_migrate)
def grant_the_roles(app_config: AppConfig, **_: Any) -> None:
    roles.grant(app_config)


@beat_init.connect
def wake_every_part(**_: Any) -> None:
    """At once: what has a long rhythm would seem dead for the whole of its first one, or after each restart."""
    for entry in tasks.tick.app.conf.beat_schedule.values():
        if entry["task"] in pulses.parts():
            tasks.tick.app.tasks[entry["task"]].apply_async(**entry["options"])


@worker_process_init.connect
def take_the_code_for_granted(**_: Any) -> None:
    """What a worker has loaded before its first task stays: looked through again and again for what is no longer used,
    it is 6 % of a message. So would be 3 % what comes later, after each 700 objects, as Python would have it.
    """
    gc.freeze()
    gc.set_threshold(OBJECTS)


@task_success.connect
def feel_the_pulse(sender: Any, **_: Any) -> None:
    pulses.beat(sender.name, timezone.now())


@receiver(tracking)
def keep_event(event: AnymailTrackingEvent, esp_name: str, **_: Any) -> None:
    events.store(event, esp_name)


@receiver(exporting)
def tell_what_was_sent(subscriber: Subscriber, **_: Any) -> dict[str, Any]:
    return personal.export(subscriber)


@receiver(erasing)
def forget_what_was_sent(subscriber: Subscriber, **_: Any) -> None:
    personal.erase(subscriber)


@receiver(forgetting)
def forget_what_is_old(at: datetime, **_: Any) -> dict[str, int]:
    return retention.forget(at)


@receiver(shown)
def learn_from_what_was_shown(subscriber: Subscriber, papers: str, at: datetime, **_: Any) -> None:
    proposals.remember(subscriber, papers, at)


@receiver(merging)
def settle_what_cannot_both_stay(keep: Paper, drop: Paper, **_: Any) -> None:
    merged_papers.settle(keep, drop)


@receiver(merged)
def put_the_merging_on_record(paper: Paper, former: Any, values: Any, by: Any, **_: Any) -> None:
    merged_papers.put_on_record(paper, former, values, by)
