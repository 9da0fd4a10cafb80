"""The report of refused rows: CSV that a spreadsheet shows, and never runs."""

import csv
import io
from collections.abc import Iterable, Iterator
from itertools import islice

from subscribers.imports.rows import Refusal
from subscribers.models import Import

SAMPLE = 20
HEAD = ("line", "email", "result", "reason")
# What makes a formula of a cell: https://owasp.org/www-community/attacks/CSV_Injection
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")


def report_of(job: Import) -> Iterator[str]:
    """The whole report, piece by piece."""
    yield "\ufeff" + lines([HEAD])  # by which a spreadsheet knows UTF-8
    yield from job.reports.values_list("content", flat=True).iterator(chunk_size=10)


def sample_of(job: Import) -> list[list[str]]:
    """The first refused rows, as the report has them."""
    first = job.reports.values_list("content", flat=True).first()
    return list(islice(csv.reader(io.StringIO(first or "", newline="")), SAMPLE))


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
