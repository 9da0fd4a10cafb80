"""What every ModelAdmin has in common: shallow lists that are searched without a trace, forms that refuse in words,
and a record of whatever is changed.
"""

import logging
from collections.abc import Iterable
from functools import cache
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin, ShowFacets, StackedInline, TabularInline
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.admin.models import ADDITION, DELETION
from django.contrib.admin.views.main import ERROR_FLAG, PAGE_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied, ValidationError
from django.core.paginator import Paginator
from django.db import DataError, IntegrityError, connection
from django.db.models import DateTimeField, Model, QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.functional import cached_property
from unfold import admin as themed

from newsletter import audit
from newsletter.cockpit import wording
from newsletter.cockpit.actions import recorded
from newsletter.cockpit.choosing import bear
from newsletter.numbers import is_number

log = logging.getLogger(__name__)

DEEPEST = 10_000  # rows to page through; further down, a search or a filter is the better way
MOST_FOUND = 50  # rows that the beginning of an address leads to


class Shallow(Paginator):
    """Pages over the first DEEPEST rows: no list counts a whole table, or reads far into it."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        if isinstance(rows, QuerySet):
            return rows.order_by().values("pk")[:DEEPEST].count()
        return len(rows)


class Themed(themed.ModelAdmin):
    """What a ModelAdmin may say of itself beside Django's own attributes."""

    # The column with addresses by whose beginning rows are found. It is no search field: what is searched for in those
    # stands in the page's address.
    address_field = ""
    add_words = ""  # on the way to the form that adds a row, where that does something at once
    own_page = ""  # the name of a page of ours, to which the only row that was found leads
    # What is offered to whoever may: to "add", "change" and "delete" rows by Django's own forms, or to "act", which
    # changes them by actions and never by a form. A row that many others hang on is not deleted there, where all of
    # those would be read.
    offers = ("add", "change", "delete")
    list_before_template = "admin/about.html"


