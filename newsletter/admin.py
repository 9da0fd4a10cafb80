"""Editions, the ledger, events and the brake, for operators. Nothing here counts a whole ledger."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils import timezone

from newsletter.models import Brake, Digest, DigestPaper, Edition, EditionPaper, Event


class ReadOnly(admin.ModelAdmin):
    """The machine's own record: to be read, never edited."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class EditionPaperInline(admin.TabularInline):
    """Only what an editor decided: a pool has up to a thousand papers."""

    model = EditionPaper
    extra = 1
    fields = ["paper", "choice", "hot"]
    readonly_fields = ["hot"]
    autocomplete_fields = ["paper"]
    verbose_name = "pin or ban"
    verbose_name_plural = "pins and bans"

    def get_queryset(self, request: HttpRequest) -> QuerySet[EditionPaper]:
        decided = [EditionPaper.Choice.PINNED, EditionPaper.Choice.BANNED]
        return super().get_queryset(request).filter(choice__in=decided).select_related("paper")


@admin.register(Edition)
class EditionAdmin(admin.ModelAdmin):
    list_display = ["__str__", "kind", "date", "status", "opened_at"]
    list_filter = ["kind", "status"]
    date_hierarchy = "date"
    fields = ["kind", "date", "status", "note", "accounts"]
    readonly_fields = ["kind", "date", "accounts"]
    inlines = [EditionPaperInline]
    actions = ["pause", "resume", "cancel"]

    @admin.display(description="Digests by state")
    def accounts(self, edition: Edition) -> str:
        accounts = {Digest.Status(status).label: count for status, count in edition.accounts().items() if count}
        total = sum(accounts.values())
        return " + ".join(f"{count:,} {label}" for label, count in accounts.items()) + f" = {total:,} planned"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - the planner opens editions
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Edition | None = None) -> bool:  # noqa: ARG002
        return False

    @admin.action(description="Pause", permissions=["change"])
    def pause(self, request: HttpRequest, editions: QuerySet[Edition]) -> None:
        self._turn(request, editions.filter(status=Edition.Status.OPEN), Edition.Status.PAUSED)

    @admin.action(description="Resume", permissions=["change"])
    def resume(self, request: HttpRequest, editions: QuerySet[Edition]) -> None:
        self._turn(request, editions.filter(status=Edition.Status.PAUSED), Edition.Status.OPEN)

    @admin.action(description="Cancel for good", permissions=["change"])
    def cancel(self, request: HttpRequest, editions: QuerySet[Edition]) -> None:
        self._turn(request, editions.exclude(status=Edition.Status.CANCELLED), Edition.Status.CANCELLED)

    def _turn(self, request: HttpRequest, editions: QuerySet[Edition], status: Edition.Status) -> None:
        turned = editions.update(status=status)
        self.message_user(request, f"{turned} now {status.label}.")


class DigestPaperInline(admin.TabularInline):
    model = DigestPaper
    extra = 0
    fields = ("place", "paper", "reason")
    readonly_fields = ("place", "paper", "reason")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Digest)
class DigestAdmin(ReadOnly):
    list_display = ["uid", "edition", "subscriber", "status", "reason", "not_before", "settled_at"]
    list_filter = ["status", "edition__kind"]
    list_select_related = ["edition", "subscriber"]
    search_fields = ["=uid", "=subscriber__email"]
    search_help_text = "A digest's uid or a reader's whole address"
    ordering = ["-pk"]
    inlines = [DigestPaperInline]


@admin.register(Event)
class EventAdmin(ReadOnly):
    list_display = ["received_at", "provider", "type", "digest_uid", "detail", "applied_at"]
    list_filter = ["type", "provider"]
    search_fields = ["=digest_uid", "=key"]
    search_help_text = "A digest's uid or the provider's event id"


@admin.register(Brake)
class BrakeAdmin(admin.ModelAdmin):
    list_display = ["reason", "pulled_at", "released_at"]
    fields = ["reason", "pulled_at", "released_at"]
    readonly_fields = ["pulled_at", "released_at"]
    actions = ["release"]

    def has_delete_permission(self, request: HttpRequest, obj: Brake | None = None) -> bool:  # noqa: ARG002
        return False

    def has_change_permission(self, request: HttpRequest, obj: Brake | None = None) -> bool:
        return obj is None and super().has_change_permission(request)

    @admin.action(description="Release: mail goes out again", permissions=["change"])
    def release(self, request: HttpRequest, brakes: QuerySet[Brake]) -> None:
        released = brakes.filter(released_at=None).update(released_at=timezone.now())
        self.message_user(request, f"{released} released." if released else "It was released already.")
