"""Finding papers by their words: PostgreSQL's full text search, or SQLite's FTS5. See docs/archive.md.

Both index title, authors and abstract as `plain` words with English stems, and both are kept in step by the database
itself: papers/search_index.py.
"""

import re
import unicodedata
from dataclasses import dataclass
from itertools import chain
from typing import Any

from django.db import connection

from papers import identity
from papers.models import Paper
from papers.models.authors import NAME_LENGTH
from papers.text import without_controls

LONGEST_QUERY = 200  # characters; what follows is not read
MOST_WORDS = 20
MOST_FOUND = 200  # who wants more asks more precisely
WINDOW = 3_000  # hottest papers that are looked at one by one before the index is asked

# PostgreSQL's own list (tsearch_data/english.stop): it indexes none of these, except in names.
_STOP_WORDS = """
    i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it
    its itself they them their theirs themselves what which who whom this that these those am is are was were be been
    being have has had having do does did doing a an the and but if or because as until while of at by for with about
    against between into through during before after above below to from up down in out on off over under again further
    then once here there when where why how all any both each few more most other some such no nor not only own same so
    than too very s t can will just don should now
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
# Letters that Unicode does not take apart, as people write them where their keyboard has none.
LETTERS = {"ø": "o", "ł": "l", "đ": "d", "ð": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "þ": "th"}

_PARTS = re.compile(r'(?P<not>-)?(?:"(?P<phrase>[^"]*)"?|(?P<word>[^\s"]+))')
_SIGNS = re.compile(r"[\W_]+")
_LETTERS = str.maketrans(LETTERS)


@dataclass(frozen=True)
class Query:
    """What somebody looks for, in plain words: all of `wanted`, each a word or a phrase, none of `unwanted`.

    Words such as `the` are left out, unless there are no others: then they are somebody's name, as in `He` or `An`.
    """

    wanted: tuple[str, ...]
    unwanted: tuple[str, ...] = ()

    @classmethod
    def parse(cls, text: str) -> "Query":
        """Words, "phrases in quotation marks", and -words that must not be there. Never raises."""
        wanted: dict[str, None] = {}
        unwanted: dict[str, None] = {}
        for part in _PARTS.finditer(text[:LONGEST_QUERY].replace("“", '"').replace("”", '"')):
            if words := plain(part["phrase"] or part["word"] or ""):
                (unwanted if part["not"] else wanted)[words] = None
        telling = [words for words in wanted if not is_common(words)] or list(wanted)
        return cls(tuple(telling)[:MOST_WORDS], tuple(words for words in unwanted if not is_common(words))[:MOST_WORDS])

    @property
    def of_names(self) -> bool:
        """Whether nobody but authors can be meant."""
        return all(map(is_common, self.wanted))


def is_common(words: str) -> bool:
    """Whether they are in every text, and so in no index."""
    return STOP_WORDS.issuperset(words.split())


def plain(text: str) -> str:
    """Words alone, in small letters, one space between them: no accents, no signs, no raised or lowered digits.

    Both databases index these, and are asked for these.
    """
    if not text.isascii():
        decomposed = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in decomposed if not unicodedata.combining(char))
    return unicodedata.normalize("NFC", _SIGNS.sub(" ", text.casefold().translate(_LETTERS))).strip()


def find(text: str) -> list[int]:
    """The rows of at most MOST_FOUND papers, best first: by id or author's full name; then those with the words in
    the title, among the authors, in the abstract.

    Among equals the hotter one. Empty where nothing is asked for, or only what must not be there.
    """
    text = without_controls(text[:LONGEST_QUERY]).strip()
    query = Query.parse(text)
    found = _ENGINES[connection.vendor](query) if query.wanted else []
    named = [] if query.unwanted else _by_name(text)
    return list(dict.fromkeys(chain(_by_id(text), named, found)))[:MOST_FOUND]


def _by_id(text: str) -> list[int]:
    arxiv_id, doi = identity.arxiv_id(text), identity.doi(text)
    if arxiv_id:
        return list(Paper.objects.numbers_by_arxiv_id([arxiv_id]).values())
    return list(Paper.objects.filter(doi=doi).values_list("pk", flat=True)) if doi else []


def _by_name(text: str) -> list[int]:
    """By an author of exactly this name, of two words or more: a single one is more often a word of ours."""
    key = identity.author_key(text)
    if "-" not in key or len(key) > NAME_LENGTH or "/" in text:
        return []
    return list(Paper.objects.by_author(key).values_list("pk", flat=True)[:MOST_FOUND])


def _rows(statement: str, parameters: list[Any] | dict[str, Any]) -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return [row[0] for row in cursor.fetchall()]


# --- PostgreSQL ---------------------------------------------------------------------------------------

# To rank is to unpack a row's index entry, so only the hottest matches are ranked: those in titles, by authors of
# that name, and any.
_POSTGRES_FIND = """
    WITH {hottest}, found AS ({candidates})
    SELECT id FROM papers_paper JOIN found USING (id)
    ORDER BY ts_rank('{{0.02, 0.1, 0.3, 1}}', search, {wanted}) DESC, hot DESC, id
    LIMIT %(most)s
