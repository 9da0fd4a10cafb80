"""The words that readers meet, gathered from the code: `make translations` brings newsletter/locale/ up to date.

Django's own way needs GNU gettext; Babel does the same work in Python, and Django itself reads its templates for it.
"""

import json
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[1]
LOCALE = ROOT / "newsletter" / "locale"
SPOKEN = ["newsletter", "papers", "subscribers", "templates", "seeds"]
LAZY = {f"{name}_lazy": DEFAULT_KEYWORDS[name] for name in ("gettext", "ngettext", "pgettext", "npgettext")}


def main() -> int:
    """Write every catalogue anew; 1 where one of them has gaps or faults, each of them named."""
    faults = [
        f"{path.relative_to(ROOT)}: {fault}" for path in catalogues() for fault in faults_in(bring_up_to_date(path))
    ]
    print("\n".join(faults or ["Every language is complete."]))
    return bool(faults)


def catalogues() -> list[Path]:
    return sorted(LOCALE.glob("*/LC_MESSAGES/django.po"))


def bring_up_to_date(path: Path) -> Catalog:
    """Take in new messages, put aside those that are gone, and compile the file beside it.

    What was put aside comes back with its translation when its message does.
    """
    catalog, current = read(path), gathered()
    for message in catalog.obsolete.values():
        if all(forms(message)) and catalog.get(message.id, message.context) is None:
            catalog[message.id] = message
    catalog.obsolete.clear()
    current.creation_date = catalog.creation_date  # a date would be a conflict in every merge
    catalog.update(current, no_fuzzy_matching=True)
    with path.open("wb") as file:
        write_po(file, catalog, width=120, sort_by_file=True, include_lineno=False)
    path.with_suffix(".mo").write_bytes(compiled(catalog))
    return catalog


def read(path: Path) -> Catalog:
    with path.open("rb") as file:
        return read_po(file, locale=path.parts[-3], abort_invalid=True)


def compiled(catalog: Catalog) -> bytes:
    file = BytesIO()
    write_mo(file, catalog)
    return file.getvalue()


def gathered() -> Catalog:
    """Every message in the code, in the templates and in the seeds."""
    catalog = Catalog()
    for path in sorted(path for folder in SPOKEN for path in (ROOT / folder).rglob("*") if path.is_file()):
        for line, words, comments, context in messages_in(path):
            where = [(path.relative_to(ROOT).as_posix(), line)]
            catalog.add(words, locations=where, auto_comments=comments, context=context)
    return catalog


def messages_in(path: Path) -> Iterator[tuple[int, str | tuple[str, ...], list[str], str | None]]:
    """Line, words (with the plural), comments for translators, context."""
    if path.suffix == ".py":
        source = path.read_bytes()
    elif "templates" in path.parts and path.suffix in {".html", ".txt"}:
        # In brackets, what is left of a template is Python without lines, and so without indentation.
        source = f"({templatize(path.read_text(encoding='utf-8'))}\n)".encode()
    elif path.name == "topics.json":
        for topic in json.loads(path.read_text(encoding="utf-8")):
            yield from ((1, topic[key], [], "topic") for key in ("field", "name", "description"))
        return
    else:
        return
    keywords, options = DEFAULT_KEYWORDS | LAZY, {"encoding": "utf-8"}
    yield from extract("python", BytesIO(source), keywords, ["Translators:"], options)


def faults_in(catalog: Catalog) -> Iterator[str]:
    """What is missing, and what would break where it is used."""
    for message in catalog:
        if message.id and not all(forms(message)):
            yield f"not translated yet: {message.id!r}"
        elif message.fuzzy and message.id:
            yield f"to be looked at (fuzzy): {message.id!r}"
        elif message.id:
            yield from (f"{error}: {message.id!r}" for error in message.check(catalog))


def forms(message: Message) -> tuple[str, ...]:
    """The translation, one for each plural form of the language."""
    return message.string if isinstance(message.string, tuple) else (message.string,)


if __name__ == "__main__":
    sys.exit(main())
