"""The report of refused rows: CSV that a spreadsheet shows, and never runs. Pure."""

import csv
import io
from collections.abc import Iterable

from subscribers.imports.rows import Refusal

HEAD = ("line", "email", "result", "reason")
# What makes a formula of a cell: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def text_of(refusals: Iterable[Refusal]) -> str:
    """Lines of the report."""
    return lines([one.line, one.address, one.outcome.value, one.reason] for one in refusals)


def lines(rows: Iterable[Iterable[object]]) -> str:
    """CSV by RFC 4180: CRLF at the ends."""
    text = io.StringIO()
    csv.writer(text).writerows([safe(cell) for cell in row] for row in rows)
    return text.getvalue()


def safe(cell: object) -> object:
    """A text that a spreadsheet would take for a formula, with an apostrophe before it."""
    return f"'{cell}" if isinstance(cell, str) and cell.lstrip(" ").startswith(FORMULA) else cell
