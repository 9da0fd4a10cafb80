"""Templates rendered once and filled many times: what is the same for every reader is made only once."""

import re
import secrets
from collections.abc import Callable, Collection, Mapping

from newsletter.digest.pieces import Joined, Piece

# Unguessable, so that no paper's text can hold one; made of letters, so that it survives in URLs and HTML.
_MARK = f"slot{secrets.token_hex(8)}"
_SLOT = re.compile(rf"{_MARK}([a-z_]+?)z{_MARK}")


class Slots(dict[str, str]):
    """A template's context in which every name is a slot, to be filled later."""

    def __init__(self, *names: str) -> None:
        super().__init__({name: f"{_MARK}{name}z{_MARK}" for name in names})


class Slotted:
    """A plain text with slots, split once; filling it is a join."""

    def __init__(self, text: str, ready: Collection[str] = ()) -> None:
        """`ready` names the slots whose values are complete already: filled texts, and addresses of ours."""
        self._pieces: list[str] = _SLOT.split(text)  # literal, name, literal, name, …, literal
        self._pieces[::2] = map(Piece, self._pieces[::2])
        self.octets = sum(len(piece.encode()) for piece in self._pieces[::2])  # of what every copy has
        slots = [(number, self._pieces[number]) for number in range(1, len(self._pieces), 2)]
        self._ready = [(number, name) for number, name in slots if name in ready]
        self._escaped = [(number, name, self._escape(number)) for number, name in slots if name not in ready]

    def fill(self, values: Mapping[str, str]) -> Joined:
        """The text with every slot filled. Raises KeyError for a slot without a value."""
        return Joined.of(self.pieces(values))

    def pieces(self, values: Mapping[str, str]) -> list[str]:
        """The same, not yet joined."""
        pieces = self._pieces.copy()
        for number, name in self._ready:
            pieces[number] = values[name]
        for number, name, escape in self._escaped:
            pieces[number] = escape(values[name])
        return pieces

    def place_of(self, name: str) -> int:
        """Where among the pieces a slot is. Raises ValueError for one that there is not."""
        return self._pieces.index(name, 1)

    def _escape(self, number: int) -> Callable[[str], str]:  # noqa: ARG002 - plain text is the same everywhere
        return str


class SlottedHtml(Slotted):
    """The same for HTML: each value is escaped as its place asks, in text or in a quoted attribute."""

    def _escape(self, number: int) -> Callable[[str], str]:
        before = "".join(self._pieces[:number:2])
        return in_attribute if before.rfind("<") > before.rfind(">") else in_text


def in_text(value: str) -> str:
    """As HTML is written out by its standard, 13.3, "escaping a string"; so does what puts the styles inline."""
    return value.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def in_attribute(value: str) -> str:
    return in_text(value).replace('"', "&quot;")
