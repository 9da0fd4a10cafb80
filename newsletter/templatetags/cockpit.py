"""What the templates of the admin say by the words of its sidebar."""

from typing import Any, NamedTuple

from django import template
from django.contrib import admin
from django.db.models import Model
from django.urls import reverse
from django.utils.text import capfirst

from newsletter.cockpit import navigation
from newsletter.cockpit.abouts import ABOUT

register = template.Library()


class Step(NamedTuple):
    words: str
    link: str = ""


@register.inclusion_tag("admin/way.html", takes_context=True)
def way(context: dict[str, Any]) -> dict[str, list[Step]]:
    """From a list over one of its rows to the page, which says what it is about as Django's do: by `opts`, `original`.

    The name of a row, which may be an address, stays as it is written.
    """
    options, row = context.get("opts"), context.get("original") or context.get("object")
    title = capfirst(str(context.get("title", "")))
    if not options:
        return {"steps": [Step(title)]}
    registered = admin.site._registry[options.model]
    steps = [Step(navigation.title_of(options.model), navigation.list_of(registered))]
    if isinstance(row, Model):
        own = getattr(registered, "own_page", "") or f"admin:{options.app_label}_{options.model_name}_change"
        steps.append(Step(str(row), reverse(own, args=[row.pk])))
    here = context["request"].path
    is_there = "adminform" in context or here == steps[-1].link if row else "cl" in context
    if not is_there:
        steps.append(Step(title))
    return {"steps": [Step(step.words, step.link if step.link != here else "") for step in steps]}


@register.filter
def about(model: type[Model]) -> str:
    """What a list is, in a sentence."""
    return ABOUT.get(model._meta.label, "")
