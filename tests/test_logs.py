"""What the programs log is the settings' to say."""

import logging

from celery.app.log import Logging

from newsletter.celery import app


def test_a_worker_logs_at_our_level_whatever_celery_would() -> None:
    handlers = logging.getLogger().handlers[:]
    Logging(app).setup(loglevel="ERROR", redirect_stdouts=False)
    assert logging.getLogger().level == logging.INFO
    assert logging.getLogger().handlers == handlers
