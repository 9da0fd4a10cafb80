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
    """A new text file for the caller's eyes only, as what is about readers is; half a file does not stay.

    Raises CommandError, also where a file is there already: it may be anything.
    """
    with _in_words(path):
        descriptor = _created(path)
        try:
            with open(descriptor, "w", encoding="utf-8", newline="") as file:
                yield file
        except BaseException:
            path.unlink(missing_ok=True)
            raise


def check_for_new_file(path: Path) -> None:
    """Raises CommandError where no new file can be written. It is taken away again until there is something to write:
    a command that was killed meanwhile can be repeated as it was.
    """
    with _in_words(path):
        os.close(_created(path))
        path.unlink()


def _created(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)


@contextmanager
def _in_words(path: Path) -> Iterator[None]:
    try:
        yield
    except FileExistsError as error:
        raise CommandError(f"{path} is there already, and is not overwritten: name another file.") from error
    except OSError as error:
        raise CommandError(f"{path} cannot be written: {error.strerror or error}.") from error
