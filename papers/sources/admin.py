"""Sources for operators: what is fetched, how often, and how it went."""

from functools import partial

from django.contrib import admin
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest

from papers import tasks
from papers.sources.models import Source

STATE = ["last_run_at", "found", "new", "updated", "skipped", "failures", "last_error", "last_report"]


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    list_display = ["name", "kind", "is_on", "every", "last_run_at", "found", "new", "updated", "skipped", "fault"]
    list_filter = ["is_on", "kind"]
    search_fields = ["name", "last_error"]
    list_editable = ["is_on"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "is_on", "every", "next_run_at"]}),
        ("What is fetched", {"fields": ["categories", "view"]}),
        ("The last run", {"fields": [*STATE]}),
    ]
    readonly_fields = STATE
    actions = ["fetch_now"]

    @admin.display(description="last error")
    def fault(self, source: Source) -> str:
        return source.last_error.partition("\n")[0] or "–"

    @admin.action(description="Fetch now", permissions=["change"])
    def fetch_now(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        """Each in a task of its own, on or not. With Redis gone, those that are on are due at the next tick."""
        sources.update(next_run_at=None)
        for source in sources:
            transaction.on_commit(partial(tasks.fetch_source.delay, source.pk, asked=True), robust=True)
        self.message_user(request, f"{len(sources)} will be fetched in a moment; reload to see how it went.")
