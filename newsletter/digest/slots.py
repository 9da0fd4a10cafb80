"""Templates rendered once and filled many times: what is the same for every reader is made only once."""

import re
import secrets
from collections.abc import Callable, Collection, Mapping
from typing import Any

# Unguessable, so that no paper's text can hold one; made of letters, so that it survives in URLs and HTML.
_MARK = f"slot{secrets.token_hex(8)}"
_SLOT = re.compile(rf"{_MARK}([a-z_]+?)z{_MARK}")

Encode = Callable[[str], Any]  # to a str or to bytes


class Slots(dict[str, str]):
    """A template's context in which every name is a slot, to be filled later."""

    def __init__(self, *names: str) -> None:
        super().__init__({name: f"{_MARK}{name}z{_MARK}" for name in names})


class Slotted:
    """A plain text with slots, split once; filling it is a copy of a list.

    A copy is made of texts, or of what they are encoded: `encode` says what of a piece is wanted, `str` for itself, and
    its result for what is the same in all copies is remembered.
    """

    def __init__(self, text: str, ready: Collection[str] = ()) -> None:
        """`ready` names the slots whose values are complete already: filled texts, and addresses of ours."""
        pieces = _SLOT.split(text)  # literal, name, literal, name, …, literal
        literals, self._names = pieces[::2], pieces[1::2]
        self._pieces: dict[Encode, list[Any]] = {str: pieces}
        self.octets = sum(len(piece.encode()) for piece in literals)  # of what every copy has
        self._escaped = [
            (place, self._escape("".join(literals[: place + 1])))
            for place, name in enumerate(self._names)
            if name not in ready
        ]

    def fill(self, values: Mapping[str, Any], encode: Encode = str) -> list[Any]:
        """What to join, every slot filled; what is ready is encoded already. Raises KeyError for a slot without a
        value.
        """
        if encode not in self._pieces:
            self._pieces[encode] = list(map(encode, self._pieces[str]))
        filled = list(map(values.__getitem__, self._names))
        for place, escape in self._escaped:
            filled[place] = encode(escape(filled[place]))
        pieces = self._pieces[encode].copy()
        pieces[1::2] = filled
        return pieces

    def _escape(self, before: str) -> Callable[[str], str]:  # noqa: ARG002 - plain text is the same everywhere
        return str


class SlottedHtml(Slotted):
    """The same for HTML: each value is escaped as its place asks, in text or in a quoted attribute."""

    def _escape(self, before: str) -> Callable[[str], str]:
        return in_attribute if before.rfind("<") > before.rfind(">") else in_text


def in_text(value: str) -> str:
    """As HTML is written out by its standard, 13.3, "escaping a string"; so does what puts the styles inline."""
    return value.replace("&", "&amp;").replace("\xa0", "&nbsp;").replace("<", "&lt;").replace(">", "&gt;")


def in_attribute(value: str) -> str:
    return in_text(value).replace('"', "&quot;")
