"""Imports for operators: upload, see what would come of it, confirm, watch, take the report."""

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone

from subscribers import tasks
from subscribers.imports import importing, report
from subscribers.imports.table import COLUMNS, NEEDED, FileFault
from subscribers.models import Import

RELOAD_SECONDS = 3
# The report has addresses.
MAY_READ = ["subscribers.view_import", "subscribers.view_subscriber"]


class UploadForm(forms.Form):
    file = forms.FileField(
        label="CSV file",
        help_text=f"In UTF-8. Its first line names the columns: {', '.join(NEEDED)} must be there, "
        f"{', '.join(COLUMNS[len(NEEDED) :])} may be.",
        widget=forms.FileInput(attrs={"accept": ".csv,.tsv,text/csv"}),
    )


@admin.register(Import)
class ImportAdmin(admin.ModelAdmin):
    """Uploading takes the permission to add imports, confirming and cancelling that to change them."""

    list_display = ["__str__", "status", "account", "uploaded_by", "decided_by"]
    list_filter = ["status"]
    offers = ("add", "act")

    @admin.display(description="rows")
    def account(self, job: Import) -> str:
        return ", ".join(job.accounts) or "–"

    def get_urls(self) -> list[Any]:
        def own(name: str) -> Any:
            view = self.admin_site.admin_view(getattr(self, name))
            return path(f"<int:pk>/{name}/", view, name=f"subscribers_import_{name}")

        mine = map(own, ("confirm", "cancel", "set_aside", "report"))
        return [*mine, *super().get_urls()]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",  # noqa: ARG002 - Django's signature
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """Take a file, and have it checked."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = UploadForm(request.POST, request.FILES) if request.method == "POST" else UploadForm()
        if form.is_valid():
            try:
                return self._upload(request, form.cleaned_data["file"])
            except FileFault as fault:
                form.add_error("file", str(fault))
        context = self.admin_site.each_context(request) | {"title": "Import readers", "form": form, "opts": self.opts}
        return render(request, "admin/subscribers/import/upload.html", context)

    def _upload(self, request: HttpRequest, file: UploadedFile) -> HttpResponse:
        job = importing.store(file.chunks(), file.name or "", request.user.get_username(), timezone.now())
        self.log_addition(request, job, "")
        go_on(job)
        return redirect("admin:subscribers_import_change", job.pk)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",  # noqa: ARG002 - Django's signature
        extra_context: dict[str, Any] | None = None,  # noqa: ARG002
    ) -> HttpResponse:
        """How an import stands. It is never edited."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        if request.method not in {"GET", "HEAD"}:
            return HttpResponseNotAllowed(["GET", "HEAD"])
        job = get_object_or_404(Import, pk=object_id if object_id.isdecimal() else None)
        is_working = job.status in Import.Status.working()
        may_read = request.user.has_perms(MAY_READ)
        context = self.admin_site.each_context(request) | {
            "title": f"Import of {job.file_name}",
            "opts": self.opts,
            "original": job,
            "job": job,
            "is_working": is_working,
            "is_open": job.status not in Import.Status.ended(),
            "is_unseen": job.status == Import.Status.REFUSED and job.decided_at is None,
            "may_decide": self.has_change_permission(request),
            "may_read": may_read,
            "sample": report.sample_of(job) if may_read and not is_working else [],
        }
        response = render(request, "admin/subscribers/import/page.html", context)
        if is_working:
            response["Refresh"] = str(RELOAD_SECONDS)
        return response

    def confirm(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let it run."""
        return self._decide(request, pk, importing.confirm, "There is nothing to confirm: look at how it stands now.")

    def cancel(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop it; who is in already stays."""
        return self._decide(request, pk, importing.cancel, "It had ended already.")

    def set_aside(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It was refused, and has been looked at: Today says so no more."""
        return self._decide(request, pk, importing.set_aside, "It was set aside already, or not refused.")

    def _decide(
        self, request: HttpRequest, pk: int, decide: Callable[[Import, str, Any], bool], too_late: str
    ) -> HttpResponse:
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        job = get_object_or_404(Import, pk=pk)
        if decide(job, request.user.get_username(), timezone.now()):
            self.log_change(request, job, [{"action": decide.__name__.replace("_", " ")}])
            go_on(job)
        else:
            self.message_user(request, too_late, messages.WARNING)
        return redirect("admin:subscribers_import_change", pk)

    def report(self, request: HttpRequest, pk: int) -> HttpResponse | StreamingHttpResponse:
        """The refused rows, to download. They have addresses: whoever takes them is on record."""
        if not request.user.has_perms(MAY_READ):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        job = get_object_or_404(Import, pk=pk)
        self.log_change(request, job, [{"action": "took its report"}])
        return StreamingHttpResponse(
            report.report_of(job),
            content_type="text/csv; charset=utf-8",
            headers={"Content-Disposition": f'attachment; filename="import-{pk}-refused.csv"'},
        )


def go_on(job: Import) -> None:
    """Have a worker go on with it; with Redis gone, the sweep of every minute does."""

    def soon() -> None:  # Django logs what fails here by its name, which a bare partial has not
        tasks.continue_import.delay(job.pk)

    transaction.on_commit(soon, robust=True)
