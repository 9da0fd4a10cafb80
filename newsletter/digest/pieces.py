"""Texts that know what they were joined of, and pieces that know how they are encoded, so that what all copies share is
encoded once (newsletter/delivery/mime.py). To everybody else they are plain texts."""

import binascii
from collections.abc import Sequence
from functools import cached_property
from typing import Self


class Piece(str):
    """Text that stands in many copies, or many times in one."""

    @cached_property
    def quoted(self) -> bytes:
        return quoted(self)


class Joined(str):
    """A text and the pieces that it was joined of."""

    pieces: Sequence[str] = ()

    @classmethod
    def of(cls, pieces: Sequence[str]) -> Self:
        whole = cls("".join(pieces))
        whole.pieces = pieces
        return whole


def quoted(text: str) -> bytes:
    """Quoted-printable (RFC 2045, 6.7) with its dots stuffed, from the start of a line to a line break, hard or soft:
    so encoded pieces can be joined.
    """
    lines = text.replace("\r\n", "\n").replace("\r", "\n") if "\r" in text else text
    whole = b"\n" + binascii.b2a_qp(lines.encode(), istext=True)
    whole = whole.replace(b"\n.", b"\n..").replace(b"\n", b"\r\n")[2:]
    return whole if lines.endswith("\n") else whole + b"=\r\n"
