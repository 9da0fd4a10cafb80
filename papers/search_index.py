"""What papers/search.py looks into, made and kept in step by the database itself.

PostgreSQL has generated columns; SQLite has an FTS5 table and triggers that feed it. Both index `plain` words:
SQLite by calling that function, which only our connections know, PostgreSQL by one of its own that does the same.
"""

from hashlib import sha256
from typing import Any
from unicodedata import normalize

from django.db import connections
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from papers.search import plain

LONGEST_TEXT = 50_000  # characters that are indexed; PostgreSQL refuses a row whose index entry exceeds 1 MB
_COLUMNS = ("search_title", "search_authors", "search")
_TRIGGERS = ("inserted", "deleted", "updated")


def install(editor: BaseDatabaseSchemaEditor) -> None:
    """Make the index, with all papers that are there."""
    remove(editor)
    for statement in _statements(editor.connection.vendor):
        editor.execute(statement, params=None)


def remove(editor: BaseDatabaseSchemaEditor) -> None:
    """Take it away again, whole or not."""
    if editor.connection.vendor == "postgresql":
        for column in _COLUMNS:
            editor.execute(f"ALTER TABLE papers_paper DROP COLUMN IF EXISTS {column}")
        editor.execute("DROP FUNCTION IF EXISTS papers_plain(text)")
        return
    for name in _TRIGGERS:
        editor.execute(f"DROP TRIGGER IF EXISTS papers_search_{name}")
    editor.execute("DROP TABLE IF EXISTS papers_search")


def repair(using: str, **_: Any) -> None:
    """After migrating: make anew an index that is of another make than ours.

    On SQLite a migration that changes the papers' table makes it anew, and loses its triggers.
    """
    made = _made(connections[using])
    if made and made != _expected(connections[using].vendor):
        with connections[using].schema_editor() as editor:
            install(editor)


def teach(connection: BaseDatabaseWrapper, **_: Any) -> None:
    """A new connection to SQLite learns the function that the triggers call."""
    if connection.vendor == "sqlite":
        connection.connection.create_function(
            "papers_plain", 1, lambda text: plain((text or "")[:LONGEST_TEXT]), deterministic=True
        )


def _made(database: BaseDatabaseWrapper) -> set[str]:
    """What marks the index that is there; nothing where there is none."""
    marks = {
        "postgresql": "SELECT coalesce(obj_description(oid, 'pg_proc'), 'old') FROM pg_proc "
        "WHERE proname = 'papers_plain' AND pronamespace = current_schema()::regnamespace",
        "sqlite": "SELECT sql FROM sqlite_master WHERE name IN "
        "('papers_search', 'papers_search_inserted', 'papers_search_deleted', 'papers_search_updated')",
    }
    with database.cursor() as cursor:
        cursor.execute(marks[database.vendor])
        return {row[0] for row in cursor.fetchall()}


def _expected(vendor: str) -> set[str]:
    if vendor == "postgresql":
        return {_mark(_postgres())}
    return {statement for statement in _sqlite() if statement.startswith("CREATE")}


def _statements(vendor: str) -> list[str]:
    if vendor == "sqlite":
        return _sqlite()
    statements = _postgres()
    return [*statements, f"COMMENT ON FUNCTION papers_plain(text) IS '{_mark(statements)}'"]


def _mark(statements: list[str]) -> str:
    return "papers/search_index.py, " + sha256("\n".join(statements).encode()).hexdigest()[:12]


def _postgres() -> list[str]:
    title = "to_tsvector('english', papers_plain(title))"
    # Names have no stems, and `He`, `An` and `Will` are some.
    authors = "to_tsvector('simple', papers_plain(authors::text))"
    abstract = "to_tsvector('english', papers_plain(abstract))"
    whole = f"setweight({title}, 'A') || setweight({authors}, 'B') || setweight({abstract}, 'D')"
    columns = zip(_COLUMNS, (title, authors, whole), strict=True)
    added = ", ".join(f"ADD COLUMN {column} tsvector GENERATED ALWAYS AS ({value}) STORED" for column, value in columns)
    return [
        _postgres_plain(),
        f"ALTER TABLE papers_paper {added}",
        *(f"CREATE INDEX paper_{column} ON papers_paper USING gin ({column})" for column in _COLUMNS),
    ]


def _postgres_plain() -> str:
    """As `plain`. (unaccent() is not immutable, and an extension that somebody must be allowed to create.)

    Signs become spaces because the parser makes one word of `p53/MDM2` and a negative number of the end of `GPT-4`;
    where the database has the locale C, it takes a dash for a letter. Most abstracts are ASCII, and are done sooner.
    """
    unlike = [chr(code) for code in range(0xA0, 0x530) if chr(code).isalpha() and _stays_whole(chr(code))]
    single = [char for char in unlike if len(plain(char)) == 1]
    translated = f"translate($1, '{''.join(single)}', '{''.join(map(plain, single))}')"
    for char in (*(char for char in unlike if len(plain(char)) > 1), "ẞ"):
        translated = f"replace({translated}, '{char}', '{plain(char)}')"
    folded = translated.replace("$1", r"regexp_replace(normalize(cut, NFKD), '[\u0300-\u036f]+', '', 'g')")
    signs = r"'[\u0001-/:-@[-`{-\u00bf\u00d7\u00f7\u2000-\u2bff\u3000-\u3004\u3008-\u3020]+'"
    return (
        "CREATE FUNCTION papers_plain(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $body$ "
        f"SELECT regexp_replace(CASE WHEN octet_length(cut) = length(cut) THEN cut ELSE normalize({folded}, NFC) END, "
        f"{signs}, ' ', 'g') FROM (SELECT left($1, {LONGEST_TEXT})) AS given(cut) $body$"
    )


def _stays_whole(char: str) -> bool:
    """Whether PostgreSQL's normalize() leaves a letter that `plain` makes another."""
    return plain(char) != char and normalize("NFKD", char) == char


def _sqlite() -> list[str]:
    columns = "papers_search(rowid, title, authors, abstract)"
    new, old, every = (
        f"{row}.id, papers_plain({row}.title), "
        f"papers_plain((SELECT group_concat(value, ' ') FROM json_each({row}.authors))), papers_plain({row}.abstract)"
        for row in ("new", "old", "papers_paper")
    )
    insert = f"INSERT INTO {columns} VALUES ({new});"
    delete = f"INSERT INTO papers_search(papers_search, rowid, title, authors, abstract) VALUES ('delete', {old});"
    events = ("INSERT", insert), ("DELETE", delete), ("UPDATE OF title, authors, abstract", delete + insert)
    return [
        "CREATE VIRTUAL TABLE papers_search USING fts5(title, authors, abstract, content='', "
        "tokenize='porter unicode61 remove_diacritics 2')",
        *(
            f"CREATE TRIGGER papers_search_{name} AFTER {event} ON papers_paper BEGIN {body} END"
            for name, (event, body) in zip(_TRIGGERS, events, strict=True)
        ),
        f"INSERT INTO {columns} SELECT {every} FROM papers_paper",
    ]
