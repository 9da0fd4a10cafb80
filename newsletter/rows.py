"""Many rows as one parameter of a statement, in the words of both databases: JSON that becomes a table.

To adapt each value apart would cost more than the statement.
"""

import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

from django.db import connection

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


def instant(at: datetime) -> Any:
    """A point in time as the database takes it, apart or within JSON."""
    return connection.ops.adapt_datetimefield_value(at)
