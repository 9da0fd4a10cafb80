"""The admin's words for what models call otherwise: an operator's, where the names of fields read as code.

One table for all of them, so that the same thing is called the same on every page.
"""

from collections.abc import Callable
from typing import Any

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import FieldDoesNotExist
from django.db.models import Model
from django.utils.text import capfirst

# What other people's models are called, one and many; ours say it themselves.
MODELS = {
    "auth.User": ("person", "people"),
    "auth.Group": ("role", "roles"),
    "axes.AccessAttempt": ("wrong password", "wrong passwords"),
    "axes.AccessFailureLog": ("sign-in that failed", "sign-ins that failed"),
    "axes.AccessLog": ("sign-in", "sign-ins"),
    "otp_static.StaticDevice": ("set of spare codes", "sets of spare codes"),
    "otp_static.StaticToken": ("spare code", "spare codes"),
    "otp_totp.TOTPDevice": ("authenticator", "authenticators"),
}

# By the name of a field; or by its model and name, where that model means something of its own.
WORDS = {
    "action_time": "when",
    "at": "when",
    "by": "decided by",
    "by_hand": "begun by hand",
    "digest_uid": "digest",
    "email": "address",
    "fencing_token": "times taken up for sending",
    "hot": "trend score",
    "is_superuser": "may do everything",
    "lease_until": "with a sender until",
    "letter_uid": "letter",
    "local_hour": "hour of the day",
    "moved_at": "last step",
    "not_before": "due",
    "object_id": "number of the row",
    "object_repr": "row",
    "position": "order",
    "proven": "proof of work",
    "provider_id": "provider's id",
    "slug": "name in addresses",
    "subscriber": "reader",
    "told_at": "operators told",
    "uid": "identifier",
    "url": "abstract page",
    "zone": "time zone",
    "admin.LogEntry.user": "who",
    "otp_static.StaticDevice.user": "person",
    "otp_totp.TOTPDevice.user": "person",
    "newsletter.Digest.uid": "digest",
    "subscribers.Consent.words": "words shown",
    "subscribers.Parting.words": "what they wrote",
    "subscribers.Suppression.words": "explanation",
}

# What other people's forms do not say of their fields.
HELP = {
    "auth.User.email": "Test mails of editions go there, and to nobody else.",
    "auth.User.is_active": "Untick it to close the account. Nobody is deleted: what they did stays on record.",
    "auth.User.is_staff": "Whether they may sign in here.",
    "auth.User.is_superuser": "Everything, whatever their roles say. Meant for the first account alone.",
}


def rename_models() -> None:
    """Call other people's models by our words, wherever Django says what a row is. Migrations do not see it: they
    look at what the model itself says.
    """
    for label, (one, many) in MODELS.items():
        options: Any = apps.get_model(label)._meta
        options.verbose_name, options.verbose_name_plural = one, many


def word_for(model: type[Model], name: str) -> str:
    """What the admin calls a field; empty where the model's own words do.

    Where nothing is said of a moment, it is called by what happened then: "created", not "created at".
    """
    try:
        field: Any = model._meta.get_field(name)
    except FieldDoesNotExist:
        return ""
    said = WORDS.get(f"{model._meta.label}.{name}") or WORDS.get(name, "")
    is_unnamed = getattr(field, "verbose_name", "") == name.replace("_", " ")
    return said or (name.removesuffix("_at").replace("_", " ") if name.endswith("_at") and is_unnamed else "")


def name_of_field(model: type[Model] | None, name: str) -> str:
    """What the admin calls a field; its name where the model, or the field of it, is gone."""
    try:
        field: Any = model and model._meta.get_field(name.removesuffix("_id"))
    except FieldDoesNotExist:
        field = None
    return word_for(model, field.name) or str(field.verbose_name) if model and field else name.replace("_", " ")


def labels(model: type[Model]) -> dict[str, str]:
    """The words for a form's fields, also for those that are only read."""
    named = ((field.name, word_for(model, field.name)) for field in model._meta.get_fields())
    return {name: capfirst(word) for name, word in named if word}


def helps(model: type[Model]) -> dict[str, str]:
    """What a form says below its fields, beyond what the model does."""
    label = f"{model._meta.label}."
    return {name.removeprefix(label): words for name, words in HELP.items() if name.startswith(label)}


def column(model: type[Model], name: Any) -> Any:
    """A list's column under the admin's words; as it is where there are none."""
    word = word_for(model, name) if isinstance(name, str) else ""
    return _worded(model._meta.get_field(name), word) if word else name


def _worded(field: Any, word: str) -> Callable[[Any], Any]:
    @admin.display(description=word, ordering=field.name, boolean=field.get_internal_type() == "BooleanField")
    def shown(row: Any) -> Any:
        value = getattr(row, f"get_{field.name}_display")() if field.choices else getattr(row, field.name)
        return None if value == "" else value  # which a list then shows as it does elsewhere

    shown.__name__ = field.name
    return shown
