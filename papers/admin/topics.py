"""Topics, what belongs to them, and what was learnt of them, for editors."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from papers import tasks, topic_file
from papers.admin.reception import OfPapers
from papers.lines import Lines, check_categories, shown
from papers.models import PaperTopic, Topic, TopicModel


class TopicForm(ModelForm):
    """Holds an editor to the rules of seeds/topics.json."""

    def clean_categories(self) -> list[str]:
        check_categories(self.cleaned_data["categories"])
        return list(self.cleaned_data["categories"])

    def clean_phrases(self) -> list[str]:
        """Raises ValidationError where the topic could not be found by them."""
        phrases, (are_fine, _) = self.cleaned_data["phrases"], topic_file.RULES["phrases"]
        if wrong := next((one for one in phrases if not are_fine([one])), None):
            raise ValidationError(f"{shown(wrong)} cannot be looked for: it takes a letter or a digit.")
        if not phrases:
            raise ValidationError("Name at least one phrase.")
        return list(phrases)


@admin.register(Topic)
class TopicAdmin(admin.ModelAdmin):
    list_display = ["name", "field", "position", "slug", "description"]
    list_filter = ["field"]
    search_fields = ["name", "slug", "description"]
    ordering = ["position", "name"]
    prepopulated_fields = {"slug": ["name"]}
    form = TopicForm
    formfield_overrides = {models.JSONField: {"form_class": Lines}}
    own_page = "desk_topic"
    offers = ("add", "change")
    actions = ["remove"]

    def has_remove_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("papers.delete_topic")

    @admin.action(description="Delete for good", permissions=["remove"])
    def remove(self, request: HttpRequest, topics: QuerySet[Topic]) -> None:
        names = ", ".join(topic.name for topic in topics)
        self.log_deletions(request, topics)
        topics.delete()
        self.message_user(request, f"{names}: deleted.")

    remove.typed = remove.deletes = True  # type: ignore[attr-defined]
    remove.means = (  # type: ignore[attr-defined]
        "Papers and readers lose it: who follows nothing else gets the best of everything from then on."
    )

    def save_model(self, request: HttpRequest, obj: Topic, form: Any, change: bool) -> None:
        """All papers get their topics anew, by a worker. A nudge that is lost is repeated by saving again."""
        super().save_model(request, obj, form, change)
        tasks.nudge(tasks.assign_topics)


@admin.register(TopicModel)
class TopicModelAdmin(admin.ModelAdmin):
    """Models come from training alone: an editor can look, and that is all."""

    list_display = ["__str__", "in_use", "micro_f1", "by_phrases", "held_out", "verdict"]
    list_filter = ["in_use"]
    fields = ["trained_at", "trained_until", "papers", "held_out", "in_use", "verdict", "judges", "agreement"]
    readonly_fields = ["judges", "agreement"]
    offers = ()

    def get_queryset(self, request: HttpRequest) -> QuerySet[TopicModel]:
        return super().get_queryset(request).defer("weights")  # megabytes that nobody reads here

    @admin.display(description="topics that it judges")
    def judges(self, model: TopicModel) -> str:
        return ", ".join(model.learnt) or "none"

    @admin.display(description="agreement with what is known")
    def agreement(self, model: TopicModel) -> SafeString:
        """Of each that was measured then, as docs/topics.md has them."""
        words = {"candidate": "this model"}
        rows = ((words.get(name, name), f"{one['micro_f1']:.3f}") for name, one in model.measures.items())
        return format_html_join("", "<div>{}: {}</div>", rows)

    @admin.display(description="micro-F1")
    def micro_f1(self, model: TopicModel) -> str:
        return f"{model.measures['candidate']['micro_f1']:.3f}"

    @admin.display(description="of phrases")
    def by_phrases(self, model: TopicModel) -> str:
        return f"{model.measures['phrases']['micro_f1']:.3f}"


@admin.register(PaperTopic)
class PaperTopicAdmin(OfPapers):
    list_display = ["paper", "topic", "strength", "source"]
    list_filter = ["source", "topic"]
    list_select_related = ["paper", "topic"]
    autocomplete_fields = ["paper", "topic"]
    readonly_fields = ["source"]

    def save_model(self, request: HttpRequest, obj: PaperTopic, form: Any, change: bool) -> None:
        obj.source, obj.hot = PaperTopic.Source.EDITOR, obj.paper.hot
        super().save_model(request, obj, form, change)
