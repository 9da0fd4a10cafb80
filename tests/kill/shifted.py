"""Runs Celery in a process whose clock is wrong: `python -m tests.kill.shifted SECONDS WORDS …`.

Everything of Python's in the process and in those that it forks sees the wrong time; the monotonic clock runs on.
"""

import sys
from datetime import UTC, datetime, timedelta

import time_machine
from celery.__main__ import main

if __name__ == "__main__":
    seconds = int(sys.argv.pop(1))
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=seconds), tick=True):
        main()
