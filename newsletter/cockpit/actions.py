"""Actions of the admin: each on record, and one that cannot be undone only for who types its name."""

from collections.abc import Callable, Sequence
from functools import wraps
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.utils import model_ngettext
from django.db.models import ManyToManyRel, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from newsletter import audit

MOST_RECORDED = 1_000  # rows of one action whose values are written down, before and after

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


def recorded(action: Action) -> Action:
    """The action, with its name typed where it asks for that, and with a log entry for each row that it changed."""

    @wraps(action)
    def on_record(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        rows = list(queryset.order_by()[: MOST_RECORDED + 1])
        if len(rows) > MOST_RECORDED:
            messages.error(request, f"Choose {MOST_RECORDED:,} at most: nothing was changed.")
            return None
        if not rows:
            messages.error(request, "None of these is there any more: nothing was changed.")
            return None
        if getattr(action, "typed", False) and not typed(request, rows):
            means = getattr(action, "means", "")
            said = means(model_admin, queryset) if callable(means) else means
            return ask_to_type(model_admin, request, rows, action, said)
        before = {row.pk: audit.snapshot(row) for row in rows}
        response = action(model_admin, request, queryset)
        for row in queryset.model._default_manager.filter(pk__in=before).only(*before[rows[0].pk]):
            if values := audit.changed_since(before[row.pk], row):
                words = str(getattr(action, "short_description", action.__name__))
                model_admin.log_change(request, row, [{"action": words, "values": values}])
        return response

    return on_record


def phrase(rows: list[Any]) -> str:
    """What to type: the name of the one, or how many of what."""
    if len(rows) == 1:
        return str(rows[0])
    return f"{len(rows)} {rows[0]._meta.verbose_name_plural}"


def lost_with(rows: Sequence[Model]) -> list[str]:
    """What others chose of these rows, and lose when they are deleted: such as the topics of readers."""
    lost = []
    relations: list[Any] = rows[0]._meta.get_fields(include_hidden=True)
    for relation in relations:
        through = isinstance(relation, ManyToManyRel) and relation.through
        if through and through._meta.auto_created:
            link = f"{relation.field.m2m_reverse_field_name()}__in"
            if number := through._default_manager.filter(**{link: rows}).count():
                who = model_ngettext(relation.related_model._meta, number)
                lost.append(f"{relation.field.verbose_name} of {number:,} {who}")
    return lost


def typed(request: HttpRequest, rows: list[Any]) -> bool:
    return request.POST.get("typed", "").strip().casefold() == phrase(rows).casefold() != ""


def ask_to_type(
    model_admin: ModelAdmin, request: HttpRequest, rows: list[Any], action: Action, means: str
) -> HttpResponse:
    """A page that shows what will be touched and what it means, and asks to type its name."""
    context = model_admin.admin_site.each_context(request) | {
        "title": str(getattr(action, "short_description", action.__name__)),
        "lost": lost_with(rows) if getattr(action, "deletes", False) else [],
        "opts": model_admin.model._meta,
        "rows": rows,
        "means": means,
        "phrase": phrase(rows),
        "wrong": "typed" in request.POST,
        "action": request.POST.get("action"),
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/type_the_name.html", context)
