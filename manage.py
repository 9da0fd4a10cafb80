#!/usr/bin/env python
"""Django's command line for Trending Papers."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.management import execute_from_command_line
from django.db import OperationalError
from environs import EnvError

UNSET = "Settings come from the environment: .env.example lists them. Beside the demo, put DEMO=1 before the command."


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "newsletter.settings")
    try:
        execute_from_command_line(sys.argv)
        sys.stdout.flush()
    except (EnvError, ImproperlyConfigured) as error:
        sys.exit(f"{str(error).rstrip('.')}. {UNSET}")
    except OperationalError as error:  # gone, full, locked, or without its tables
        if "--traceback" in sys.argv:
            raise
        sys.exit(f"The database does not do what it was asked: {str(error).strip()}")
    except BrokenPipeError:
        # `| head` has seen enough. What is left would be flushed at the end, and fail once more: to nowhere with it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)


if __name__ == "__main__":
    main()