class OnRecord(ModelAdmin):
    """What every ModelAdmin has in common, mixed in before it."""

    paginator = Shallow
    show_full_result_count = False
    show_facets = ShowFacets.NEVER  # they count
    address_field: str
    own_page: str
    offers: tuple[str, ...]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return "add" in self.offers and super().has_add_permission(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        is_offered = "change" in self.offers or ("act" in self.offers and obj is None)
        return is_offered and super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return "delete" in self.offers and super().has_delete_permission(request, obj)

    def get_object(self, request: HttpRequest, object_id: str, from_field: str | None = None) -> Any:
        """The row. For a form that was sent it is read anew and held, because the form writes all of it: what others
        write after it was read, such as a tick that stops an edition, would be undone.
        """
        row = super().get_object(request, object_id, from_field)
        if row is None or request.method != "POST" or not connection.in_atomic_block:
            return row
        try:
            row.refresh_from_db(from_queryset=self.model._base_manager.select_for_update(no_key=True))
        except self.model.DoesNotExist:
            return None
        return row

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        """What the address fills in, but for moments, whose two inputs cannot show a text: it would be an error 500."""
        said = super().get_changeform_initial_data(request)
        for field in self.opts.fields:
            if isinstance(field, DateTimeField):
                said.pop(field.name, None)
        return said

    def changelist_view(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """The list; what is typed into its search box is posted, and leads to a page whose address may be seen."""
        if request.method == "POST" and SEARCH_VAR in request.POST:
            return self._search(request, request.POST[SEARCH_VAR].strip())
        if not all(map(is_number, request.POST.getlist(ACTION_CHECKBOX_NAME))):
            self.message_user(request, "There is no such row: nothing was changed.", messages.ERROR)
            return redirect(request.get_full_path())
        try:
            return super().changelist_view(request, extra_context)
        except (OverflowError, DataError):  # a number in the address that no column can hold
            return redirect(f"{request.path}?{ERROR_FLAG}=1")

    def changeform_view(
        self, request: HttpRequest, object_id: str | None = None, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """The form; what is stored already, by somebody else or by a page of long ago, is refused. So is what the
        domain refuses of late, because something changed after the form was checked."""
        try:
            return super().changeform_view(request, object_id, form_url, extra_context)
        except IntegrityError:
            words = "This is stored already, by you or by somebody else: nothing was changed. Look at it as it is now."
        except ValidationError as error:
            words = error.messages[0]
        except (OverflowError, DataError):  # Django looks up whichever of many are said to be chosen
            log.warning("a form of the admin had a value that no column can hold", exc_info=True)
            words = "There is no such choice: nothing was changed."
        self.message_user(request, words, messages.ERROR)
        return redirect(request.get_full_path())

    def response_action(self, request: HttpRequest, queryset: QuerySet[Any], *more: Any) -> HttpResponse | None:
        """Django's own; what was asked for and is not offered, or not to this person, is said to be so."""
        if request.POST.get("action") and request.POST["action"] not in self.get_actions(request):
            self.message_user(request, "That cannot be done here, or not by you.", messages.ERROR)
            return redirect(request.get_full_path())
        return super().response_action(request, queryset, *more)

    def _search(self, request: HttpRequest, sought: str) -> HttpResponse:
        if not self.has_view_or_change_permission(request):
            raise PermissionDenied
        query = request.GET.copy()
        for old in (SEARCH_VAR, PAGE_VAR, *self._by_address()):
            query.pop(old, None)
        if sought and self.address_field and ("@" in sought or not self.get_search_fields(request)):
            found = self._found(sought)
            if len(found) == 1 and self.own_page:
                return redirect(self.own_page, found[0])
            if found:
                query[self._by_address()[0]] = ",".join(map(str, found))
            else:
                self.message_user(request, "No address begins like that.", messages.WARNING)
        elif "@" in sought:
            self.message_user(request, "Addresses are looked for under Readers.", messages.WARNING)
        elif sought:
            query[SEARCH_VAR] = sought
        return redirect(f"{request.path}?{query.urlencode()}" if query else request.path)

    def _by_address(self) -> list[str]:
        """The parameter of a list that names what was found by address, by number."""
        path = self.address_field.rpartition("__")[0]
        return [f"{path}__id__in" if path else "id__in"] if self.address_field else []

    def _found(self, beginning: str) -> list[int]:
        """The rows whose address begins so, or what has them, by number; addresses are stored in lower case."""
        path, _, column = self.address_field.rpartition("__")
        model: Any = self.model._meta.get_field(path).related_model if path else self.model
        if not beginning.isprintable():
            return []
        rows = model._default_manager.filter(**{f"{column}__startswith": beginning.lower()})
        return list(rows.order_by("pk").values_list("pk", flat=True)[:MOST_FOUND])

    def get_list_display(self, request: HttpRequest) -> list[Any]:
        editable = set(self.list_editable)
        names = super().get_list_display(request)
        return [name if name in editable else wording.column(self.model, name) for name in names]

    def get_list_display_links(self, request: HttpRequest, list_display: Any) -> Any:
        """Columns are named by their fields, also where they stand under other words."""
        links = super().get_list_display_links(request, list_display)
        return links and [one for one in list_display if one in links or getattr(one, "__name__", "") in links]

    def formfield_for_foreignkey(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_foreignkey(db_field, request, **kwargs)
        return field and bear(field)

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        words = {"labels": wording.labels(self.model), "help_texts": wording.helps(self.model)}
        return super().get_form(request, obj, change=change, **words | kwargs)

    def get_actions(self, request: HttpRequest) -> Any:
        """Every action writes down what it changed; one with `typed = True` asks for the name first, and
        says what it `means`: in words, or by what tells them of the rows.

        An action that names no permission, as some of other people's, is for who may change or delete the rows.
        """
        actions: dict[str, Any] = super().get_actions(request)
        may_act = self.has_change_permission(request) or self.has_delete_permission(request)
        return {
            name: (recorded(func), name, words)
            for name, (func, _, words) in actions.items()
            if may_act or hasattr(func, "allowed_permissions")
        }

    def get_inlines(self, request: HttpRequest, obj: Any) -> list[Any]:
        return [dressed_inline(inline) for inline in super().get_inlines(request, obj)]

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Django's own, and the values before and after."""
        message = super().construct_change_message(request, form, formsets, add)
        return message if add else [*message, {"values": audit.changes(form)}]

    def log_addition(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        return audit.write(request.user.pk or 0, [obj], message, ADDITION)

    def log_change(self, request: HttpRequest, obj: Model, message: Any) -> Any:
        """What a form changed. One that changed nothing is no entry."""
        is_empty = isinstance(message, list) and not any(part != {"values": {}} for part in message)
        return [] if is_empty else audit.write(request.user.pk or 0, [obj], message)

    def log_deletions(self, request: HttpRequest, queryset: Iterable[Model]) -> Any:
        return audit.write(request.user.pk or 0, queryset, "", DELETION)


@cache
def dressed(admin_class: type[ModelAdmin]) -> type[ModelAdmin]:
    """The class with our theme and rules. Its own attributes win over the theme's, not over OnRecord's."""
    own = () if admin_class in themed.ModelAdmin.__mro__ else (admin_class,)
    return type(admin_class.__name__, (OnRecord, *own, Themed), {"__doc__": admin_class.__doc__})


class Named:
    """The columns of an inline's table in the admin's words; its fields by them, for whoever does not see those."""

    def get_formset(self, request: HttpRequest, obj: Any = None, **kwargs: Any) -> Any:
        words = wording.labels(self.model)  # type: ignore[attr-defined]
        return super().get_formset(request, obj, **{"labels": words} | kwargs)  # type: ignore[misc]

    def formfield_for_dbfield(self, db_field: Any, request: HttpRequest, **kwargs: Any) -> Any:
        field = super().formfield_for_dbfield(db_field, request, **kwargs)  # type: ignore[misc]
        if field:
            widget = getattr(field.widget, "widget", field.widget)  # within the links to add and change
            widget.attrs.setdefault("aria-label", field.label or db_field.verbose_name)
        return field and bear(field)


@cache
def dressed_inline(inline: type[Any]) -> type[Any]:
    for plain, theme in ((TabularInline, themed.TabularInline), (StackedInline, themed.StackedInline)):
        if issubclass(inline, plain) and not issubclass(inline, theme):
            return type(inline.__name__, (Named, inline, theme), {})
    return inline
