"""Papers, topics and what is known of their reception, for editors."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.db import models, transaction
from django.db.models import QuerySet
from django.forms import BaseModelFormSet, ModelForm
from django.http import HttpRequest

from papers import tasks, topic_file, trends
from papers.matching import MERGED_FIELDS
from papers.models import Listing, Paper, PaperTopic, Reading, Topic, TopicModel
from papers.sources import admin as sources_admin  # noqa: F401 - it registers itself


class PaperTopicInline(admin.TabularInline):
    model = PaperTopic
    extra = 0
    autocomplete_fields = ["topic"]
    readonly_fields = ["source", "standing_in_words"]
    verbose_name = "topic"
    verbose_name_plural = "topics (what you change here stays as you set it)"


class ListingInline(admin.TabularInline):
    model = Listing
    extra = 0
    classes = ["collapse"]


@admin.register(Paper)
class PaperAdmin(admin.ModelAdmin):
    list_display = ["title", "listed_on", "trend_score", "arxiv_id", "first_author"]
    list_filter = ["listed_on", "topics"]
    search_fields = ["title", "=arxiv_id", "=doi"]
    date_hierarchy = "listed_on"
    ordering = ["-listed_on", "-hot"]
    show_full_result_count = False
    list_per_page = 50
    inlines = [PaperTopicInline, ListingInline]
    formfield_overrides = {models.URLField: {"assume_scheme": "https"}}
    readonly_fields = ["listed_on", "trend_score", "trend_parts", "edited_fields", "created_at", "updated_at"]
    actions = ["let_sources_update"]
    fieldsets = [
        (None, {"fields": ["title", "abstract", "authors", "published_at"]}),
        ("Identity", {"fields": ["arxiv_id", "doi", "categories"]}),
        ("Links", {"fields": ["url", "pdf_url", "code_url"]}),
        ("Trend", {"fields": ["listed_on", "trend_score", "trend_parts"]}),
        ("Record", {"fields": ["edited_fields", "created_at", "updated_at"], "classes": ["collapse"]}),
    ]

    @admin.display(description="trend score", ordering="hot")
    def trend_score(self, paper: Paper) -> str:
        return f"{paper.hot:.2f}"

    @admin.display(description="made of")
    def trend_parts(self, paper: Paper) -> str:
        """The terms of papers/trends.py as they stand now."""
        return trends.trends_of([paper])[paper.pk].in_words() if paper.pk else "-"

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
        """A strength that a person has set is an editor's, and no classifier touches it again."""
        if formset.model is PaperTopic:
            for inline in formset.forms:
                if inline.has_changed():
                    inline.instance.source = PaperTopic.Source.EDITOR
        super().save_formset(request, form, formset, change)

    def save_related(self, request: HttpRequest, form: ModelForm[Any], formsets: Any, change: bool) -> None:
        """Listings are part of the trend."""
        super().save_related(request, form, formsets, change)
        trends.rank([form.instance])


class TopicForm(ModelForm):
    """Holds an editor to the rules of seeds/topics.json."""

    def clean(self) -> dict[str, Any]:
        values = super().clean() or self.cleaned_data
        for key in ("categories", "phrases"):
            is_fine, rule = topic_file.RULES[key]
            if key in values and not is_fine(values[key]):
                self.add_error(key, f"This must be {rule}.")
        return values


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ["name", "field", "position", "slug", "description"]
    list_filter = ["field"]
    search_fields = ["name", "slug", "description"]
    ordering = ["position", "name"]
    prepopulated_fields = {"slug": ["name"]}
    form = TopicForm

    def save_model(self, request: HttpRequest, obj: Topic, form: Any, change: bool) -> None:
        """All papers get their topics anew, by a worker. A nudge that is lost is repeated by saving again."""
        super().save_model(request, obj, form, change)
        transaction.on_commit(tasks.assign_topics.delay, robust=True)


@admin.register(TopicModel)
class TopicModelAdmin(admin.ModelAdmin):
    """Models come from training alone: an editor can look, and that is all."""

    list_display = ["__str__", "in_use", "micro_f1", "by_phrases", "held_out", "verdict"]
    list_filter = ["in_use"]
    exclude = ["weights", "digest"]

    def get_queryset(self, request: HttpRequest) -> QuerySet[TopicModel]:
        return super().get_queryset(request).defer("weights")  # megabytes that nobody reads here

    @admin.display(description="micro-F1")
    def micro_f1(self, model: TopicModel) -> str:
        return f"{model.measures['candidate']['micro_f1']:.3f}"

    @admin.display(description="of phrases")
    def by_phrases(self, model: TopicModel) -> str:
        return f"{model.measures['phrases']['micro_f1']:.3f}"

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's
        return False


@admin.register(PaperTopic)
class PaperTopicAdmin(admin.ModelAdmin):
    list_display = ["paper", "topic", "strength", "source"]
    list_filter = ["source", "topic"]
    list_select_related = ["paper", "topic"]
    search_fields = ["paper__title"]
    autocomplete_fields = ["topic"]
    raw_id_fields = ["paper"]
    readonly_fields = ["source"]
    show_full_result_count = False

    def save_model(self, request: HttpRequest, obj: PaperTopic, form: Any, change: bool) -> None:
        obj.source, obj.hot = PaperTopic.Source.EDITOR, obj.paper.hot
        super().save_model(request, obj, form, change)


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
