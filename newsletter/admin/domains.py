"""Domains that are held because everything bounces there."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from newsletter.delivery.feedback import bounces
from subscribers.models import HeldDomain


@admin.register(HeldDomain)
class HeldDomainAdmin(admin.ModelAdmin):
    """Deleting one ends its hold; nobody adds or alters one."""

    list_display = ["domain", "reason", "held_at", "until"]
    search_fields = ["domain"]
    offers = ("delete",)

    def delete_model(self, request: HttpRequest, obj: HeldDomain) -> None:
        self.delete_queryset(request, HeldDomain.objects.filter(pk=obj.pk))

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[HeldDomain]) -> None:  # noqa: ARG002
        bounces.free(queryset)
