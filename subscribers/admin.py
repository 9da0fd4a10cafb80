"""What operators see. Journeys stay with readers.

Rows are found by the beginning of an address, which an index serves: `address_field` of newsletter/cockpit/.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import path
from django.utils import timezone

from subscribers import suppressing
from subscribers.gate import why_not_mail
from subscribers.imports import admin as imports_admin  # noqa: F401 - it registers itself
from subscribers.models import Attack, Consent, Letter, Parting, Subscriber, SubscriptionRequest, Suppression
from subscribers.schedule import days_in_words

# What an operator decides about an address: the permission for it, and what is so then.
DECISIONS = {"suppress": "subscribers.add_suppression", "lift": "subscribers.lift_suppression"}
DONE = {"suppress": "Nothing is mailed to it from now on.", "lift": "It may be mailed again, once it signs up anew."}
UNDONE = {"suppress": "It was suppressed already: the first reason stands.", "lift": "Nothing suppressed it."}


class Journeys(admin.ModelAdmin):
    """Rows begin and end with what readers do, never by hand. The lists stay quick on millions of rows."""

    offers: tuple[str, ...] = ()
    ordering = ["-pk"]
    sortable_by = ()  # to sort millions of rows takes an index for each column


@admin.register(Subscriber)
class SubscriberAdmin(Journeys):
    """Nobody is added, changed or deleted by hand: what stands here is the person's own."""

    list_display = ["__str__", "status", "cadence", "zone", "next_digest_at", "created_at"]
    list_filter = ["status", "cadence"]
    address_field = "email"
    own_page = "desk_reader"
    search_help_text = "The beginning of an address"
    fieldsets = [
        (None, {"fields": ["email", "status", "status_changed_at", "mail"]}),
        (
            "Chosen",
            {"fields": ["topics", "cadence", "weekdays_in_words", "weekday", "local_hour", "zone", "digest_size"]},
        ),
        ("Record", {"fields": ["next_digest_at", "created_at", "confirmed_at", "uid"]}),
    ]
    readonly_fields = ["mail", "weekdays_in_words", "uid"]

    @admin.display(description="May get digests")
    def mail(self, subscriber: Subscriber) -> str:
        """As the gate says, which knows the suppressions as well."""
        reason = why_not_mail(subscriber)
        return f"no: {reason}" if reason else "yes"

    @admin.display(description="Days of the daily digest")
    def weekdays_in_words(self, subscriber: Subscriber) -> str:
        return days_in_words(subscriber.weekdays)


@admin.register(Consent)
class ConsentAdmin(Journeys):
    list_display = ["at", "subscriber", "action", "words", "page", "network"]
    list_filter = ["action"]
    list_select_related = ["subscriber"]
    address_field = "subscriber__email"
    search_help_text = "The beginning of an address"


