"""Somebody else at the same database, at the very moment."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest
from django.db import connection


@contextmanager
def meanwhile(sql: str) -> Iterator[None]:
    """Somebody else has written this, and commits it once what happens here waits for them."""
    if connection.vendor != "postgresql":
        pytest.skip("SQLite has one writer")
    there = connection.get_connection_params() | {"context": None}
    with psycopg.connect(**there) as other, psycopg.connect(**there, autocommit=True) as watcher:

        def commit_once_awaited() -> None:
            while not watcher.execute("SELECT EXISTS (SELECT 1 FROM pg_locks WHERE NOT granted)").fetchone()[0]:  # type: ignore[index]
                pass
            other.commit()

        other.execute(sql)
        thread = threading.Thread(target=commit_once_awaited)
        thread.start()
        yield
        thread.join()
