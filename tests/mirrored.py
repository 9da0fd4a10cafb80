"""A language that is nobody's: every message in ⟦brackets⟧, written from right to left.

What stands outside the brackets was never marked for translation; and whatever holds for a right-to-left page can be
seen without knowing one.
"""

import re
from collections.abc import Iterator
from functools import cache
from html import unescape
from pathlib import Path

from babel.messages.catalog import Catalog
from django.conf import settings as project
from pytest_django import Settings

from tests.catalogues import compiled, gathered

CODE = "xb"
UNSEEN = re.compile(r"<(style|script|title)\b.*?</\1>|<!--.*?-->", re.DOTALL)
SPOKEN_ATTRIBUTES = re.compile(r'\b(?:aria-label|title|alt)="([^"]*)"')


def speak_mirrored(folder: Path, settings: Settings) -> str:
    """Make the language known for the time of a test; returns its code."""
    path = folder / CODE / "LC_MESSAGES" / "django.mo"
    path.parent.mkdir(parents=True)
    path.write_bytes(mirrored())
    settings.LANGUAGES = [*project.LANGUAGES, (CODE, "Mirrored")]
    settings.LANGUAGES_BIDI = [*project.LANGUAGES_BIDI, CODE]
    settings.LOCALE_PATHS = [folder, *project.LOCALE_PATHS]
    return CODE


@cache  # it reads all of the code
def mirrored() -> bytes:
    """The catalogue of the language, compiled."""
    catalog = Catalog()
    for message in gathered():
        if message.id:
            plural = isinstance(message.id, tuple)
            words = tuple(f"⟦{form}⟧" for form in message.id) if plural else f"⟦{message.id}⟧"
            catalog.add(message.id, words, context=message.context)
    return compiled(catalog)


def seen(html: str) -> str:
    """What a person sees or hears of a page, without its tags."""
    body = UNSEEN.sub(" ", html)
    heard = "\n".join(SPOKEN_ATTRIBUTES.findall(body))
    return unescape(f"{re.sub(r'<[^>]+>', ' ', body)}\n{heard}")


def unmarked(text: str, allowed: set[str]) -> list[str]:
    """The words outside the brackets, but for those that no language changes."""
    while (shorter := re.sub(r"⟦[^⟦⟧]*⟧", " ", text)) != text:
        text = shorter
    text = re.sub(r"https?://\S+|\S+@\S+", " ", text)
    for phrase in sorted(allowed, key=len, reverse=True):
        text = text.replace(phrase, " ")
    return list(words(text))


def words(text: str) -> Iterator[str]:
    return (word for word in re.findall(r"\w+", text) if not word.isdigit())
