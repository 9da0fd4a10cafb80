"""One program under the supervisor: how it starts, what it says, how it ends."""

import contextlib
import ctypes
import os
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import IO

LAST_WORDS = 15  # lines kept to explain a death
PR_SET_PDEATHSIG = 1  # prctl(2)


def at_once() -> bool:
    """Ready as soon as it runs."""
    return True


@dataclass(frozen=True)
class Part:
    """What a program is: its name in the log, its command, when it is ready, how long it may take to stop."""

    name: str
    command: list[str]
    is_ready: Callable[[], bool] = at_once
    patience: float = 5  # seconds for a warm stop
    quiet: bool = False  # its lines are kept as last words, and not shown


def _bound_to_parent() -> Callable[[], None]:
    """For the child before exec: the kernel ends it when the supervisor dies, however that happens."""
    if not sys.platform.startswith("linux"):
        return lambda: None
    prctl = ctypes.CDLL(None, use_errno=True).prctl
    parent = os.getpid()

    def bind() -> None:
        prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it died before it was heard
            os._exit(1)

    return bind


class Child:
    """A running part, in a session of its own: the terminal's Ctrl-C reaches the supervisor alone."""

    def __init__(self, part: Part, environment: Mapping[str, str]) -> None:
        self.part = part
        self.last_words: deque[str] = deque(maxlen=LAST_WORDS)
        self._unfinished = b""
        self.process = subprocess.Popen(  # noqa: S603 - our own commands
            part.command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            preexec_fn=_bound_to_parent(),  # noqa: PLW1509 - safe: the supervisor has one thread
        )
        os.set_blocking(self.output.fileno(), False)

    @property
    def output(self) -> IO[bytes]:
        if self.process.stdout is None:
            raise ValueError("started without a pipe")
        return self.process.stdout

    @property
    def has_ended(self) -> bool:
        return self.process.poll() is not None

    @property
    def how_it_ended(self) -> str:
        code = self.process.returncode
        return f"was killed ({signal.Signals(-code).name})" if code < 0 else f"ended with exit code {code}"

    def read_lines(self) -> list[str] | None:
        """The whole lines that wait in its pipe; None once it is closed."""
        try:
            chunk = os.read(self.output.fileno(), 65536)
        except BlockingIOError:
            return []
        *lines, self._unfinished = (self._unfinished + chunk).split(b"\n")
        if not chunk:
            return None
        heard = [line.decode(errors="replace").rstrip() for line in lines]
        self.last_words.extend(line for line in heard if line)
        return heard

    def ask_to_stop(self) -> None:
        """A warm stop, of the leader alone: it tells its own processes itself."""
        self.process.terminate()

    def kill(self) -> None:
        """End it and whatever it has started."""
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
