"""Domains that are held because everything bounces there."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from subscribers.models import HeldDomain


@admin.register(HeldDomain)
class HeldDomainAdmin(admin.ModelAdmin):
    """Deleting one ends its hold; nobody adds or alters one."""

    list_display = ["domain", "reason", "held_at", "until"]
    search_fields = ["domain"]

    def has_add_permission(self, request: HttpRequest) -> bool:  # noqa: ARG002 - Django's signature
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        return False
