"""What stops all mail, and who was told of it, for operators."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone

from newsletter import audit
from newsletter.admin.looking import ReadOnly
from newsletter.delivery import installation
from newsletter.desk.standing import first_expiry
from newsletter.models import Alarm, Brake, BrakeQuerySet

DECISIONS_SHOWN = 10


class BrakeForm(forms.ModelForm):
    def clean_reason(self) -> str:
        """Raises ValidationError for an address: everybody reads the reason."""
        reason: str = self.cleaned_data["reason"]
        audit.check_why(reason)
        return reason

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError where it would stop nothing."""
        if Brake.objects.engaged().exists():
            raise ValidationError("All mail is stopped already: one brake is enough.")
        return super().clean() or {}


@admin.register(Brake)
class BrakeAdmin(admin.ModelAdmin):
    """Pulling one stops all mail; the list, and its own page, release it."""

    form = BrakeForm
    offers = ("add", "act")
    add_words, show_add_link = "Stop all mail", False
    change_form_before_template = "admin/newsletter/brake/standing.html"
    list_display = ["reason", "by_hand", "pulled_at", "released_at"]
    fields = ["reason", "pulled_at", "released_at"]
    readonly_fields = ["pulled_at", "released_at"]
    actions = ["release", "adopt"]

    def get_actions(self, request: HttpRequest) -> Any:
        """What is said of a copy is offered where the database may be one."""
        actions = super().get_actions(request)
        if not Brake.objects.engaged().filter(cause=Brake.Cause.RESTORED).exists():
            actions.pop("adopt", None)
        return actions

    def add_view(self, request: HttpRequest, form_url: str = "", extra_context: Any = None) -> HttpResponse:
        alone = {"show_save_and_continue": False, "show_save_and_add_another": False}
        return super().add_view(request, form_url, {"title": "Stop all mail"} | alone | (extra_context or {}))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: Any = None
    ) -> HttpResponse:
        """With what it does, who decided what, and the way out of it."""
        context = {"first_expiry": first_expiry()} | (extra_context or {})
        if brake := self.get_object(request, object_id):
            context["decisions"] = audit.decisions_on(brake, DECISIONS_SHOWN)
        return super().change_view(request, object_id, form_url, context)

    def get_fields(self, request: HttpRequest, obj: Brake | None = None) -> Any:
        return super().get_fields(request, obj) if obj else ["reason"]

    def save_model(self, request: HttpRequest, obj: Brake, form: Any, change: bool) -> None:  # noqa: ARG002
        obj.by_hand = True
        obj.save()

    def response_add(self, request: HttpRequest, obj: Brake, post_url_continue: Any = None) -> HttpResponse:  # noqa: ARG002
        self.message_user(request, "All mail is stopped, until you release this brake.")
        return redirect("admin:newsletter_brake_change", obj.pk)

    @admin.action(description="Release: mail goes out again", permissions=["change"])
    def release(self, request: HttpRequest, brakes: BrakeQuerySet) -> None:
        if not brakes.release(timezone.now()):
            self.message_user(request, "Only `ledger adopt` releases this brake.", messages.WARNING)
        elif other := Brake.objects.engaged().first():
            self.message_user(request, f"Released; but all mail stays stopped: {other}", messages.WARNING)
        else:
            self.message_user(request, "Released: mail goes out again.", messages.SUCCESS)

    @admin.action(description="It is no copy: send from this database", permissions=["change"])
    def adopt(self, request: HttpRequest, brakes: BrakeQuerySet) -> None:
        if settings.DATABASE_IS_RESTORED:
            self.message_user(request, "DATABASE_IS_RESTORED is set: unset it first.", messages.ERROR)
        elif brakes.engaged().filter(cause=Brake.Cause.RESTORED).exists():
            installation.adopt(timezone.now(), request.user.get_username())
            self.message_user(request, "Mail goes out from this database again.")

    adopt.typed = True  # type: ignore[attr-defined]


@admin.register(Alarm)
class AlarmAdmin(ReadOnly):
    list_display = ["kind", "reason", "began_at", "told_at", "attempts", "doubts", "ended_at"]
    list_filter = ["kind"]
