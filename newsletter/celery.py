"""The Celery application: tasks are found in each app's tasks.py, the beat schedule stands here."""

import os
from datetime import timedelta

from celery import Celery
from celery.schedules import crontab
from celery.signals import setup_logging, worker_process_init
from django.conf import settings

from newsletter.worker_shutdown import be_patient

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")

MINUTE, HOUR, DAY = 60.0, timedelta(hours=1).total_seconds(), timedelta(days=1).total_seconds()


def every(seconds: float, task: str) -> dict[str, object]:
    """A beat entry whose wake-up is worthless once the next one is due, so an outage piles up none."""
    return {"task": task, "schedule": seconds, "options": {"expires": seconds}}


app = Celery("newsletter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
# Celery would put its own handlers in place of Django's LOGGING, and keep our words to warnings.
setup_logging.connect(lambda **_: None, weak=False)
worker_process_init.connect(be_patient)
app.conf.beat_schedule = {
    "tick": every(settings.TICK_SECONDS, "newsletter.tasks.tick"),
    "send the letters owed": every(settings.TICK_SECONDS, "newsletter.tasks.send_letters"),
    "remind who did not confirm": every(15 * MINUTE, "subscribers.tasks.remind"),
    "carry out the requests": every(settings.TICK_SECONDS, "subscribers.tasks.carry_out_requests"),
    "end the pauses": every(5 * MINUTE, "subscribers.tasks.end_pauses"),
    "keep the hours": every(HOUR, "subscribers.tasks.keep_the_hours"),
    "continue the imports": every(MINUTE, "subscribers.tasks.continue_imports"),
    "fetch the sources": every(5 * MINUTE, "papers.tasks.fetch_due"),
    "count the readers": every(HOUR, "newsletter.tasks.take_census"),
    "rank the papers": every(HOUR, "papers.tasks.rank"),
    # By the calendar: an interval of a week would begin anew with every restart of the scheduler.
    "train the topics": {
        "task": "papers.tasks.train_topics",
        "schedule": crontab(minute="17", hour="3", day_of_week="sunday"),
        "options": {"expires": DAY},
    },
    "learn the words": {
        "task": "papers.tasks.learn_words",
        "schedule": crontab(minute="47", hour="3", day_of_week="sunday"),
        "options": {"expires": DAY},
    },
    "forget what is old": every(DAY, "subscribers.tasks.forget"),
}
