"""Who runs a command: their name for the record, and a file for their eyes only."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from getpass import getuser
from pathlib import Path
from typing import TextIO

from django.core.management.base import CommandError


def caller() -> str:
    """Who runs this, for the record, which takes no address: a directory of users may call them by one."""
    try:
        return f"{getuser().partition('@')[0]}, at the command line"
    except (KeyError, OSError):  # a user without a name, as in a container
        return f"user {os.getuid()}, at the command line"


@contextmanager
def private_file(path: Path) -> Iterator[TextIO]:
    """A new text file for the caller's eyes only, as what is about readers is. Raises CommandError."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from error
    with open(descriptor, "w", encoding="utf-8", newline="") as file:
        os.fchmod(descriptor, 0o600)
        yield file
