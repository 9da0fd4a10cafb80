"""Editions, the ledger and events, for operators. Nothing here counts a whole ledger."""

from collections.abc import Iterator
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.urls import path
from django.utils import timezone

from newsletter.admin.decisions import DecidesOnDigests, DecidesOnEditions
from newsletter.admin.looking import EditionFilter, FoundByUid, ReadOnly, StoppedFilter, beginning
from newsletter.delivery import canaries
from newsletter.desk.finding import by_address
from newsletter.desk.turns import APPROVE, TURNS
from newsletter.digest.explanation import explain
from newsletter.digest.notes import check_length
from newsletter.models import (
    Digest,
    DigestPaper,
    Edition,
    EditionPaper,
    EditionQuerySet,
    Event,
    Feedback,
)

MOST_TOLD = 10  # of the chosen editions that a turn is not for
DECISIONS = [EditionPaper.Choice.PINNED, EditionPaper.Choice.BANNED]


class NoteField(forms.CharField):
    """Browsers end lines otherwise than commands; that alone is no change."""

    def to_python(self, value: Any) -> str:
        return "\n".join((super().to_python(value) or "").splitlines())

    def has_changed(self, initial: Any, data: Any) -> bool:
        return super().has_changed(self.to_python(initial), self.to_python(data))


class EditionForm(forms.ModelForm):
    class Meta:
        field_classes = {"note": NoteField}

    def clean_note(self) -> str:
        """Raises ValidationError for one that is too long for a mail. One of old stays until it is changed: what else
        the form has can be saved beside it."""
        note: str = self.cleaned_data["note"]
        if "note" in self.changed_data:
            check_length(note)
        return note


class DecisionForm(forms.ModelForm):
    """A pin or ban of a paper that is mostly in the pool already: that is no repetition, but what is decided."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["choice"].choices = [(one.value, one.label) for one in DECISIONS]  # type: ignore[attr-defined]
        self.fields["place"].required = False  # behind the others, until it is dragged or numbered
        if self.instance._state.adding:
            self.initial.update(choice=EditionPaper.Choice.PINNED, place=None)

    def clean(self) -> dict[str, Any]:
        """Raises ValidationError for a pin of what is banned."""
        values = super().clean() or self.cleaned_data
        if values.get("paper") and values.get("choice") == EditionPaper.Choice.PINNED:
            EditionPaper.objects.check_pin(values["paper"])
        return values

    def has_changed(self) -> bool:
        """Dragging numbers the empty row too; without a paper it decides nothing."""
        is_only_numbered = self.instance._state.adding and self.changed_data == ["place"]
        return super().has_changed() and not is_only_numbered

    def validate_unique(self) -> None:
        """Saving finds the row of the pool."""

    def validate_constraints(self) -> None:
        """As above."""


class EditionPaperInline(admin.TabularInline):
    """Only what an editor decided: a pool has up to a thousand papers."""

    model = EditionPaper
    form = DecisionForm
    extra = 1
    ordering = ["place", "pk"]
    ordering_field = "place"  # the theme lets pins be dragged; by number it works everywhere
    fields = ["paper", "choice", "place", "trend_score"]
    readonly_fields = ["trend_score"]
    autocomplete_fields = ["paper"]
    hide_title = True  # the paper stands in the row itself
    verbose_name = "pin or ban"
    verbose_name_plural = "pins and bans"

    def get_queryset(self, request: HttpRequest) -> QuerySet[EditionPaper]:
        return super().get_queryset(request).filter(choice__in=DECISIONS).select_related("paper")

    @admin.display(description="trend score")
    def trend_score(self, row: EditionPaper) -> str:
        return f"{row.hot:.2f}" if row.pk else "–"


def decisions_of(formset: Any) -> Iterator[str]:
    """What was decided of papers, in words."""
    changed = [row for row, _ in formset.changed_objects]
    for row in [*changed, *formset.new_objects]:
        is_pin = row.choice == EditionPaper.Choice.PINNED
        yield f"pinned “{row.paper}”, no. {row.place}" if is_pin else f"banned “{row.paper}” from all editions"
    for row in formset.deleted_objects:
        yield f"left “{row.paper}” to its fit"


def turning(name: str) -> Any:
    """One of TURNS for several editions at once."""
    turn = TURNS[name]

    @admin.action(description=turn.words, permissions=["approve" if turn.permission == APPROVE else "change"])
    def action(model_admin: Any, request: HttpRequest, editions: EditionQuerySet) -> None:
        fit = [edition.pk for edition in editions if turn.suits(edition)]
        unfit = [turn.why_not(edition) for edition in editions if edition.pk not in fit]
        if changed := turn.do(editions.filter(pk__in=fit), canaries.size_asked_for()):
            model_admin.message_user(request, f"Of the chosen editions, {changed:,} changed: each {turn.done}.")
        for words in unfit[:MOST_TOLD]:
            model_admin.message_user(request, words, messages.WARNING)
        if len(unfit) > MOST_TOLD:
            model_admin.message_user(request, f"So it is with {len(unfit) - MOST_TOLD:,} more.", messages.WARNING)

    action.__name__, action.typed = name, turn.is_final  # type: ignore[attr-defined]
    return action


@admin.register(Edition)
class EditionAdmin(DecidesOnEditions):
    list_display = ["__str__", "kind", "date", "state", "reason", "opened_at"]
    list_filter = ["kind", StoppedFilter]
    date_hierarchy = "date"
    offers = ("change",)  # the planner opens editions
    own_page = "desk_edition"
    form = EditionForm
    fields = ["kind", "date", "state", "reason", "note"]
    readonly_fields = ["kind", "date", "state", "reason"]
    inlines = [EditionPaperInline]
    actions = [*map(turning, TURNS), "retry_failed", "was_accepted", "was_not_sent"]

    def get_queryset(self, request: HttpRequest) -> EditionQuerySet:
        return super().get_queryset(request).with_state()  # type: ignore[attr-defined]

    def has_approve_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm(APPROVE)

    def save_model(self, request: HttpRequest, obj: Edition, form: Any, change: bool) -> None:
        """A note is for digests that are not planned yet."""
        if "note" in form.changed_data:
            obj.revise()
        super().save_model(request, obj, form, change)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        """Decide on papers of the pool, or bring others into it; a decision that is removed leaves its paper there."""
        if formset.model is not EditionPaper:
            super().save_formset(request, form, formset, change)
            return
        for row in formset.save(commit=False):
            row.place = EditionPaper.objects.decide(row.edition, row.paper, row.choice, row.place)
        for row in formset.deleted_objects:
            EditionPaper.objects.decide(row.edition, row.paper, EditionPaper.Choice.POOL)

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        """Each decision on a paper as what it is."""
        pins = [one for one in formsets or [] if one.model is EditionPaper]
        others = [one for one in formsets or [] if one.model is not EditionPaper]
        decided = [{"action": words} for formset in pins for words in decisions_of(formset)]
        return [*super().construct_change_message(request, form, others, add), *decided]

    def get_urls(self) -> list[Any]:
        own = path("<int:pk>/explain/", self.admin_site.admin_view(self.explain), name="newsletter_edition_explain")
        return [own, *super().get_urls()]

    def explain(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Why one reader gets what of this edition. The address is posted: addresses do not belong into logs."""
        if not request.user.has_perm("subscribers.view_subscriber"):
            raise PermissionDenied
        edition, address = get_object_or_404(Edition, pk=pk), request.POST.get("address", "").strip()
        reader, fault = None, ""
        try:
            reader = by_address(address) if address else None
        except ValidationError as error:
            fault = error.messages[0]
        context = self.admin_site.each_context(request) | {
            "title": "Explained for a reader",
            "opts": self.opts,
            "original": edition,
            "subtitle": str(edition),
            "address": address,
            "fault": fault,
            "explanation": explain(reader, edition, timezone.now()) if reader else None,
        }
        return render(request, "admin/newsletter/edition/explain.html", context, status=422 if fault else 200)


