"""A worker's pool when it is told to stop: what is in hand is finished, whoever was told.

Celery lets the processes of its pool finish when the main process alone is told. systemd, as it comes, and a terminal
tell each of them, and mails would be cut off between the provider's answer and the ledger.
"""

import signal

from celery.signals import task_postrun, task_prerun

GRACE = 1  # seconds after a task, in which its end is told to the main process


def be_patient(**_: object) -> None:
    """Put SIGTERM off until a task is over; between tasks the process ends at once. For processes of a pool alone: a
    main process has a way of its own to stop.
    """
    task_prerun.connect(begin)
    task_postrun.connect(end)


def begin(**_: object) -> None:
    is_told = signal.alarm(0)
    signal.signal(signal.SIGTERM, signal.SIG_IGN if is_told else put_off)


def end(**_: object) -> None:
    is_told = signal.signal(signal.SIGTERM, signal.SIG_DFL) == signal.SIG_IGN
    if is_told:  # the main process ends it sooner, where it was told too and lets its pool finish
        signal.alarm(GRACE)


def put_off(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
