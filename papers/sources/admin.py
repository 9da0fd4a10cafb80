"""Sources for operators: what is fetched, how often, and how it went."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db import IntegrityError, models, transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone

from papers import tasks
from papers.lines import Lines
from papers.models.back_fills import BackFill, BackFillQuerySet
from papers.sources.models import Source

RELOAD_SECONDS = 5

STATE = ["last_run_at", "found", "new", "updated", "skipped", "failures", "last_error", "last_report"]


@admin.register(Source)
class SourceAdmin(admin.ModelAdmin):
    list_display = ["name", "kind", "is_on", "every", "last_run_at", "found", "new", "updated", "skipped", "fault"]
    list_filter = ["is_on", "kind"]
    search_fields = ["name", "last_error"]
    list_editable = ["is_on"]
    offers = ("add", "change")  # it is turned off
    fieldsets = [
        (None, {"fields": ["name", "kind", "is_on", "every", "next_run_at"]}),
        ("What is fetched", {"fields": ["categories", "view"]}),
        ("The last run", {"fields": [*STATE]}),
    ]
    readonly_fields = STATE
    formfield_overrides = {models.JSONField: {"form_class": Lines}}
    actions = ["fetch_now"]

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:
        """What was changed alone: a run may be writing how far it has come, while the list is saved too."""
        if change:
            obj.save(update_fields=form.changed_data)
        else:
            super().save_model(request, obj, form, change)

    @admin.display(description="last error")
    def fault(self, source: Source) -> str:
        return source.last_error.partition("\n")[0] or "–"

    @admin.action(description="Fetch now", permissions=["change"])
    def fetch_now(self, request: HttpRequest, sources: QuerySet[Source]) -> None:
        """Each in a task of its own, on or not. With Redis gone, those that are on are due at the next tick."""
        sources.update(next_run_at=None)
        for source in sources:
            tasks.nudge(tasks.fetch_source, source.pk, asked=True)
        self.message_user(request, f"{len(sources)} will be fetched in a moment; reload to see how it went.")


@admin.register(BackFill)
class BackFillAdmin(admin.ModelAdmin):
    """Asked for once, then watched: it is stopped and resumed, never edited."""

    list_display = ["__str__", "status", "asked", "found", "new", "updated", "skipped", "begun_at", "moved_at"]
    list_filter = ["status", "source"]
    list_select_related = ["source"]
    fields = ["source", "since", "until"]
    actions = ["stop", "resume"]
    offers = ("add", "act")

    def get_changeform_initial_data(self, request: HttpRequest) -> dict[str, Any]:
        return {"until": timezone.now().date(), **super().get_changeform_initial_data(request)}

    def save_model(self, request: HttpRequest, obj: BackFill, form: Any, change: bool) -> None:
        obj.not_before = timezone.now()
        super().save_model(request, obj, form, change)
        tasks.nudge(tasks.go_on_with_back_fill, obj.pk)

    def response_add(self, request: HttpRequest, obj: BackFill, post_url_continue: Any = None) -> HttpResponse:  # noqa: ARG002
        return redirect("admin:papers_backfill_change", obj.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - Django's signature
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """How far it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        jobs = BackFill.objects.select_related("source")
        job = get_object_or_404(jobs, pk=object_id if object_id.isdecimal() else None)
        context = self.admin_site.each_context(request) | {
            "title": f"Back-fill of {job}",
            "opts": self.opts,
            "original": job,
            "job": job,
            "may_decide": self.has_change_permission(request),
        }
        response = render(request, "admin/papers/backfill/page.html", context)
        if job.status == BackFill.Status.ON:
            response["Refresh"] = str(RELOAD_SECONDS)
        return response

    @admin.action(description="Stop: what was stored stays", permissions=["change"])
    def stop(self, request: HttpRequest, jobs: BackFillQuerySet) -> HttpResponse:
        self.message_user(request, f"{jobs.stop()} stopped.")
        return self._back(jobs)

    @admin.action(description="Go on", permissions=["change"])
    def resume(self, request: HttpRequest, jobs: BackFillQuerySet) -> HttpResponse:
        try:
            with transaction.atomic():
                resumed = jobs.resume(timezone.now())
        except IntegrityError:
            self.message_user(request, "Another of the same source is going on: stop it first.", messages.ERROR)
            return self._back(jobs)
        for pk in jobs.filter(status=BackFill.Status.ON).values_list("pk", flat=True):
            tasks.nudge(tasks.go_on_with_back_fill, pk)
        self.message_user(request, f"{resumed} going on.")
        return self._back(jobs)

    def _back(self, jobs: BackFillQuerySet) -> HttpResponse:
        """To the page of the one, else to the list."""
        only = list(jobs.values_list("pk", flat=True)[:2])
        if len(only) == 1:
            return redirect("admin:papers_backfill_change", only[0])
        return redirect("admin:papers_backfill_changelist")
