"""Many rows as one parameter of a statement, in the words of both databases: JSON that becomes a table.

To adapt each value apart would cost more than the statement. And as its words are always the same, PostgreSQL can be
asked to parse and plan it once.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

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
    return json.dumps(list(rows), ensure_ascii=False, default=str)


def run(sql: str, values: Sequence[Any]) -> list[tuple[Any, ...]]:
    """What a hot statement returns. PostgreSQL keeps its plan as long as the connection (OPTIONS in the settings)."""
    with _cursor() as cursor:
        cursor.execute(sql, values)
        return cursor.fetchall() if cursor.description else []


def _cursor() -> CursorWrapper:
    """Django's own puts values into the words of a statement for PostgreSQL, so that none is ever the one before."""
    if connection.vendor != "postgresql":
        return connection.cursor()
    connection.ensure_connection()
    bare: Any = psycopg.Cursor(connection.connection)
    return connection.make_cursor(bare)


def instant(at: datetime) -> Any:
    """A point in time as the database takes it, apart or within JSON."""
    return connection.ops.adapt_datetimefield_value(at)
