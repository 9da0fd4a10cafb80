"""One readable log from many programs, and the box that says where everything is."""

import contextlib
import os
from datetime import datetime
from typing import TextIO

COLOURS = (36, 35, 33, 32, 34)  # ANSI foregrounds
QUIET, PLAIN = "\x1b[2m", "\x1b[0m"
# A program's output may hold anything; only its text reaches the terminal.
CONTROLS = dict.fromkeys((*range(9), *range(10, 32), 127))


class Console:
    """Writes lines with the time and the name of the program that said them."""

    def __init__(self, stream: TextIO, names: list[str]) -> None:
        self.stream = stream
        self.width = max(map(len, [*names, "demo"]))
        self.coloured = stream.isatty() and "NO_COLOR" not in os.environ
        self.colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(names)}

    def line(self, name: str, text: str) -> None:
        """One line of one program; `demo` is the supervisor itself."""
        at = datetime.now().astimezone().strftime("%H:%M:%S")
        label = f"{name:<{self.width}}"
        if self.coloured:
            at, label = f"{QUIET}{at}{PLAIN}", f"\x1b[{self.colours.get(name, 1)}m{label}{PLAIN}"
        self.write(f"{at} {label} │ {text.translate(CONTROLS)}")

    def box(self, lines: list[str]) -> None:
        """A frame around a few lines that must not be missed."""
        width = max(map(len, lines))
        self.write(f"┌─{'─' * width}─┐")
        for line in lines:
            self.write(f"│ {line:<{width}} │")
        self.write(f"└─{'─' * width}─┘")

    def write(self, text: str) -> None:
        # The terminal may be gone while the programs still have to be stopped.
        with contextlib.suppress(OSError):
            print(text, file=self.stream, flush=True)
