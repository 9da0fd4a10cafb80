"""Texts that know how they are encoded, so that what all copies share is encoded once (newsletter/delivery/mime.py). To
everybody else they are plain texts."""

import binascii
from collections.abc import Sequence
from typing import Self


class Piece(str):
    """Text that stands in many copies, or many times in one; or one that was made of such."""

    _quoted: bytes | None = None
    _form: bytes = b""
    _made_of: "Sequence[Piece]" = ()

    @classmethod
    def of(cls, text: str, form: bytes, pieces: "Sequence[Piece]") -> Self:
        """A text made of these; `form` is what it is encoded, with a %b for each of them."""
        piece = cls(text)
        piece._form, piece._made_of = form, pieces
        return piece

    @classmethod
    def joined(cls, pieces: "Sequence[Piece]") -> Self:
        return cls.of("".join(pieces), b"%b" * len(pieces), pieces)

    @property
    def quoted(self) -> bytes:
        if self._quoted is None:
            parts = [one._quoted or one.quoted for one in self._made_of]
            self._quoted = self._form % tuple(parts) if self._form else quoted(self)
        return self._quoted


EMPTY = Piece()


def encoded(text: str) -> bytes:
    return text.quoted if isinstance(text, Piece) else quoted(text)


def quoted(text: str) -> bytes:
    """Quoted-printable (RFC 2045, 6.7) with its dots stuffed, from the start of a line to a line break, hard or soft:
    so encoded pieces can be joined.
    """
    if not text:
        return b""
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    whole = b"\n" + binascii.b2a_qp(lines.encode(), istext=True)
    whole = whole.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")[2:]
    return whole if lines.endswith("\n") else whole + b"=\r\n"
