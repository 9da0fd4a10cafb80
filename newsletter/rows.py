"""Many rows as one parameter of a statement, in the words of both databases: JSON that becomes a table.

Adapting each value by itself would cost more than the statement. And as its text is always the same, PostgreSQL can be
asked to parse and plan it once.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import Any

import orjson
import psycopg
from django.db import connection
from django.db.backends.utils import CursorWrapper

Row = Mapping[str, object]
Columns = Mapping[str, str]  # names and PostgreSQL's types


def table(columns: Columns) -> str:
    """A table with these columns, made of the JSON that fills its one place."""
    if connection.vendor == "postgresql":
        typed = ", ".join(f"{name} {kind}" for name, kind in columns.items())
        return f"(SELECT * FROM json_to_recordset(%s) AS r({typed}))"
    taken = ", ".join(f"json_extract(value, '$.{name}') AS {name}" for name in columns)
    return f"(SELECT {taken} FROM json_each(%s))"


def as_json(rows: Iterable[Row]) -> str:
    return orjson.dumps(list(rows), default=str).decode()


def run(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a hot statement returns. PostgreSQL keeps its plan as long as the connection."""
    with _prepared() if connection.vendor == "postgresql" else connection.cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


@contextmanager
def _prepared() -> Iterator[CursorWrapper]:
    """Django's own cursors interpolate values on the client, so no two statements are equal.

    psycopg must not count those, as it would with a threshold: it would hold a hundred of them in memory.
    """
    connection.ensure_connection()
    server: Any = connection.connection
    bare: Any = psycopg.Cursor(server)
    server.prepare_threshold = 0
    try:
        with connection.make_cursor(bare) as cursor:
            yield cursor
    finally:
        server.prepare_threshold = None


def instant(at: datetime) -> Any:
    """A point in time as the database takes it, by itself or within JSON."""
    return connection.ops.adapt_datetimefield_value(at)
