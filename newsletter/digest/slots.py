"""Templates rendered once and filled many times: what is the same for every reader is made only once."""

import re
import secrets
from collections.abc import Callable, Mapping

from newsletter.digest.pieces import Joined, Literal

# Unguessable, so that no paper's text can hold one; made of letters, so that it survives in URLs and HTML.
_MARK = f"slot{secrets.token_hex(8)}"
_SLOT = re.compile(rf"{_MARK}([a-z_]+?)z{_MARK}")


class Slots(dict[str, str]):
    """A template's context in which every name is a slot, to be filled later."""

    def __init__(self, *names: str) -> None:
        super().__init__({name: f"{_MARK}{name}z{_MARK}" for name in names})


class Slotted:
    """A text with slots, split once; filling it is a join."""

    def __init__(self, text: str, escape: Callable[[str], str] = str) -> None:
        self._pieces = _SLOT.split(text)  # literal, name, literal, name, …, literal
        self._pieces[::2] = map(Literal, self._pieces[::2])
        self._escape = escape

    def fill(self, values: Mapping[str, str]) -> "Filled":
        """The text with every slot filled. Raises KeyError for a slot without a value.

        Values are escaped, unless they are filled texts themselves (`Filled`).
        """
        pieces = self._pieces.copy()
        for number in range(1, len(pieces), 2):
            value = values[pieces[number]]
            pieces[number] = value if isinstance(value, Filled) else self._escape(value)
        return Filled.of(pieces)


class Filled(Joined):
    """Text that is complete and must not be escaped again."""
