"""Runs several programs as one: started in order, watched, restarted, stopped in reverse order."""

import selectors
import signal
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from types import FrameType

from newsletter.demo.child import Child, Part
from newsletter.demo.console import Console

BEAT = 0.1  # seconds between two looks around
START_PATIENCE = 60  # seconds until a part must be ready
RESTART_PAUSE = 1  # seconds
MOST_DEATHS, DEATHS_WINDOW = 5, 60  # more deaths than this in so many seconds are no accident
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class PartFailedError(Exception):
    """A part cannot be kept running; the message says which, and how it ended."""


class Supervisor:
    """Keeps parts running until it is told to stop. One thread: signals only count, the loop acts."""

    def __init__(self, parts: list[Part], environment: Mapping[str, str], console: Console) -> None:
        self.parts = parts
        self.environment = environment
        self.console = console
        self.running: dict[str, Child] = {}
        self.deaths: defaultdict[str, deque[float]] = defaultdict(deque)
        self.restart_at: dict[str, float] = {}
        self.calls_to_stop = 0
        self.selector = selectors.DefaultSelector()

    def run(self, when_ready: Callable[[], None]) -> None:
        """Start everything, call `when_ready`, and keep it running until a signal asks to stop.

        Raises PartFailedError when a part cannot be started or kept; nothing is left running either way.
        """
        before = {number: signal.signal(number, self._on_stop_signal) for number in STOP_SIGNALS}
        try:
            self._start_all()
            if not self.calls_to_stop:
                when_ready()
            self._watch()
        finally:
            self._stop_all()
            for number, handler in before.items():
                signal.signal(number, handler)

    def _on_stop_signal(self, number: int, frame: FrameType | None) -> None:  # noqa: ARG002 - signal's signature
        self.calls_to_stop += 1

    # --- starting ---------------------------------------------------------------------------------

    def _start_all(self) -> None:
        for part in self.parts:
            if self.calls_to_stop:
                return
            self._start(part)
            self._wait_until_ready(part)

    def _start(self, part: Part) -> None:
        child = Child(part, self.environment)
        self.running[part.name] = child
        self.selector.register(child.output, selectors.EVENT_READ, child)

    def _wait_until_ready(self, part: Part) -> None:
        deadline = time.monotonic() + START_PATIENCE
        while not self.calls_to_stop and not part.is_ready():
            self._listen(BEAT)
            for child in self._dead():
                self._fail(child)
            if time.monotonic() > deadline:
                raise PartFailedError(f"{part.name} was not ready after {START_PATIENCE} seconds.")

    # --- watching ---------------------------------------------------------------------------------

    def _watch(self) -> None:
        while not self.calls_to_stop:
            self._listen(BEAT)
            for child in self._dead():
                self._bury(child)
            self._restart_the_dead()

    def _dead(self) -> list[Child]:
        return [child for child in self.running.values() if child.has_ended]

    def _listen(self, patience: float) -> None:
        """Pass on what the parts say, for at most `patience` seconds."""
        for key, _ in self.selector.select(patience):
            self._hear(key.data)

    def _hear(self, child: Child) -> bool:
        lines = child.read_lines()
        if lines is None:
            self.selector.unregister(child.output)
            child.output.close()
            return False
        for line in lines:
            if line and not child.part.quiet:
                self.console.line(child.part.name, line)
        return bool(lines)

    def _bury(self, child: Child) -> None:
        """Report a death, end what is left of the part, and plan its return."""
        name, now = child.part.name, time.monotonic()
        deaths = self.deaths[name]
        deaths.append(now)
        while deaths[0] < now - DEATHS_WINDOW:
            deaths.popleft()
        if len(deaths) > MOST_DEATHS:
            self._fail(child)
        self._end(child)
        self.console.line("demo", f"{name} {child.how_it_ended}; starting it again")
        self.restart_at[name] = now + RESTART_PAUSE

    def _restart_the_dead(self) -> None:
        for part in self.parts:
            if self.restart_at.get(part.name, float("inf")) <= time.monotonic():
                del self.restart_at[part.name]
                self._start(part)

    def _fail(self, child: Child) -> None:
        self._end(child)
        said = "\n".join(f"    {line}" for line in child.last_words) or "    (nothing)"
        name = child.part.name
        raise PartFailedError(f"{name} {child.how_it_ended} and cannot go on. Its last words:\n{said}")

    # --- stopping ---------------------------------------------------------------------------------

    def _stop_all(self) -> None:
        """In reverse order, each within its patience; a second signal ends them at once."""
        if self.running:
            self.console.line("demo", "stopping (Ctrl-C again to stop at once)")
        for part in reversed(self.parts):
            if child := self.running.get(part.name):
                self._stop(child)
        self.selector.close()

    def _stop(self, child: Child) -> None:
        child.ask_to_stop()
        deadline = time.monotonic() + child.part.patience
        while not child.has_ended and time.monotonic() < deadline and self.calls_to_stop < 2:
            self._listen(BEAT)
        if not child.has_ended and self.calls_to_stop < 2:
            self.console.line("demo", f"{child.part.name} did not stop in {child.part.patience:.0f} seconds")
        self._end(child)

    def _end(self, child: Child) -> None:
        """Leave nothing of it: neither processes nor unread lines."""
        child.kill()
        while not child.output.closed and self._hear(child):
            pass
        if not child.output.closed:
            self.selector.unregister(child.output)
            child.output.close()
        del self.running[child.part.name]
