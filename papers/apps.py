from importlib import import_module

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class PapersConfig(AppConfig):
    name = "papers"

    def ready(self) -> None:
        post_migrate.connect(import_module("papers.search_index").repair, sender=self)
