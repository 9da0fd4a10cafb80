"""How pages and mails say things in the language that is spoken now."""

from datetime import date

from django import template
from django.conf import settings

from subscribers import links
from subscribers.schedule import day_in_words

register = template.Library()


@register.filter
def day(value: date, form: str = "") -> str:
    """A day in words, in one of the forms of day_in_words."""
    return day_in_words(value, form)


@register.simple_tag
def own_names() -> list[tuple[str, str]]:
    """The languages that we have, each by its own name for itself."""
    return settings.LANGUAGES


@register.simple_tag
def public_url(name: str) -> str:
    """The address of a public page, in the language that is spoken now."""
    return links.public(name)
