"""The audit log: who did what, with the values before and after."""

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from newsletter.admin.looking import ReadOnly
from newsletter.audit import recorded_deed, recorded_values


@admin.register(LogEntry)
class LogAdmin(ReadOnly):
    """Nobody adds, alters or removes what was recorded."""

    list_display = ["action_time", "user", "content_type", "object_repr", "what"]
    list_display_links = ["action_time"]
    list_filter = ["action_flag", "content_type"]
    list_select_related = ["user", "content_type"]
    search_fields = ["user__username", "object_id"]
    search_help_text = "Who did it, or the number of the row"
    ordering = ["-pk"]
    actions = None
    readonly_fields = ["action_time", "user", "content_type", "object_repr", "object_id", "what", "values"]
    exclude = ["action_flag", "change_message"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[LogEntry], search_term: str
    ) -> tuple[QuerySet[LogEntry], bool]:
        """By a whole name, else by a whole number: an index has either."""
        del request
        who = list(User.objects.filter(username=search_term))
        found = queryset.filter(user__in=who) if who else queryset.filter(object_id=search_term)
        return (found if search_term else queryset), False

    @admin.display(description="what")
    def what(self, entry: LogEntry) -> str:
        return recorded_deed(entry.change_message) or entry.get_change_message() or entry.get_action_flag_display()

    @admin.display(description="before → after")
    def values(self, entry: LogEntry) -> SafeString:
        rows = recorded_values(entry)
        return format_html_join("", "<p><strong>{}</strong>: {} → {}</p>", rows)
