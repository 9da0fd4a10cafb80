"""What papers/search.py looks into, made and kept in step by the database itself.

PostgreSQL has generated columns; SQLite has an FTS5 table and triggers that feed it.
"""

from itertools import chain
from typing import Any

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from papers.search import plain

_SIGNS = "".join(chr(code) for code in range(33, 127) if not chr(code).isalnum())
_TRIGGERS = ("inserted", "deleted", "updated")


def install(editor: BaseDatabaseSchemaEditor) -> None:
    """Make the index, with all papers that are there."""
    {"postgresql": _install_in_postgres, "sqlite": _install_in_sqlite}[editor.connection.vendor](editor)


def remove(editor: BaseDatabaseSchemaEditor) -> None:
    """Take it away again."""
    {"postgresql": _remove_from_postgres, "sqlite": _remove_from_sqlite}[editor.connection.vendor](editor)


def repair(using: str, **_: Any) -> None:
    """After migrating: on SQLite a change of the papers' table makes it anew, and loses its triggers."""
    if not _is_whole(connections[using]):
        with connections[using].schema_editor() as editor:
            install(editor)


def _is_whole(database: BaseDatabaseWrapper) -> bool:
    if database.vendor != "sqlite":
        return True
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE 'papers_search_%'")
        return bool(cursor.fetchone()[0] == len(_TRIGGERS))


def _install_in_postgres(editor: BaseDatabaseSchemaEditor) -> None:
    # unaccent() is not immutable, and needs an extension that somebody must be allowed to create. PostgreSQL's
    # parser makes one word of `p53/MDM2`, and a negative number of the end of `GPT-4`: signs are spaces here.
    accented = [chr(code) for code in chain(range(0xC0, 0x250), range(0x1E00, 0x1F00)) if len(plain(chr(code))) == 1]
    source = "".join(accented) + _SIGNS
    target = "".join(map(plain, accented)) + " " * len(_SIGNS)
    quoted = [editor.quote_value(text) for text in (source, target)]
    editor.execute(
        "CREATE OR REPLACE FUNCTION papers_plain(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE "
        f"AS $body$ SELECT translate($1, {quoted[0]}, {quoted[1]}) $body$",
        params=None,
    )
    title, authors, abstract = (
        f"setweight(to_tsvector('english', papers_plain({column})), '{weight}')"
        for column, weight in (("title", "A"), ("authors::text", "B"), ("abstract", "D"))
    )
    for column, value in (("search_title", title), ("search", f"{title} || {authors} || {abstract}")):
        editor.execute(f"ALTER TABLE papers_paper ADD COLUMN {column} tsvector GENERATED ALWAYS AS ({value}) STORED")
        editor.execute(f"CREATE INDEX paper_{column} ON papers_paper USING gin ({column})")


def _remove_from_postgres(editor: BaseDatabaseSchemaEditor) -> None:
    editor.execute("ALTER TABLE papers_paper DROP COLUMN search, DROP COLUMN search_title")
    editor.execute("DROP FUNCTION papers_plain(text)")


def _install_in_sqlite(editor: BaseDatabaseSchemaEditor) -> None:
    columns = "papers_search(rowid, title, authors, abstract)"
    new, old = (
        f"{row}.id, {row}.title, (SELECT group_concat(value, ' ; ') FROM json_each({row}.authors)), {row}.abstract"
        for row in ("new", "old")
    )
    insert = f"INSERT INTO {columns} VALUES ({new});"
    delete = f"INSERT INTO papers_search(papers_search, rowid, title, authors, abstract) VALUES ('delete', {old});"
    editor.execute("DROP TABLE IF EXISTS papers_search")
    editor.execute(
        "CREATE VIRTUAL TABLE papers_search USING fts5(title, authors, abstract, content='papers_paper', "
        "content_rowid='id', tokenize='porter unicode61 remove_diacritics 2')"
    )
    for name, event, body in (
        ("inserted", "INSERT", insert),
        ("deleted", "DELETE", delete),
        ("updated", "UPDATE OF title, authors, abstract", delete + insert),
    ):
        editor.execute(f"DROP TRIGGER IF EXISTS papers_search_{name}")
        editor.execute(f"CREATE TRIGGER papers_search_{name} AFTER {event} ON papers_paper BEGIN {body} END")
    editor.execute(f"INSERT INTO {columns} SELECT {new.replace('new.', 'papers_paper.')} FROM papers_paper")


def _remove_from_sqlite(editor: BaseDatabaseSchemaEditor) -> None:
    for name in _TRIGGERS:
        editor.execute(f"DROP TRIGGER IF EXISTS papers_search_{name}")
    editor.execute("DROP TABLE papers_search")
