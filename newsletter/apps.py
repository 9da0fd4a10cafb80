from importlib import import_module

from django.apps import AppConfig


class NewsletterConfig(AppConfig):
    name = "newsletter"

    def ready(self) -> None:
        import_module("newsletter.receivers")  # receivers need the models, which are ready only now
