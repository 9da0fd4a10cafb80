"""The admin site: one theme, every list and action by the same rules, a second factor at the door.

What holds for all pages of the admin is said once, in this package. `Cockpit.register` gives it to every ModelAdmin,
also to those of other people's apps, so that none can forget it.
"""

from typing import Any

from django.conf import settings
from django.contrib.admin import ModelAdmin
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import path
from unfold.sites import UnfoldAdminSite

from newsletter.cockpit import second_factor
from newsletter.cockpit.model_admins import dressed
from newsletter.models import Brake


class Cockpit(UnfoldAdminSite):
    site_title = site_header = settings.SITE_NAME
    index_title = "Today"

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, and where the setting asks for it, verified by their second factor."""
        return super().has_permission(request) and (not settings.SECOND_FACTOR or request.user.is_verified())  # type: ignore[union-attr]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """With the brake, which every page names while all mail is stopped."""
        may = request.user.has_perm("newsletter.view_brake")
        return super().each_context(request) | {"brake": Brake.objects.engaged().first() if may else None}

    def get_urls(self) -> list[Any]:
        return [path("second-factor/", second_factor.prove, name="second_factor"), *super().get_urls()]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Who has given the password goes on to the second factor."""
        if super().has_permission(request) and not self.has_permission(request):
            return redirect(second_factor.address(request))
        return super().login(request, extra_context)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        super().register(model_or_iterable, dressed(admin_class or ModelAdmin), **options)
