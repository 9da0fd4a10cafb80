"""What the workers do for papers; each task is a call into the domain."""

import logging
from typing import Any

from celery import Task, shared_task
from django.core.management import call_command
from django.db import transaction
from django.utils import timezone

from papers import back_fill, harvest, similar, topics, trends
from papers.models import BackFill
from papers.sources.models import Source

log = logging.getLogger(__name__)


def nudge(task: "Task[..., None]", *arguments: Any, **named: Any) -> None:
    """Run a task soon after this transaction; with Redis gone the next tick finds the work."""

    def soon() -> None:  # Django logs what fails here by its name, which a bare partial has not
        task.delay(*arguments, **named)

    transaction.on_commit(soon, robust=True)


@shared_task
def rank() -> None:
    """Bring all trend scores up to date; listings and readings that were just stored are ranked at once."""
    trends.rank()
    trends.normalise()


@shared_task
def assign_topics() -> None:
    """Give all papers their topics anew, after an editor has changed one."""
    topics.assign_all()


@shared_task
def learn_words() -> None:
    """Look which terms tell papers apart now, and what each is to be recognised by."""
    similar.learn(timezone.now())


@shared_task
def fetch_due() -> None:
    """Wake somebody for each source that is due, and each back-fill; one that fails stops no other."""
    now = timezone.now()
    for source_id in Source.objects.due(now).values_list("pk", flat=True):
        fetch_source.delay(source_id)
    for job_id in BackFill.objects.due(now).values_list("pk", flat=True):
        go_on_with_back_fill.delay(job_id)


@shared_task
def fetch_source(source_id: int, *, asked: bool = False) -> None:
    """Fetch one source; told twice, the second finds it claimed or no longer due."""
    source = Source.objects.filter(pk=source_id).first()
    if source is None:
        return
    try:
        harvest.fetch(source, asked=asked, limit=harvest.ASKS_A_TASK)
    except harvest.BusyError as error:
        log.info("%s", error)


@shared_task
def go_on_with_back_fill(job_id: int) -> None:
    """Some answers more of a back-fill; a worker is not held by it for hours. A lost wake-up costs a tick."""
    job = BackFill.objects.due(timezone.now()).filter(pk=job_id).select_related("source").first()
    try:
        if job and back_fill.go_on(job):
            go_on_with_back_fill.delay(job_id)
    except harvest.BusyError as error:
        log.info("%s", error)


@shared_task
def train_topics() -> None:
    """Learn topics from labelled papers.

    Through the command, because what trains loads scikit-learn: web servers import this module, and start without.
    """
    call_command("train_topics")
