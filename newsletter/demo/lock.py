"""One demo per folder: two would fight over its database, its Redis and its mail."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class AlreadyRunningError(Exception):
    """Another demo holds the folder; the message is the note that it left: where it can be found."""


@contextmanager
def held(folder: Path, note: str) -> Iterator[None]:
    """Hold the folder, with a note for others. Raises AlreadyRunningError when somebody else does.

    The kernel lets go of the lock when the process ends, however that happens.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (folder / "demo.lock").open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.seek(0)
            raise AlreadyRunningError(file.read().strip()) from error
        file.truncate(0)
        file.write(f"{note} (process {os.getpid()})")
        file.flush()
        yield
