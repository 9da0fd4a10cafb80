"""Where a page of a list ended, so that the next one begins there, whatever was added before it in the meantime.

A cursor holds the sort values of the last row (keyset pagination: no OFFSET, no COUNT). It is signed: what comes
back is what we gave out, of the right types, or it is refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import reduce
from operator import or_
from typing import Any

from django.core.signing import BadSignature, Signer
from django.db.models import Q

from papers.models import Paper, PaperQuerySet


class BadCursorError(ValueError):
    """It is not one of ours, or it belongs to another list."""


@dataclass(frozen=True)
class Order:
    """A total order of papers, such as `("-hot", "pk")`, over fields that are never null."""

    name: str
    fields: tuple[str, ...]

    def page(self, papers: PaperQuerySet, size: int, cursor: str) -> tuple[list[Paper], str]:
        """At most `size` papers after `cursor` ("" for the start), and the cursor of the next page ("" at the end).

        Raises BadCursorError.
        """
        if cursor:
            papers = papers.filter(self._after(read(self.name, cursor)))
        rows = list(papers.order_by(*self.fields)[: size + 1])
        last = rows[size - 1] if len(rows) > size else None
        return rows[:size], write(self.name, [self._value(last, name) for name in self._names]) if last else ""

    @property
    def _names(self) -> list[str]:
        return [field.removeprefix("-") for field in self.fields]

    @staticmethod
    def _value(paper: Paper, name: str) -> Any:
        value = getattr(paper, name)
        return value.isoformat() if hasattr(value, "isoformat") else value

    def _after(self, values: Sequence[Any]) -> Q:
        """Rows behind these values. The first condition is implied by the second, and lets an index begin there."""
        same: dict[str, Any] = {}
        later = []
        for field, name, value in zip(self.fields, self._names, values, strict=True):
            beyond = "lt" if field.startswith("-") else "gt"
            later.append(Q(**same, **{f"{name}__{beyond}": value}))
            same[name] = value
        first = "lte" if self.fields[0].startswith("-") else "gte"
        return Q(**{f"{self._names[0]}__{first}": values[0]}) & reduce(or_, later)


def write(name: str, values: Any) -> str:
    """A cursor for addresses. The same values give the same cursor: an ETag must not change by itself."""
    return Signer(salt=f"api cursor: {name}").sign_object(values)


def read(name: str, cursor: str) -> Any:
    """What `write` was given for a list of that name. Raises BadCursorError."""
    try:
        return Signer(salt=f"api cursor: {name}").unsign_object(cursor)
    except (BadSignature, ValueError) as error:
        raise BadCursorError("This cursor belongs to no page of this list.") from error
