"""The admin site: one theme, shallow lists, every action on record, a second factor at the door.

What holds for all pages of the admin is said here once. `Cockpit.register` gives it to every ModelAdmin, also to those
of other people's apps, so that none can forget it.
"""

from collections.abc import Callable, Iterable
from functools import cache, wraps
from typing import Any

from django.conf import settings
from django.contrib import messages
from django.contrib.admin import ModelAdmin, ShowFacets, StackedInline, TabularInline
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, CHANGE, DELETION, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.paginator import Paginator
from django.db.models import Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path
from django.utils.functional import cached_property
from unfold import admin as themed
from unfold.sites import UnfoldAdminSite

from newsletter import second_factor
from newsletter.audit import changes, in_words, name_of, snapshot

DEEPEST = 10_000  # rows to page through; further down, a search or a filter is the better way
MOST_RECORDED = 1_000  # rows of one action whose values are written down, before and after

Action = Callable[[Any, HttpRequest, QuerySet[Any]], HttpResponse | None]


class Shallow(Paginator):
    """Pages over the first DEEPEST rows: no list counts a whole table, or reads far into it."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by().values("pk")[:DEEPEST].count()
        return len(rows)


class OnRecord(ModelAdmin):
    """What every ModelAdmin has in common, mixed in before it."""

    paginator = Shallow
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count

    def get_actions(self, request: HttpRequest) -> Any:
        """Every action writes down what it changed; one with `typed = True` asks for the name first."""
        actions: dict[str, Any] = super().get_actions(request)
        return {name: (recorded(func), name, words) for name, (func, _, words) in actions.items()}

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [dressed_inline(inline) for inline in super().get_inlines(request, obj)]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django's own, and the values before and after."""
        message = super().construct_change_message(request, form, formsets, add)
        return message if add else [*message, {"values": changes(form)}]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return self._log(request, [obj], ADDITION, message)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return self._log(request, [obj], CHANGE, message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        return self._log(request, queryset, DELETION, "")

    def _log(self, request: HttpRequest, objects: Iterable[Model], flag: int, message: Any) -> list[LogEntry]:
        entries = []
        for obj in objects:
            kind = ContentType.objects.get_for_model(obj, for_concrete_model=False)
            entry = LogEntry(user_id=request.user.pk or 0, content_type=kind, object_id=obj.pk, action_flag=flag)
            entry.object_repr, entry.change_message = name_of(obj)[:200], in_words(message)
            entries.append(entry)
        return LogEntry.objects.bulk_create(entries)


def recorded(action: Action) -> Action:
    """The action, with its name typed where it asks for that, and with a log entry for each row that it changed."""

    @wraps(action)
    def on_record(model_admin: Any, request: HttpRequest, queryset: QuerySet[Any]) -> HttpResponse | None:
        rows = list(queryset.order_by()[: MOST_RECORDED + 1])
        if len(rows) > MOST_RECORDED:
            messages.error(request, f"Choose {MOST_RECORDED:,} at most: nothing was changed.")
            return None
        if getattr(action, "typed", False) and not typed(request, rows):
            return ask_to_type(model_admin, request, rows, action)
        before = {row.pk: snapshot(row) for row in rows}
        response = action(model_admin, request, queryset)
        for row in queryset.model._default_manager.filter(pk__in=before).only(*columns(rows)):
            after = snapshot(row)
            values = {name: [old, after[name]] for name, old in before[row.pk].items() if after[name] != old}
            if values:
                model_admin.log_change(request, row, [{"action": action.__name__, "values": values}])
        return response

    return on_record


def columns(rows: list[Any]) -> set[str]:
    """What was read of the rows."""
    return set(snapshot(rows[0])) if rows else set()


def phrase(rows: list[Any]) -> str:
    """What to type: the name of the one, or how many of what."""
    if len(rows) == 1:
        return str(rows[0])
    return f"{len(rows)} {rows[0]._meta.verbose_name_plural}" if rows else ""


def typed(request: HttpRequest, rows: list[Any]) -> bool:
    return request.POST.get("typed", "").strip().casefold() == phrase(rows).casefold() != ""


def ask_to_type(model_admin: ModelAdmin, request: HttpRequest, rows: list[Any], action: Action) -> HttpResponse:
    """A page that shows what will be touched, and asks to type its name."""
    context = model_admin.admin_site.each_context(request) | {
        "title": str(getattr(action, "short_description", action.__name__)),
        "opts": model_admin.model._meta,
        "rows": rows,
        "phrase": phrase(rows),
        "wrong": "typed" in request.POST,
        "action": request.POST.get("action"),
        "action_checkbox_name": ACTION_CHECKBOX_NAME,
    }
    return TemplateResponse(request, "admin/type_the_name.html", context)


@cache
def dressed(admin_class: type[ModelAdmin]) -> type[ModelAdmin]:
    """The class with our theme and rules. Its own attributes win over the theme's, not over OnRecord's."""
    own = () if admin_class in themed.ModelAdmin.__mro__ else (admin_class,)
    return type(admin_class.__name__, (OnRecord, *own, themed.ModelAdmin), {"__doc__": admin_class.__doc__})


@cache
def dressed_inline(inline: type[Any]) -> type[Any]:
    for plain, theme in ((TabularInline, themed.TabularInline), (StackedInline, themed.StackedInline)):
        if issubclass(inline, plain) and not issubclass(inline, theme):
            return type(inline.__name__, (inline, theme), {})
    return inline


class Cockpit(UnfoldAdminSite):
    site_title = site_header = settings.SITE_NAME
    index_title = "Today"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, and where the setting asks for it, verified by their second factor."""
        return super().has_permission(request) and (not settings.SECOND_FACTOR or request.user.is_verified())  # type: ignore[union-attr]

    def get_urls(self) -> list[Any]:
        return [path("second-factor/", second_factor.prove, name="second_factor"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Who has given the password goes on to the second factor."""
        if super().has_permission(request) and not self.has_permission(request):
            return redirect(second_factor.address(request))
        return super().login(request, extra_context)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        super().register(model_or_iterable, dressed(admin_class or ModelAdmin), **options)
