"""Where papers were shown, and how they were received."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from papers import search
from papers.models import Listing, Reading


class OfPapers(admin.ModelAdmin):
    """Mixed into admins of what papers have many of: found as the papers are."""

    list_select_related = ["paper"]
    search_fields = ["paper__title"]
    search_help_text = "Words, an author, an arXiv id or a DOI of the paper"
    ordering = ["-pk"]
    sortable_by = ()  # there are too many
    autocomplete_fields = ["paper"]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        del request
        return (queryset.filter(paper__in=search.find(search_term)) if search_term else queryset), False


@admin.register(Listing)
class ListingAdmin(OfPapers):
    list_display = ["paper", "source", "day", "place"]
    list_filter = ["day", "source"]


@admin.register(Reading)
class ReadingAdmin(OfPapers):
    """Append-only, and what sources told: an editor can look, and that is all."""

    list_display = ["paper", "taken_at", "upvotes", "comments", "stars"]
    offers = ()
