from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class SubscribersConfig(AppConfig):
    name = "subscribers"

    def ready(self) -> None:
        import_module("subscribers.lookups")
        post_migrate.connect(import_module("subscribers.append_only").repair, sender=self)
