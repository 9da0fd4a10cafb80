"""Texts that know what they were joined of, so that whoever encodes them encodes what all copies share only once
(newsletter/delivery/mime.py). To everybody else they are plain texts."""

from collections.abc import Sequence
from typing import Self


class Literal(str):
    """Text that stands in every copy."""

    __slots__ = ()


class Joined(str):
    """A text and the pieces that it was joined of."""

    pieces: Sequence[str] = ()

    @classmethod
    def of(cls, pieces: Sequence[str]) -> Self:
        whole = cls("".join(pieces))
        whole.pieces = pieces
        return whole
