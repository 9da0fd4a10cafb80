"""Where papers were shown, and how they were received."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from papers.models import Listing, Reading


@admin.register(Listing)
class ListingAdmin(admin.ModelAdmin):
    list_display = ["paper", "source", "day", "place"]
    list_filter = ["source"]
    list_select_related = ["paper"]
    search_fields = ["paper__title"]
    date_hierarchy = "day"
    raw_id_fields = ["paper"]
    show_full_result_count = False


@admin.register(Reading)
class ReadingAdmin(admin.ModelAdmin):
    """Append-only: an editor can look, and that is all."""

    list_display = ["paper", "taken_at", "upvotes", "comments", "stars"]
    list_select_related = ["paper"]
    search_fields = ["paper__title"]
    date_hierarchy = "taken_at"
    raw_id_fields = ["paper"]
    show_full_result_count = False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's
        return False
