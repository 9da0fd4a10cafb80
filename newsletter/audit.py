"""What the audit log says: who did what to which row, and its values before and after. Never an address."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import ValidationError
from django.db.models import DateTimeField, EmailField, Model, QuerySet
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format

from newsletter.cockpit.wording import name_of_field
from subscribers.addresses import LIKE_AN_ADDRESS

# The account, which nobody can enter, that stands for commands and for the service itself.
COMMAND_LINE = "command-line"
LONGEST = 500  # characters of a value
HIDDEN = "(not recorded)"
# What follows from the rest of an entry, and what counts for the machine alone. How the first copies stand is told by
# what a person did: that all may follow since does not say that they went well.
UNTOLD = {"version", "revision", "status_changed_at", "updated_at", "canary"}
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


def changed_since(before: Mapping[str, str], obj: Model) -> dict[str, list[str]]:
    """Which values of a row are others than in a snapshot of it: before and after, by column."""
    after = snapshot(obj)
    return {name: [old, after[name]] for name, old in before.items() if after[name] != old}


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
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    return "" if value is None else str(value)[:LONGEST]


def check_why(words: str) -> None:
    """Raises ValidationError for a reason with an address in it: many read it."""
    if LIKE_AN_ADDRESS.search(words):
        raise ValidationError(
            "Nothing was changed: the reason has an address in it, and the record takes none. Say it without."
        )


def record(user: Any, obj: Model, deed: str, why: str = "", before: Mapping[str, str] | None = None) -> LogEntry:
    """Write down what somebody did outside a form, why, and what it changed since `before`, a snapshot."""
    values = changed_since(before, obj) if before else {}
    message = [{"action": deed, "why": LIKE_AN_ADDRESS.sub(HIDDEN, why)[:LONGEST], "values": values}]
    return write(user.pk, [obj], message)[0]


def in_words(message: Any) -> str:
    """As LogEntry stores it."""
    return message if isinstance(message, str) else json.dumps(message)


def recorded_values(entry: LogEntry) -> Iterable[tuple[str, str, str]]:
    """Field, before and after, of everything that an entry recorded, in the words of the admin."""
    model = entry.content_type.model_class() if entry.content_type else None
    fields: dict[str, Any] = {field.attname: field for field in model._meta.concrete_fields} if model else {}
    for part in parts_of(entry.change_message):
        for name, (before, after) in part.get("values", {}).items():
            if name not in UNTOLD:
                field = fields.get(name)
                yield name_of_field(model, name), worded(field, before), worded(field, after)


def worded(field: Any, value: str) -> str:
    """A recorded value as people say it."""
    moment = parse_datetime(value) if isinstance(field, DateTimeField) and value else None
    if moment:
        return date_format(moment.astimezone(UTC), "j M Y, H:i") + " UTC"
    return str(dict(getattr(field, "flatchoices", ())).get(value, value))


def recorded_deed(change_message: str) -> str:
    """What somebody did and why, where it was not a form that they saved."""
    deeds = [part for part in parts_of(change_message) if "action" in part]
    return "; ".join(": ".join(filter(None, [part["action"], part.get("why", "")])) for part in deeds)


def parts_of(change_message: str) -> list[dict[str, Any]]:
    """An entry's message as it was built; empty where it is a sentence."""
    try:
        return list(json.loads(change_message)) if change_message.startswith("[") else []
    except ValueError:
        return []


@dataclass(frozen=True)
class Decision:
    """An entry of the log as its row's own page shows it."""

    at: datetime
    who: str
    words: str
    values: list[tuple[str, str, str]]


def decisions_on(obj: Model, most: int) -> list[Decision]:
    """What people, and the service by itself, did to a row of ours: the latest first."""
    kind = ContentType.objects.get_for_model(obj, for_concrete_model=False)
    entries = LogEntry.objects.filter(content_type=kind, object_id=str(obj.pk)).select_related("user", "content_type")
    return [
        Decision(
            entry.action_time,
            entry.user.get_username(),
            recorded_deed(entry.change_message) or entry.get_change_message(),
            list(recorded_values(entry)),
        )
        for entry in entries.order_by("-pk")[:most]
    ]


def command_line() -> User:
    """The account of commands and of the service."""
    account, _ = User.objects.get_or_create(username=COMMAND_LINE, defaults={"is_active": False, "password": "!"})
    return account


def note(by: str, rows: Iterable[Model], action: str, values: dict[str, list[str]]) -> None:
    """Put on the admin's record what was done outside it, by a command or by the service: `by` says who."""
    write(command_line().pk, rows, [{"action": action, "why": by, "values": values}])


def write(user: int, rows: Iterable[Model], message: Any, flag: int = CHANGE) -> list[LogEntry]:
    """One entry of the log for each of these rows, all with the same message."""
    return LogEntry.objects.bulk_create(
        LogEntry(
            user_id=user,
            content_type=ContentType.objects.get_for_model(row, for_concrete_model=False),
            object_id=str(row.pk),
            object_repr=name_of(row)[:200],
            action_flag=flag,
            change_message=in_words(message),
        )
        for row in rows
    )
