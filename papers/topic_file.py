"""Topics from a file: checked whole before anything is stored."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import transaction

from papers.models import Topic
from papers.records import CATEGORY

MAX_BYTES = 5_000_000
_SLUG = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*")


class TopicFileError(ValueError):
    """The file is not a list of topics; the message names the topic and what is wrong with it."""


@dataclass(frozen=True)
class LoadResult:
    new: int
    updated: int
    unchanged: int


def download(path: Path) -> bytes:
    """The file's bytes. Raises TopicFileError where it cannot be read."""
    try:
        if path.stat().st_size > MAX_BYTES:
            raise TopicFileError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.")
        return path.read_bytes()
    except OSError as error:
        raise TopicFileError(f"{path} cannot be read: {error.strerror or error}.") from error


def parse(content: bytes) -> list[dict[str, Any]]:
    """The topics of a JSON file, in their order, checked. Raises TopicFileError, and nothing else."""
    try:
        topics = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise TopicFileError(f"This is not JSON: {error}.") from error
    if not isinstance(topics, list) or not topics:
        raise TopicFileError("The file must hold a list of topics, and at least one.")
    for number, topic in enumerate(topics, start=1):
        _check(topic, number)
    for key in ("slug", "name"):
        values = [topic[key] for topic in topics]
        if twice := next((value for value in values if values.count(value) > 1), None):
            raise TopicFileError(f"Two topics have the {key} “{twice}”.")
    return topics


@transaction.atomic
def store(topics: list[dict[str, Any]]) -> LoadResult:
    """Create or update topics by their slug, in the file's order; the same topics twice change nothing.

    A topic that the file does not name stays: readers may follow it.
    """
    known = {topic.slug: topic for topic in Topic.objects.filter(slug__in=[one["slug"] for one in topics])}
    new, updated = [], []
    for position, values in enumerate(topics, start=1):
        wanted = values | {"position": position}
        topic = known.get(values["slug"])
        if topic is None:
            new.append(Topic(**wanted))
        elif any(getattr(topic, key) != value for key, value in wanted.items()):
            for key, value in wanted.items():
                setattr(topic, key, value)
            updated.append(topic)
    names = [topic.name for topic in [*new, *updated]]
    if taken := Topic.objects.filter(name__in=names).exclude(slug__in=[one["slug"] for one in topics]).first():
        raise TopicFileError(f"Another topic, “{taken.slug}”, has the name “{taken.name}” already.")
    # Names are unique, and may change hands between two topics of one file.
    for topic in updated:
        Topic.objects.filter(pk=topic.pk).update(name=f"{topic.slug} (being renamed)")
    Topic.objects.bulk_update(updated, [*RULES, "position"])
    Topic.objects.bulk_create(new)
    return LoadResult(len(new), len(updated), len(topics) - len(new) - len(updated))


def _check(topic: object, number: int) -> None:
    if not isinstance(topic, dict):
        raise TopicFileError(f"Topic no. {number} must be an object with the keys {', '.join(RULES)}.")
    where = f"Topic “{topic['slug']}”" if isinstance(topic.get("slug"), str) else f"Topic no. {number}"
    if unknown := sorted(topic.keys() - RULES.keys()):
        raise TopicFileError(f"{where} has the unknown key “{unknown[0]}”; known are {', '.join(RULES)}.")
    for key, (is_fine, rule) in RULES.items():
        if key not in topic:
            raise TopicFileError(f"{where} has no “{key}”.")
        if not is_fine(topic[key]):
            raise TopicFileError(f"{where}: “{key}” must be {rule}.")


def _is_text(limit: int) -> Callable[[object], bool]:
    return lambda value: isinstance(value, str) and bool(value.strip()) and len(value) <= limit and value.isprintable()


def _is_slug(value: object) -> bool:
    return isinstance(value, str) and len(value) <= 50 and bool(_SLUG.fullmatch(value))


def _are_categories(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) and CATEGORY.fullmatch(one) for one in value)


def _are_phrases(value: object) -> bool:
    return (
        isinstance(value, list)
        and bool(value)
        and all(isinstance(one, str) and any(map(str.isalnum, one)) and one.isprintable() for one in value)
    )


RULES: dict[str, tuple[Callable[[object], bool], str]] = {
    "slug": (_is_slug, "small letters, digits and hyphens, 50 at most"),
    "name": (_is_text(80), "a text of at most 80 characters"),
    "description": (_is_text(200), "a sentence of at most 200 characters"),
    "field": (_is_text(60), "a heading of at most 60 characters"),
    "categories": (_are_categories, "a list of arXiv categories such as cs.LG (it may be empty)"),
    "phrases": (_are_phrases, "a list of at least one phrase, none of them empty"),
}
