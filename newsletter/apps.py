from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin import apps as admin


class NewsletterConfig(AppConfig):
    name = "newsletter"
    default = True

    def ready(self) -> None:
        import_module("newsletter.receivers")  # receivers need the models, which are ready only now


class CockpitConfig(admin.AdminConfig):
    """Django's admin, with our site in the place of its own."""

    default = False
    default_site = "newsletter.cockpit.site.Cockpit"

    def ready(self) -> None:
        super().ready()
        import_module("newsletter.cockpit.wording").rename_models()
