"""What the workers do for papers; each task is a call into the domain."""

from celery import shared_task
from django.core.management import call_command

from papers import topics, trends


@shared_task
def rank() -> None:
    """Bring all trend scores up to date; listings and readings that were just stored are ranked at once."""
    trends.rank()


@shared_task
def assign_topics() -> None:
    """Give all papers their topics anew, after an editor has changed one."""
    topics.assign_all()


@shared_task
def train_topics() -> None:
    """Learn topics from labelled papers.

    Through the command, because what trains loads scikit-learn: web servers import this module, and start without.
    """
    call_command("train_topics")
