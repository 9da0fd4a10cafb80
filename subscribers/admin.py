"""What operators see. Addresses are found by their beginning, which an index serves; journeys stay with readers."""

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db.models import Model, QuerySet
from django.http import HttpRequest

from subscribers.addresses import address_hash, clean_address
from subscribers.models import Consent, Letter, Parting, Subscriber, Suppression


class Journeys(admin.ModelAdmin):
    """Rows begin and end with what readers do, never by hand. The lists stay quick on millions of rows."""

    show_full_result_count = False
    ordering = ["-pk"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """Addresses are stored in lower case."""
        return super().get_search_results(request, queryset, search_term.lower())

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


class Proofs(Journeys):
    """Rows that nobody alters either."""

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Subscriber)
class SubscriberAdmin(Journeys):
    """Nobody is added, confirmed or deleted by hand: consent is the person's, and so is erasing."""

    list_display = ["__str__", "status", "cadence", "zone", "next_digest_at", "created_at"]
    list_filter = ["status", "cadence"]
    search_fields = ["email__startswith"]
    search_help_text = "The beginning of an address"
    fields = [
        ("email", "status", "status_changed_at"),
        "topics",
        ("cadence", "weekdays", "weekday", "local_hour", "zone"),
        "digest_size",
        "next_digest_at",
        ("created_at", "confirmed_at"),
        "uid",
    ]
    readonly_fields = [
        "email",
        "status",
        "status_changed_at",
        "cadence",
        "weekday",
        "weekdays",
        "local_hour",
        "zone",
        "next_digest_at",
        "created_at",
        "confirmed_at",
        "uid",
    ]
    filter_horizontal = ["topics"]


@admin.register(Consent)
class ConsentAdmin(Proofs):
    list_display = ["at", "subscriber", "action", "words", "page", "network"]
    list_filter = ["action"]
    list_select_related = ["subscriber"]
    search_fields = ["subscriber__email__startswith"]
    search_help_text = "The beginning of an address"


@admin.register(Suppression)
class SuppressionAdmin(Proofs):
    list_display = ["__str__", "reason", "at"]
    list_filter = ["reason"]
    search_fields = ["address_hash"]
    search_help_text = "A whole address: only its code is kept"

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Suppression],
        search_term: str,
    ) -> tuple[QuerySet[Suppression], bool]:
        if not search_term:
            return queryset, False
        try:
            return queryset.filter(address_hash=address_hash(clean_address(search_term))), False
        except ValidationError:
            return queryset.none(), False


@admin.register(Letter)
class LetterAdmin(Proofs):
    list_display = ["requested_at", "subscriber", "kind", "status", "attempts", "reason", "sent_at"]
    list_filter = ["kind", "status"]
    list_select_related = ["subscriber"]
    search_fields = ["subscriber__email__startswith"]
    search_help_text = "The beginning of an address"


@admin.register(Parting)
class PartingAdmin(Proofs):
    list_display = ["day", "reason", "words"]
    list_filter = ["reason"]
