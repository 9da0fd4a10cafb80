from django.db import migrations

from papers import search_index


class Migration(migrations.Migration):
    """The index of papers/search.py: each database has its own, and Django's models know of neither."""

    dependencies = [
        ("papers", "0004_archive"),
    ]

    operations = [
        migrations.RunPython(
            lambda apps, editor: search_index.install(editor), lambda apps, editor: search_index.remove(editor)
        ),
    ]
