"""The catalogues that are kept: whole, and as the code has them now. `make translations` mends most that fails here."""

import re
from collections import Counter
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from django.conf import settings

from tests.catalogues import (
    LOCALE,
    bring_up_to_date,
    catalogues,
    compiled,
    faults_in,
    forms,
    gathered,
    messages_in,
    read,
)

MARKUP = re.compile(r"</?\w[^>]*>|https?://\S+|\d{4}-\d\d-\d\d")
FRENCH = re.compile(r"[^\s\u00a0][:;!?»](?=\s|$)|«[^\u00a0]| [:;!?»]")
each_language = pytest.mark.parametrize("path", catalogues(), ids=lambda path: path.parts[-3])


@pytest.fixture(scope="module")
def current() -> Catalog:
    """What the code says now."""
    return gathered()


def messages(path: Path) -> list[Message]:
    return [message for message in read(path) if message.id]


def keys(catalog: Catalog) -> set[tuple[str | None, object]]:
    return {(message.context, message.id) for message in catalog if message.id}


def singular(message: Message) -> str:
    return message.id if isinstance(message.id, str) else message.id[0]


def test_every_language_but_english_has_its_catalogue() -> None:
    assert {path.parts[-3] for path in catalogues()} == {code for code, _ in settings.LANGUAGES} - {"en"}
    assert settings.LOCALE_PATHS == [LOCALE]


@each_language
def test_a_catalogue_has_the_words_of_the_code_and_no_others(path: Path, current: Catalog) -> None:
    assert keys(read(path)) == keys(current)


@each_language
def test_a_catalogue_is_complete_and_fits_where_it_is_used(path: Path) -> None:
    assert list(faults_in(read(path))) == []


@each_language
def test_what_is_loaded_was_compiled_from_it(path: Path) -> None:
    assert path.with_suffix(".mo").read_bytes() == compiled(read(path))


@each_language
def test_a_translation_keeps_markup_and_links(path: Path) -> None:
    for message in messages(path):
        for form in forms(message):
            assert Counter(MARKUP.findall(form)) == Counter(MARKUP.findall(singular(message))), message.id


@each_language
def test_a_translation_begins_and_ends_as_its_message_does(path: Path) -> None:
    """No space is lost or added at an end, and no sentence loses its mark."""
    for message in messages(path):
        for form in forms(message):
            assert (form != form.strip()) == (singular(message) != singular(message).strip()), message.id
            assert form[-1:] == singular(message)[-1:] or form[-1:] not in ".:?" or message.id == "You are in.", form


def test_french_keeps_its_spaces_before_marks_on_the_line() -> None:
    (path,) = (path for path in catalogues() if path.parts[-3] == "fr")
    for message in messages(path):
        for form in forms(message):
            assert not FRENCH.search(re.sub(r"%\(\w+\)0?\d*[sd]|<[^>]*>", "x", form)), form


def test_german_speaks_to_readers_as_sie() -> None:
    (path,) = (path for path in catalogues() if path.parts[-3] == "de")
    words = {word.lower() for message in messages(path) for form in forms(message) for word in re.findall(r"\w+", form)}
    assert {"sie", "ihre"} <= words
    assert not {"du", "dich", "dir", "dein", "deine", "deinen", "deiner"} & words


def test_templates_and_code_are_read_alike(tmp_path: Path) -> None:
    template, code = tmp_path / "templates" / "page.html", tmp_path / "code.py"
    template.parent.mkdir()
    template.write_text('{% load i18n %}\n  {% translate "Save" %} {% include "x" with hint=_("A hint.") %}')
    code.write_text('from django.utils.translation import pgettext_lazy\nword = pgettext_lazy("a paper", "saved")\n')
    assert [words for _, words, _, _ in messages_in(template)] == ["Save", "A hint."]
    assert [(context, words) for _, words, _, context in messages_in(code)] == [("a paper", "saved")]


def test_words_that_were_put_aside_come_back_with_their_translation(tmp_path: Path) -> None:
    path = tmp_path / "de" / "LC_MESSAGES" / "django.po"
    path.parent.mkdir(parents=True)
    path.write_text('#~ msgid "Save"\n#~ msgstr "Speichern"\n\n#~ msgid "Lost"\n#~ msgstr "Verloren"\n')
    catalog = bring_up_to_date(path)
    assert catalog["Save"].string == "Speichern"
    assert "not translated yet: 'Undo'" in list(faults_in(catalog))
    assert '#~ msgid "Lost"' in path.read_text(encoding="utf-8")
    assert path.with_suffix(".mo").exists()
