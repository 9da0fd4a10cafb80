"""Lists that are only looked at, and how, where they have millions of rows, without reading them all."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import Q, QuerySet
from django.http import HttpRequest

from newsletter.desk.finding import uid_in
from newsletter.models import Digest, Edition

EDITIONS_SHOWN = 15


class ReadOnly(admin.ModelAdmin):
    """The machine's own record: to be read, never edited."""

    show_full_result_count = False
    sortable_by = ()  # to sort millions of rows takes an index for each column

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


class FoundByUid(admin.ModelAdmin):
    """Mixed into admins whose rows are looked for by a whole uid, in one of the columns that are indexed by it."""

    uid_fields: ClassVar[list[str]] = ["uid"]

    def get_search_fields(self, request: HttpRequest) -> list[str]:  # noqa: ARG002 - Django's signature
        return self.uid_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What is no uid finds nothing."""
        del request
        if not search_term:
            return queryset, False
        uid, wanted = uid_in(search_term), Q()
        for name in self.uid_fields:
            wanted |= Q(**{name: uid})
        return (queryset.filter(wanted) if uid else queryset.none()), False


class EditionFilter(admin.SimpleListFilter):
    """The latest editions; one that is older is reached from its own page."""

    title = "edition"
    parameter_name = "edition__id__exact"

    @property
    def chosen(self) -> int:
        """Its number; 0, which no edition has, where it is none."""
        value = self.value() or ""
        return int(value) if value.isdecimal() and len(value) < 19 else 0

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        latest = list(Edition.objects.order_by("-date", "kind")[:EDITIONS_SHOWN])
        if self.chosen and self.chosen not in {edition.pk for edition in latest}:
            latest += Edition.objects.filter(pk=self.chosen)
        return [(str(edition.pk), str(edition)) for edition in latest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Digest]) -> QuerySet[Digest]:  # noqa: ARG002
        return queryset if self.value() is None else queryset.filter(edition=self.chosen)
