"""The admin's sidebar: what an operator looks for, under the words by which they look."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from django.urls import reverse
from django.utils.text import capfirst

# Heading, and under it the models (by label) with their words and a symbol of Material's.
GROUPS: tuple[tuple[str, tuple[tuple[str, str, str], ...]], ...] = (
    (
        "Mail",
        (
            ("newsletter.Edition", "Editions", "newspaper"),
            ("newsletter.Digest", "Digests", "mail"),
            ("subscribers.Letter", "Letters", "drafts"),
            ("newsletter.Event", "Provider events", "bolt"),
            ("newsletter.Brake", "Brakes", "front_hand"),
            ("newsletter.Alarm", "Alarms", "notifications_active"),
            ("subscribers.HeldDomain", "Held domains", "domain_disabled"),
        ),
    ),
    (
        "Readers",
        (
            ("subscribers.Subscriber", "Readers", "group"),
            ("subscribers.SubscriptionRequest", "Sign-up requests", "hourglass_empty"),
            ("subscribers.Attack", "Attacks", "shield"),
            ("subscribers.Import", "Imports", "upload_file"),
            ("subscribers.Suppression", "Suppressions", "block"),
            ("subscribers.Consent", "Consents", "task_alt"),
            ("newsletter.Feedback", "Feedback", "thumbs_up_down"),
            ("subscribers.Parting", "Reasons for leaving", "logout"),
        ),
    ),
    (
        "Papers",
        (
            ("papers.Paper", "Papers", "description"),
            ("papers.Topic", "Topics", "sell"),
            ("papers.Source", "Sources", "cloud_download"),
            ("papers.BackFill", "Back-fills", "history_toggle_off"),
            ("papers.TopicModel", "Topic models", "model_training"),
        ),
    ),
    (
        "Admin",
        (
            ("auth.User", "People", "badge"),
            ("auth.Group", "Roles", "key"),
            ("otp_totp.TOTPDevice", "Authenticators", "smartphone"),
            ("axes.AccessAttempt", "Wrong passwords", "lock"),
            ("admin.LogEntry", "Audit log", "history"),
        ),
    ),
)


def groups(request: HttpRequest) -> list[dict[str, Any]]:
    """What this person may see, as the theme wants it."""
    registered = {model._meta.label: model_admin for model, model_admin in admin.site._registry.items()}
    today = {"title": "Today", "icon": "dashboard", "link": reverse("admin:index")}
    found: list[dict[str, Any]] = [{"items": [today]}]
    for heading, entries in GROUPS:
        items = [
            {"title": words, "icon": icon, "link": list_of(registered[label])}
            for label, words, icon in entries
            if label in registered and registered[label].has_view_permission(request)
        ]
        if items:
            found.append({"title": heading, "separator": True, "items": items})
    return found


def title_of(model: type[Model]) -> str:
    """What a list is called: as in the sidebar, or by what its rows are."""
    words = {label: words for _, entries in GROUPS for label, words, _ in entries}
    return words.get(model._meta.label) or capfirst(str(model._meta.verbose_name_plural))


def list_of(model_admin: admin.ModelAdmin) -> str:
    options = model_admin.opts
    return reverse(f"admin:{options.app_label}_{options.model_name}_changelist")
