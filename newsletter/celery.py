"""The Celery application: tasks are found in each app's tasks.py, the beat schedule stands here."""

import os

from celery import Celery
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")

app = Celery("newsletter")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
app.conf.beat_schedule = {
    "tick": {"task": "newsletter.tasks.tick", "schedule": settings.TICK_SECONDS},
    "send owed letters": {"task": "subscribers.tasks.send_letters", "schedule": settings.TICK_SECONDS},
    "rank papers": {"task": "papers.tasks.rank", "schedule": 3600},
    "forget the unconfirmed": {"task": "subscribers.tasks.forget_unconfirmed", "schedule": 86_400},
}
