"""The database's own refusal to change or delete a suppression, whoever asks: triggers.

PostgreSQL's TRUNCATE fires none of these. It takes the table's owner, and it is how `manage.py flush` empties a test's
database; SQLite's `flush` deletes row by row, and is refused.
"""

from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

TABLE = "subscribers_suppression"
REFUSAL = "suppressions are only ever added"
VERBS = ("UPDATE", "DELETE")


def install(editor: BaseDatabaseSchemaEditor) -> None:
    """Make the triggers, where they are not there yet."""
    for statement in statements(editor.connection.vendor):
        editor.execute(statement, params=None)


def remove(editor: BaseDatabaseSchemaEditor) -> None:
    """Take them away again."""
    if editor.connection.vendor == "postgresql":
        editor.execute(f"DROP TRIGGER IF EXISTS append_only ON {TABLE}")
        editor.execute("DROP FUNCTION IF EXISTS subscribers_append_only()")
        return
    for verb in VERBS:
        editor.execute(f"DROP TRIGGER IF EXISTS {trigger(verb)}")


def repair(using: str, **_: Any) -> None:
    """After migrating: on SQLite a migration that changes the table makes it anew, and loses its triggers."""
    connection = connections[using]
    if is_there(connection):
        with connection.schema_editor() as editor:
            install(editor)


def is_there(connection: BaseDatabaseWrapper) -> bool:
    """Whether the table is; it is not where the app's migrations were undone."""
    with connection.cursor() as cursor:
        return TABLE in connection.introspection.table_names(cursor)


def trigger(verb: str) -> str:
    return f"{TABLE}_no_{verb.lower()}"


def statements(vendor: str) -> list[str]:
    if vendor == "sqlite":
        return [
            f"CREATE TRIGGER IF NOT EXISTS {trigger(verb)} BEFORE {verb} ON {TABLE} "
            f"BEGIN SELECT RAISE(ABORT, '{REFUSAL}'); END"
            for verb in VERBS
        ]
    return [
        "CREATE OR REPLACE FUNCTION subscribers_append_only() RETURNS trigger LANGUAGE plpgsql AS "
        f"$body$ BEGIN RAISE EXCEPTION '{REFUSAL}' USING ERRCODE = 'restrict_violation'; END $body$",
        # By statement: even one that finds no row is refused.
        f"CREATE OR REPLACE TRIGGER append_only BEFORE UPDATE OR DELETE ON {TABLE} "
        "FOR EACH STATEMENT EXECUTE FUNCTION subscribers_append_only()",
    ]
