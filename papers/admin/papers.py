"""Papers, for editors."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest
from django.utils.html import format_html_join

from papers import search, trends
from papers.admin.merging import Merges, label_of
from papers.lines import Lines, check_categories
from papers.matching import MERGED_FIELDS
from papers.models import Listing, Paper, PaperTopic, Reading
from papers.models.topics import NOT_THIS

READINGS_SHOWN = 10


class PaperTopicInline(admin.TabularInline):
    model = PaperTopic
    extra = 0
    autocomplete_fields = ["topic"]
    readonly_fields = ["source", "standing"]
    verbose_name = "topic"
    verbose_name_plural = "topics (what you change or remove here stays so, and teaches)"

    def get_queryset(self, request: HttpRequest) -> QuerySet[PaperTopic]:
        return super().get_queryset(request).select_related("topic", "paper")

    def formfield_for_dbfield(self, db_field: models.Field[Any, Any], request: HttpRequest, **kwargs: Any) -> Any:
        """A topic that an editor adds is meant wholly."""
        initial = {"initial": 1} if db_field.name == "strength" else {}
        return super().formfield_for_dbfield(db_field, request, **initial | kwargs)

    @admin.display(description="trend there")
    def standing(self, given: PaperTopic) -> str:
        return given.standing_in_words


class ListingInline(admin.TabularInline):
    model = Listing
    extra = 0
    classes = ["collapse"]


class PaperForm(ModelForm):
    def clean_categories(self) -> list[str]:
        check_categories(self.cleaned_data["categories"])
        return list(self.cleaned_data["categories"])


def _stars(reading: Reading) -> str:
    return "" if reading.stars is None else f", {reading.stars} code stars"


@admin.register(Paper)
class PaperAdmin(Merges):
    list_display = ["title", "listed_on", "trend_score", "arxiv_id", "first_author"]
    list_filter = ["listed_on", "topics"]
    search_fields = ["title"]
    search_help_text = "Words, an author, an arXiv id or a DOI"
    date_hierarchy = "listed_on"
    ordering = ["-listed_on", "-hot"]
    list_per_page = 50
    offers = ("add", "change")  # what was mailed stays known: a paper is banned from editions, or merged with another
    inlines = [PaperTopicInline, ListingInline]
    form = PaperForm
    formfield_overrides = {
        models.URLField: {"assume_scheme": "https"},
        models.JSONField: {"form_class": Lines},
    }
    readonly_fields = [
        "listed_on",
        "trend_score",
        "trend_parts",
        "received",
        "kept",
        "created_at",
        "updated_at",
    ]
    actions = ["let_sources_update"]
    fieldsets = [
        (None, {"fields": ["title", "abstract", "authors", "published_at"]}),
        ("Identity", {"fields": ["arxiv_id", "doi", "categories"]}),
        ("Links", {"fields": ["url", "pdf_url", "code_url"]}),
        ("Trend", {"fields": ["listed_on", "trend_score", "trend_parts", "received"]}),
        ("Record", {"fields": ["kept", "created_at", "updated_at"], "classes": ["collapse"]}),
    ]

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Paper], search_term: str
    ) -> tuple[QuerySet[Paper], bool]:
        """As the site finds papers; by what stands in a title where that finds none, as while somebody types."""
        if found := search.find(search_term):
            return queryset.filter(pk__in=found), False
        return super().get_search_results(request, queryset, search_term)

    @admin.display(description="trend score", ordering="hot")
    def trend_score(self, paper: Paper) -> str:
        return f"{paper.hot:.2f}"

    @admin.display(description="made of")
    def trend_parts(self, paper: Paper) -> str:
        """The terms of papers/trends.py as they stand now."""
        return trends.trends_of([paper])[paper.pk].in_words() if paper.pk else "-"

    @admin.display(description="readings")
    def received(self, paper: Paper) -> str:
        """How its popularity grew, the latest first."""
        rows = paper.readings.order_by("-taken_at")[:READINGS_SHOWN] if paper.pk else []
        words = ((f"{one}, {one.comments} comments{_stars(one)}",) for one in rows)
        return format_html_join("", "<div>{}</div>", words) or "none"

    @admin.display(description="kept as a person set it")
    def kept(self, paper: Paper) -> str:
        """No source writes over these."""
        return ", ".join(label_of(name) for name in paper.edited_fields) or "nothing"

    @admin.action(description="Let sources update these again", permissions=["change"])
    def let_sources_update(self, request: HttpRequest, papers: models.QuerySet[Paper]) -> None:
        released = papers.exclude(edited_fields=[]).update(edited_fields=[])
        self.message_user(request, f"{released} will follow their sources again.")

    def save_model(self, request: HttpRequest, obj: Paper, form: ModelForm[Any], change: bool) -> None:
        """What a person has set stays as it is, whatever the sources say later."""
        changed = (name for name in form.changed_data if name in MERGED_FIELDS)
        edited = {name for name in changed if getattr(obj, name) != form.initial.get(name)}
        obj.edited_fields = sorted(edited.union(obj.edited_fields))
        super().save_model(request, obj, form, change)

    def save_formset(
        self,
        request: HttpRequest,
        form: ModelForm[Any],
        formset: BaseModelFormSet[Any, Any],
        change: bool,  # noqa: FBT001, RUF100 - Django's signature
    ) -> None:
        """A strength that a person has set is an editor's, and no classifier touches it again.

        Neither does one bring back what a person has taken away: that is their word that it is none of the topic's.
        """
        if formset.model is not PaperTopic:
            super().save_formset(request, form, formset, change)
            return
        for inline in formset.forms:
            if inline.has_changed():
                inline.instance.source = PaperTopic.Source.EDITOR
        for row in formset.save(commit=False):
            row.hot = row.paper.hot
            row.save()
        gone = [row.pk for row in formset.deleted_objects]
        PaperTopic.objects.filter(pk__in=gone).update(strength=NOT_THIS, source=PaperTopic.Source.EDITOR)

    def save_related(self, request: HttpRequest, form: ModelForm[Any], formsets: Any, change: bool) -> None:
        """Listings are part of the trend."""
        super().save_related(request, form, formsets, change)
        trends.rank([form.instance])