@admin.register(Suppression)
class SuppressionAdmin(Journeys):
    """Rows are added by what happens, and on the page that looks an address up."""

    list_display = ["__str__", "words", "by", "at"]
    list_filter = ["reason"]
    readonly_fields = ["hashed"]

    @admin.display(description="Address")
    def hashed(self, row: Suppression) -> str:
        """What is known of it, also where the title has no room for it."""
        return f"hash {row.address_hash[:12]}…"

    def get_urls(self) -> list[Any]:
        own = path("look-up/", self.admin_site.admin_view(self.look_up), name="subscribers_suppression_look_up")
        return [own, *super().get_urls()]

    def look_up(self, request: HttpRequest) -> HttpResponse:
        """Whether and why an address is suppressed, and deciding about it. All posted: addresses belong in no log.

        After a decision one is on the page of its row, whose address has a number alone: to load it again, or to come
        back to it, decides nothing.
        """
        if not self.has_view_permission(request):
            raise PermissionDenied
        address, words = (request.POST.get(name, "") for name in ("address", "words"))
        found, fault = None, ""
        try:
            if request.POST.get("action") in DECISIONS:
                return self._decide(request, request.POST["action"], address, words)
            found = suppressing.standing(address) if request.method == "POST" else None
        except ValidationError as error:
            fault = error.messages[0]
            found = suppressing.standing(address) if error.code == "words" else None
        context = self.admin_site.each_context(request) | {
            "title": "Look an address up",
            "opts": self.opts,
            "address": address,
            "words": words if fault else "",
            "fault": fault,
            "standing": found,
            "decision": self._open_decision(request, found),
        }
        return render(request, "admin/subscribers/suppression/look_up.html", context)

    def _decide(self, request: HttpRequest, action: str, address: str, words: str) -> HttpResponse:
        """Raises ValidationError where the address or the reason is none."""
        if not request.user.has_perm(DECISIONS[action]):
            raise PermissionDenied
        who = request.user.get_username()
        if action == "suppress":
            is_done = suppressing.suppress(address, words, who)
        else:
            is_done = suppressing.lift(address, words, who, timezone.now())
        rows = suppressing.standing(address).rows
        if is_done:
            self.log_addition(request, rows[0], [{"action": action}])
        self.message_user(
            request, (DONE if is_done else UNDONE)[action], messages.SUCCESS if is_done else messages.WARNING
        )
        if not rows:
            return redirect("admin:subscribers_suppression_look_up")
        return redirect("admin:subscribers_suppression_change", rows[0].pk)

    def _open_decision(self, request: HttpRequest, found: suppressing.Standing | None) -> str:
        """What this operator may decide about it now."""
        if found is None:
            return ""
        decision = "lift" if found.reason else "suppress"
        return decision if request.user.has_perm(DECISIONS[decision]) else ""


@admin.register(Letter)
class LetterAdmin(Journeys):
    list_display = ["requested_at", "subscriber", "kind", "status", "attempts", "reason", "sent_at"]
    list_filter = ["kind", "status"]
    list_select_related = ["subscriber"]
    address_field = "subscriber__email"
    search_help_text = "The beginning of an address"


@admin.register(Parting)
class PartingAdmin(Journeys):
    list_display = ["day", "reason", "words"]
    list_filter = ["reason"]


@admin.register(SubscriptionRequest)
class SubscriptionRequestAdmin(Journeys):
    """What waits, and what is held: docs/abuse.md."""

    list_display = ["at", "email", "kind", "status", "reason", "network", "proven", "not_before"]
    list_display_links = None
    list_filter = ["status", "reason", "kind"]
    address_field = "email"
    search_help_text = "The beginning of an address"
    actions = ["release", "discard"]
    offers = ("act",)

    @admin.action(description="Release: carry out now, whatever the limits", permissions=["change"])
    def release(self, request: HttpRequest, requests: QuerySet[SubscriptionRequest]) -> None:
        released = requests.release(timezone.now())  # type: ignore[attr-defined]
        self.message_user(request, f"{released} released: they are carried out within a minute.")

    @admin.action(description="Discard", permissions=["change"])
    def discard(self, request: HttpRequest, requests: QuerySet[SubscriptionRequest]) -> None:
        discarded, _ = requests.delete()
        self.message_user(request, f"{discarded} discarded.")


class AttackForm(forms.ModelForm):
    def clean(self) -> dict[str, Any]:
        if Attack.objects.on().exists():
            raise ValidationError("Attack mode is on already.")
        return super().clean() or {}


@admin.register(Attack)
class AttackAdmin(admin.ModelAdmin):
    """Adding one turns attack mode on by hand: it then ends by hand too."""

    add_words, show_add_link = "Turn attack mode on", False
    list_display = ["began_at", "ended_at", "reason", "by_hand", "ended_by_hand"]
    list_display_links = None
    form = AttackForm
    fields = ["reason"]
    actions = ["end"]
    offers = ("add", "act")

    def save_model(self, request: HttpRequest, obj: Attack, form: Any, change: bool) -> None:  # noqa: ARG002
        obj.by_hand = True
        obj.save()

    @admin.action(description="End it: sign-up is as usual again", permissions=["change"])
    def end(self, request: HttpRequest, attacks: QuerySet[Attack]) -> None:
        ended = sum(attack.end(timezone.now(), by_hand=True) for attack in attacks)
        self.message_user(request, "Attack mode is off." if ended else "It was off already.")
