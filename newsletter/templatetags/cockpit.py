"""What the templates of the admin say by the words of its sidebar."""

from typing import Any

from django import template
from django.utils.text import capfirst

from newsletter import navigation

register = template.Library()


@register.filter
def crumbs(parts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The way to a page: without the app's name, which is the code's, with lists called as in the sidebar.

    The name of a row, which may be an address, stays as it is written.
    """
    titles = navigation.titles()
    return [part | {"title": _title(part, titles)} for part in parts[1:] or parts]


def _title(part: dict[str, Any], titles: dict[str, str]) -> str:
    link, name = str(part.get("link")), str(part["title"])
    return titles.get(link) or (name if link.endswith("/change/") else capfirst(name))
