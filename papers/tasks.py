"""What the workers do for papers; each task is a call into the domain."""

from celery import shared_task

from papers import topics, trends


@shared_task
def rank() -> None:
    """Bring all trend scores up to date; listings and readings that were just stored are ranked at once."""
    trends.rank()


@shared_task
def assign_topics() -> None:
    """Give all papers their topics anew, after an editor has changed one."""
    topics.assign_all()
