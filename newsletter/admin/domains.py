"""Domains that are held because everything bounces there."""

from django.contrib import admin

from subscribers.models import HeldDomain


@admin.register(HeldDomain)
class HeldDomainAdmin(admin.ModelAdmin):
    """Deleting one ends its hold; nobody adds or alters one."""

    list_display = ["domain", "reason", "held_at", "until"]
    search_fields = ["domain"]
    offers = ("delete",)
