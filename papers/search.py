"""Finding papers by their words: PostgreSQL's full text search, or SQLite's FTS5. See docs/archive.md.

Both index title, authors and abstract with English stems and without accents, and both are kept in step by the
database itself: papers/search_index.py.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection

from papers import identity
from papers.models import Paper

LONGEST_QUERY = 200  # characters; what follows is not read
MOST_WORDS = 20
MOST_FOUND = 200  # who wants more asks more precisely

_PARTS = re.compile(r'(?P<not>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')


@dataclass(frozen=True)
class Query:
    """What somebody looks for, in words without accents and signs: all of `wanted`, each a word or a phrase, none
    of `unwanted`."""

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Words, "phrases in quotation marks", and -words that must not be there. Never raises."""
        wanted: dict[str, None] = {}
        unwanted: dict[str, None] = {}
        for part in _PARTS.finditer(text[:LONGEST_QUERY].replace("“", '"').replace("”", '"')):
            if words := plain(part["phrase"] or part["word"] or ""):
                (unwanted if part["not"] else wanted)[words] = None
        return cls(tuple(wanted)[:MOST_WORDS], tuple(unwanted)[:MOST_WORDS])


def plain(text: str) -> str:
    """Words alone, one space between them: no accents, no signs, nothing that either database could not store."""
    decomposed = unicodedata.normalize("NFKD", text)
    kept = "".join(
        char if char.isalnum() else " " for char in decomposed if not unicodedata.combining(char) and char.isprintable()
    )
    return " ".join(unicodedata.normalize("NFC", kept).split())


def find(text: str) -> list[int]:
    """The rows of at most MOST_FOUND papers, best first: by id, in the title, by anybody, in the abstract.

    Among equals the hotter one. Empty where nothing is asked for, or only what must not be there.
    """
    query = Query.parse(text)
    found = _ENGINES[connection.vendor](query) if query.wanted else []
    return list(dict.fromkeys(chain(_by_id(text), found)))[:MOST_FOUND]


def _by_id(text: str) -> list[int]:
    # No id holds a control character, and PostgreSQL cannot even be asked for a NUL.
    asked = "".join(char for char in text[:LONGEST_QUERY] if char.isprintable())
    arxiv_id, doi = identity.arxiv_id(asked), identity.doi(asked)
    papers = Paper.objects.filter(arxiv_id=arxiv_id) if arxiv_id else Paper.objects.filter(doi=doi)
    return list(papers.values_list("pk", flat=True)) if arxiv_id or doi else []


def _rows(statement: str, parameters: list[Any] | dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


# --- PostgreSQL ---------------------------------------------------------------------------------------

# To rank is to unpack a row's index entry, so only the hottest matches are ranked: those in titles, and any.
_POSTGRES_FIND = """
    WITH found AS (
        (SELECT id FROM papers_paper WHERE search_title @@ websearch_to_tsquery('english', %(query)s)
            ORDER BY hot DESC, id LIMIT %(most)s)
        UNION
        (SELECT id FROM papers_paper WHERE search @@ websearch_to_tsquery('english', %(query)s)
            ORDER BY hot DESC, id LIMIT %(most)s)
    )
    SELECT id FROM papers_paper JOIN found USING (id)
    ORDER BY ts_rank('{0.02, 0.1, 0.3, 1}', search, websearch_to_tsquery('english', %(query)s)) DESC, hot DESC, id
    LIMIT %(most)s
"""


def _find_in_postgres(query: Query) -> list[int]:
    words = [f'"{words}"' for words in query.wanted] + [f'-"{words}"' for words in query.unwanted]
    return _rows(_POSTGRES_FIND, {"query": " ".join(words), "most": MOST_FOUND})


# --- SQLite -------------------------------------------------------------------------------------------

_SQLITE_FIND = """
    SELECT papers_paper.id FROM papers_search JOIN papers_paper ON papers_paper.id = papers_search.rowid
    WHERE papers_search MATCH %s
    ORDER BY bm25(papers_search, 20, 6, 1), papers_paper.hot DESC, papers_paper.id LIMIT %s
"""


def _find_in_sqlite(query: Query) -> list[int]:
    wanted, unwanted = ([f'"{words}"' for words in some] for some in (query.wanted, query.unwanted))
    match = " AND ".join(wanted) + "".join(f" NOT {words}" for words in unwanted)
    return _rows(_SQLITE_FIND, [match, MOST_FOUND])


_ENGINES = {"postgresql": _find_in_postgres, "sqlite": _find_in_sqlite}