"""
# The hottest matches of a common word are among the hottest papers; of a rarer one, the index has few. The planner
# cannot tell the two apart for words that stand together, and would read all papers: `hot + 0` forbids it that way.
_POSTGRES_HOTTEST = """
    {column}_hottest AS MATERIALIZED (
        SELECT id FROM (SELECT * FROM papers_paper ORDER BY hot DESC, id LIMIT %(window)s) AS hottest
        WHERE {matches} LIMIT %(most)s
    )
"""
_POSTGRES_CANDIDATES = """
    SELECT id FROM {column}_hottest UNION (
        SELECT id FROM papers_paper WHERE {matches} AND (SELECT count(*) FROM {column}_hottest) < %(most)s
        ORDER BY hot + 0 DESC, id LIMIT %(most)s
    )
"""
# What the parser makes nothing of is no query: without it, what is unwanted would find all the rest.
_POSTGRES_MATCHES = "{column} @@ {wanted} AND numnode({wanted}) > 0{but_not}"


def _find_in_postgres(query: Query) -> list[int]:
    columns = ["search_authors"] if query.of_names else ["search_title", "search_authors", "search"]
    wanted = {f"wanted{number}": words for number, words in enumerate(query.wanted)}
    unwanted = {f"unwanted{number}": words for number, words in enumerate(query.unwanted)}
    terms = {
        "wanted": f"({' && '.join(map(_postgres_part, wanted))})",
        "but_not": "".join(f" AND NOT search @@ {_postgres_part(name)}" for name in unwanted),
    }
    matches = {column: _POSTGRES_MATCHES.format(column=column, **terms) for column in columns}
    statement = _POSTGRES_FIND.format(
        hottest=",".join(_POSTGRES_HOTTEST.format(column=column, matches=matches[column]) for column in columns),
        candidates="UNION".join(_POSTGRES_CANDIDATES.format(column=name, matches=matches[name]) for name in columns),
        **terms,
    )
    return _rows(statement, {**wanted, **unwanted, "most": MOST_FOUND, "window": WINDOW})


def _postgres_part(name: str) -> str:
    """A word or phrase as English, or as it stands in a name."""
    return f"(phraseto_tsquery('english', %({name})s) || phraseto_tsquery('simple', %({name})s))"


# --- SQLite -------------------------------------------------------------------------------------------

_SQLITE_FIND = """
    SELECT papers_paper.id FROM papers_search JOIN papers_paper ON papers_paper.id = papers_search.rowid
    WHERE papers_search MATCH %s
    ORDER BY bm25(papers_search, 20, 6, 1), papers_paper.hot DESC, papers_paper.id LIMIT %s
"""


def _find_in_sqlite(query: Query) -> list[int]:
    where = "authors : " if query.of_names else ""
    wanted = " AND ".join(f'"{words}"' for words in query.wanted)
    unwanted = "".join(f' NOT "{words}"' for words in query.unwanted)
    return _rows(_SQLITE_FIND, [f"{where}({wanted}){unwanted}", MOST_FOUND])


_ENGINES = {"postgresql": _find_in_postgres, "sqlite": _find_in_sqlite}
