"""Lists that people type: one entry on a line. Nobody is shown the form in which they are stored."""

import unicodedata
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from papers.records import CATEGORY


class Lines(forms.JSONField):
    """The form field of a JSONField that holds a list of texts."""

    widget = forms.Textarea

    def to_python(self, value: Any) -> list[str]:  # type: ignore[override]
        if isinstance(value, list):
            return value
        entries = [" ".join(line.split()) for line in (value or "").splitlines()]
        if wrong := next(
            (entry for entry in entries if any(unicodedata.category(sign) == "Cc" for sign in entry)), None
        ):
            raise ValidationError(f"{shown(wrong)} has a sign that cannot be shown.")
        return list(dict.fromkeys(filter(None, entries)))

    def bound_data(self, data: Any, initial: Any) -> Any:
        """What was typed, also where it is wrong."""
        return initial if self.disabled else data

    def prepare_value(self, value: Any) -> Any:
        return "\n".join(map(str, value)) if isinstance(value, list) else value

    def has_changed(self, initial: Any, data: Any) -> bool:
        try:
            return bool(self.to_python(data) != (initial or []))
        except ValidationError:
            return True


def check_categories(names: list[str]) -> None:
    """Raises ValidationError, naming it, where one is no category of arXiv's."""
    if wrong := next((name for name in names if not CATEGORY.fullmatch(name)), None):
        raise ValidationError(f"{shown(wrong)} is no arXiv category: those look like cs.LG or math.")


def shown(entry: str) -> str:
    """Short enough, and without what would not be seen."""
    return f"“{''.join(sign if sign.isprintable() else '?' for sign in entry[:60])}”"