class DigestPaperInline(admin.TabularInline):
    model = DigestPaper
    extra = 0
    fields = ("place", "paper", "reason")
    readonly_fields = ("place", "paper", "reason")
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False


@admin.register(Digest)
class DigestAdmin(FoundByUid, DecidesOnDigests, ReadOnly):
    list_display = [beginning("uid", "digest"), "edition", "subscriber", "status", "reason", "not_before", "settled_at"]
    list_filter = ["status", EditionFilter]
    readonly_fields = ["uid"]
    list_select_related = ["edition", "subscriber"]
    address_field = "subscriber__email"
    search_help_text = "A digest's id, or 8 letters of its beginning; or the beginning of an address"
    inlines = [DigestPaperInline]
    actions = ["retry_failed", "was_accepted", "was_not_sent"]

    def get_ordering(self, request: HttpRequest) -> Any:
        """The latest first; those of one edition by reader, as its index has them."""
        is_of_edition = EditionFilter.parameter_name in request.GET
        return ["edition_id", "subscriber_id"] if is_of_edition else ["-pk"]


@admin.register(Event)
class EventAdmin(FoundByUid, ReadOnly):
    list_display = ["received_at", "provider", "type", beginning("digest_uid", "digest"), "detail", "applied_at"]
    list_filter = ["type"]
    uid_fields = ["digest_uid", "letter_uid"]
    search_help_text = "The id of a digest or letter, or 8 letters of its beginning"
    ordering = ["-pk"]


@admin.register(Feedback)
class FeedbackAdmin(ReadOnly):
    """What readers said of papers is theirs: they alone take it back."""

    list_display = ["at", "subscriber", "kind", "paper"]
    list_filter = ["kind"]
    list_select_related = ["subscriber", "paper"]
    ordering = ["-pk"]
    address_field = "subscriber__email"
    search_help_text = "The beginning of an address"
