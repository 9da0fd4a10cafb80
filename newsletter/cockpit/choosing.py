"""Fields with a choice by search: what nobody can have chosen there is an error of the form, and none of the server."""

from functools import cache
from typing import Any

from django.contrib.admin.widgets import AutocompleteMixin

from newsletter.numbers import is_number


class Bearing:
    """Looks up only what may be the number of a row; Django asks the database for whatever was sent."""

    def optgroups(self, name: str, value: Any, attr: Any = None) -> Any:
        numbers = [one for one in value if not one or is_number(str(one))]
        return super().optgroups(name, numbers, attr)  # type: ignore[misc]

    def value_from_datadict(self, data: Any, files: Any, name: str) -> Any:
        """A number that no row can have is as good as a word."""
        value = super().value_from_datadict(data, files, name)  # type: ignore[misc]
        return value if not value or is_number(str(value)) else "none"


def bear(field: Any) -> Any:
    """The field, with a widget that bears what it is sent."""
    widget: Any = getattr(field.widget, "widget", field.widget)  # within the links to add and change
    if isinstance(widget, AutocompleteMixin):
        kind: Any = type(widget)
        widget.__class__ = bearing(kind)
    return field


@cache
def bearing(widget: type[Any]) -> type[Any]:
    return type(widget.__name__, (Bearing, widget), {})
