from importlib import import_module

from django.apps import AppConfig
from django.db.backends.signals import connection_created
from django.db.models.signals import post_migrate


class PapersConfig(AppConfig):
    name = "papers"

    def ready(self) -> None:
        search_index = import_module("papers.search_index")
        connection_created.connect(search_index.teach)
        post_migrate.connect(search_index.repair, sender=self)
