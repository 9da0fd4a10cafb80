"""The audit log: who did what, with the values before and after."""

from typing import Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.contrib.contenttypes.models import ContentType
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from django.utils.text import capfirst

from newsletter.admin.looking import ReadOnly
from newsletter.audit import recorded_deed, recorded_values
from newsletter.numbers import is_number


class KindFilter(admin.SimpleListFilter):
    """By what the rows are, in the words that they have everywhere."""

    title = "kind of row"
    parameter_name = "content_type__id__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        registered = ContentType.objects.get_for_models(*admin.site._registry, for_concrete_models=False).values()
        return sorted(((str(kind.pk), capfirst(kind.name)) for kind in registered), key=lambda choice: choice[1])

    def queryset(self, request: HttpRequest, queryset: QuerySet[LogEntry]) -> QuerySet[LogEntry]:  # noqa: ARG002
        value = self.value() or ""
        return queryset.filter(content_type=int(value)) if is_number(value) else queryset


@admin.register(LogEntry)
class LogAdmin(ReadOnly):
    """Nobody adds, alters or removes what was recorded."""

    list_display = ["action_time", "user", "kind", "object_repr", "what"]
    list_display_links = ["action_time"]
    list_filter = ["action_flag", KindFilter]
    list_select_related = ["user", "content_type"]
    search_fields = ["user__username", "object_id"]
    search_help_text = "Who did it, or the number of the row"
    ordering = ["-pk"]
    actions = None
    readonly_fields = ["action_time", "user", "kind", "object_repr", "object_id", "what", "values"]
    exclude = ["action_flag", "change_message", "content_type"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LogEntry], search_term: str
    ) -> tuple[QuerySet[LogEntry], bool]:
        """By a whole name, else by a whole number: an index has either."""
        del request
        who = list(User.objects.filter(username=search_term))
        found = queryset.filter(user__in=who) if who else queryset.filter(object_id=search_term)
        return (found if search_term else queryset), False

    @admin.display(description="kind of row")
    def kind(self, entry: LogEntry) -> str:
        return entry.content_type.name if entry.content_type else ""

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        return recorded_deed(entry.change_message) or entry.get_change_message() or entry.get_action_flag_display()

    @admin.display(description="before → after")
    def values(self, entry: LogEntry) -> SafeString:
        rows = recorded_values(entry)
        return format_html_join("", "<p><strong>{}</strong>: {} → {}</p>", rows)
