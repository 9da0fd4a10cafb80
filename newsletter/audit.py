"""What the audit log says: who did what to which row, and its values before and after. Never an address."""

import json
from collections.abc import Iterable
from typing import Any

from django.db.models import EmailField, Model, QuerySet

LONGEST = 500  # characters of a value
HIDDEN = "(not recorded)"
# By name, where the kind of field does not tell: secrets, and what people wrote.
SECRET = {"password", "key", "leave_key", "address_hash"}


def name_of(obj: Model) -> str:
    """How the log calls a row: by its words, or by kind and number where those hold a person's address."""
    words = str(obj)
    return f"{obj._meta.verbose_name} {obj.pk}" if "@" in words else words


def snapshot(obj: Model) -> dict[str, str]:
    """The values of a row's own columns, as the log shows them; of those that were read."""
    return {
        field.attname: HIDDEN if is_private(field) else shown(getattr(obj, field.attname))
        for field in obj._meta.concrete_fields
        if field.attname not in obj.get_deferred_fields()
    }


def changes(form: Any) -> dict[str, list[str]]:
    """What a form changed: before and after, by field."""
    return {
        name: [HIDDEN, HIDDEN]
        if is_private(form.fields[name])
        else [shown(form.initial.get(name)), shown(form.cleaned_data.get(name))]
        for name in form.changed_data
        if name in form.fields
    }


def is_private(field: Any) -> bool:
    """Whether a model's or a form's field may hold an address or a secret."""
    kind = type(field).__name__
    return (
        isinstance(field, EmailField) or "Email" in kind or "Password" in kind or getattr(field, "name", "") in SECRET
    )


def shown(value: Any) -> str:
    if isinstance(value, QuerySet | list | tuple | set):
        return ", ".join(sorted(shown(one) for one in value))[:LONGEST]
    if isinstance(value, Model):
        return name_of(value)
    return "" if value is None else str(value)[:LONGEST]


def in_words(message: Any) -> str:
    """As LogEntry stores it."""
    return message if isinstance(message, str) else json.dumps(message)


def recorded_values(change_message: str) -> Iterable[tuple[str, str, str]]:
    """Field, before and after, of everything that an entry recorded."""
    try:
        parts = json.loads(change_message) if change_message.startswith("[") else []
    except ValueError:
        return
    for part in parts:
        for name, (before, after) in part.get("values", {}).items():
            yield name, before, after
