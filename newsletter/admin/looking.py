"""Lists that are only looked at, and how, where they have millions of rows, without reading them all."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from newsletter.cockpit.model_admins import MOST_FOUND
from newsletter.desk.finding import uids_beginning
from newsletter.models import Digest, Edition
from newsletter.numbers import is_number

EDITIONS_SHOWN = 15
UID_SHOWN = 8  # letters


class ReadOnly(admin.ModelAdmin):
    """The machine's own record: to be read, never edited."""

    offers: tuple[str, ...] = ()
    sortable_by = ()  # to sort millions of rows takes an index for each column


class FoundByUid(admin.ModelAdmin):
    """Mixed into admins whose rows are looked for by a uid or its beginning, in one of the columns that are indexed by
    it. Their lists show the beginning alone.
    """

    uid_fields: ClassVar[list[str]] = ["uid"]

    def get_search_fields(self, request: HttpRequest) -> list[str]:  # noqa: ARG002 - Django's signature
        return self.uid_fields

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Any], search_term: str
    ) -> tuple[QuerySet[Any], bool]:
        """What is no uid finds nothing."""
        del request
        return (queryset.filter(pk__in=self._found_by_uid(search_term)) if search_term else queryset), False

    def _found_by_uid(self, sought: str) -> set[Any]:
        """The rows by number. Each column is read in its own order: a list's would have a database walk through all of
        it, if it takes a range of uids for a large one."""
        rows, ends = self.model._default_manager, uids_beginning(sought)
        columns = self.uid_fields if ends else []
        found = (rows.filter(**{f"{name}__range": ends}).order_by(name) for name in columns)
        return {pk for some in found for pk in some.values_list("pk", flat=True)[:MOST_FOUND]}


def beginning(name: str, description: str) -> Any:
    """A column with the beginning of a uid; its row's own page has the whole."""

    @admin.display(description=description)
    def shown(row: Any) -> str | None:
        uid = getattr(row, name)
        return f"{str(uid)[:UID_SHOWN]}…" if uid else None

    return shown


class StoppedFilter(admin.SimpleListFilter):
    """Editions by what was decided of them; how far those are that nobody stopped, their state says."""

    title = "state"
    parameter_name = "status__exact"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        stopped = [(one.value, str(one.label)) for one in Edition.Status if one != Edition.Status.OPEN]
        return [(Edition.Status.OPEN.value, "not stopped"), *stopped]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Edition]) -> QuerySet[Edition]:  # noqa: ARG002
        return queryset.filter(status=self.value()) if self.value() in Edition.Status.values else queryset


class EditionFilter(admin.SimpleListFilter):
    """The latest editions; one that is older is reached from its own page."""

    title = "edition"
    parameter_name = "edition__id__exact"

    @property
    def chosen(self) -> int:
        """Its number; 0, which no edition has, where it is none."""
        value = self.value() or ""
        return int(value) if is_number(value) else 0

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        latest = list(Edition.objects.order_by("-date", "kind")[:EDITIONS_SHOWN])
        if self.chosen and self.chosen not in {edition.pk for edition in latest}:
            latest += Edition.objects.filter(pk=self.chosen)
        return [(str(edition.pk), str(edition)) for edition in latest]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Digest]) -> QuerySet[Digest]:  # noqa: ARG002
        return queryset if self.value() is None else queryset.filter(edition=self.chosen)
