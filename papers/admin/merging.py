"""Merging two papers in the admin: what may be one, both side by side, and the typed word that makes them one."""

import re
from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import path
from django.utils import timezone
from django.utils.text import Truncator
from django.views.decorators.http import require_safe

from papers import duplicates, identity
from papers.merging import DERIVED, MergeError, merge, relations
from papers.models import Merged, Paper

# A number by itself, or in an address of ours.
NUMBER = re.compile(r"^(\d{1,18})$|/papers?/(\d{1,18})/", re.ASCII)
SHOWN = ("title", "authors", "arxiv_id", "doi", "listed_on", "published_at", "categories", "url", "edited_fields")


class Merges(admin.ModelAdmin):
    """Mixed into the admin of papers. Merging takes the permissions to change papers and to delete them."""

    def has_merge_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perms(["papers.change_paper", "papers.delete_paper"])

    def get_urls(self) -> list[Any]:
        view = self.admin_site.admin_view
        return [
            path("duplicates/", view(require_safe(self.duplicates)), name="papers_paper_duplicates"),
            path("<int:pk>/merge/", view(self.merge), name="papers_paper_merge"),
            *super().get_urls(),
        ]

    def duplicates(self, request: HttpRequest) -> HttpResponse:
        """Pairs among the latest papers that may be one work."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        context = self._context(request, "Possible duplicates") | {
            "pairs": duplicates.latest(),
            "looked_at": duplicates.LATEST,
            "recent": Merged.objects.select_related("paper")[:10],
        }
        return render(request, "admin/papers/paper/duplicates.html", context)

    def merge(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Choose what is the same work as this paper; see both; make them one."""
        if not self.has_merge_permission(request):
            raise PermissionDenied
        keep = get_object_or_404(Paper, pk=pk)
        asked = request.GET.get("with", "").strip()
        drop = named(asked)
        if drop == keep or drop is None:
            return self._choose(request, keep, asked, is_itself=drop == keep)
        phrase = f"{drop.pk} into {keep.pk}"
        wrong = request.method == "POST" and request.POST.get("typed", "").split() != phrase.split()
        if request.method == "POST" and not wrong:
            return self._merged(request, keep, drop)
        context = self._context(request, "Merge two papers") | {
            "original": keep,
            "keep": keep,
            "drop": drop,
            "fields": [(label_of(name), _shown(keep, name), _shown(drop, name)) for name in SHOWN],
            "rows": what_hangs_on(keep, drop),
            "why": duplicates.reason(keep, drop),
            "phrase": phrase,
            "wrong": wrong,
        }
        return render(request, "admin/papers/paper/merge.html", context)

    def _choose(self, request: HttpRequest, keep: Paper, asked: str, *, is_itself: bool) -> HttpResponse:
        fault = "That is this paper itself." if is_itself else "No paper of ours is called so." if asked else ""
        found = duplicates.of(keep)
        context = self._context(request, "Which paper is the same work?") | {
            "original": keep,
            "keep": keep,
            "others": [(pair.drop if pair.keep == keep else pair.keep, pair.why) for pair in found],
            "asked": asked,
            "fault": fault,
        }
        return render(request, "admin/papers/paper/same_work.html", context)

    def _merged(self, request: HttpRequest, keep: Paper, drop: Paper) -> HttpResponse:
        try:
            merge(keep.pk, drop.pk, timezone.now(), request.user)
        except MergeError as error:
            self.message_user(request, str(error), messages.ERROR)
            return redirect("admin:papers_paper_changelist")
        self.message_user(request, f"Paper {drop.pk} is now part of this one, with everything that hung on it.")
        return redirect("admin:papers_paper_change", keep.pk)

    def _context(self, request: HttpRequest, title: str) -> dict[str, Any]:
        return self.admin_site.each_context(request) | {
            "title": title,
            "opts": self.opts,
            "may_merge": self.has_merge_permission(request),
        }


def named(text: str) -> Paper | None:
    """The paper that somebody means: by its number, an address of ours, arXiv id or DOI."""
    if number := NUMBER.search(text):
        return Paper.objects.filter(pk=number[1] or number[2]).first()
    if arxiv_id := identity.arxiv_id(text):
        return Paper.objects.filter(pk__in=Paper.objects.numbers_by_arxiv_id([arxiv_id]).values()).first()
    doi = identity.doi(text)
    return Paper.objects.filter(doi=doi).first() if doi else None


def what_hangs_on(keep: Paper, drop: Paper) -> list[tuple[str, int, int]]:
    """How many rows of each kind either has; one query a kind, along its index."""
    found = []
    for relation in relations():
        if relation.model in DERIVED:
            continue
        rows = relation.model._base_manager.filter(**{f"{relation.attname}__in": [keep.pk, drop.pk]}).order_by()
        counted = dict(rows.values_list(relation.attname).annotate(number=Count("*")))
        if counted:
            words = str(relation.model._meta.verbose_name_plural)
            found.append((words, counted.get(keep.pk, 0), counted.get(drop.pk, 0)))
    return found


def label_of(name: str) -> str:
    """A moment is called by what happened then, as it is everywhere in the admin."""
    return str(Paper._meta.get_field(name).verbose_name).removesuffix(" at")  # type: ignore[union-attr]


def _shown(paper: Paper, name: str) -> Any:
    value = getattr(paper, name)
    return Truncator(", ".join(value)).chars(200) if isinstance(value, list) else value
