"""A Django that has nothing of ours, for a peer's own code: the same relay, its own database.

Its settings are what the peer's manual asks for, and else what comes by default.
"""

import json
import os
import resource
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import django
from django.conf import settings
from django.core.management import call_command

SMTP = "django.core.mail.backends.smtp.EmailBackend"
Message = dict[str, Any]
Report = dict[str, float]


def configure(apps: Sequence[str], **others: object) -> None:
    """Arguments of the command: a file of messages (`delivery_part export`), the relay's port, a database's URL."""
    _, _, port, database = sys.argv
    where = urlsplit(database)
    names = ["django.contrib.auth.context_processors.auth", "django.template.context_processors.request"]
    names += ["django.contrib.messages.context_processors.messages"]
    templates = {"BACKEND": "django.template.backends.django.DjangoTemplates", "APP_DIRS": True}
    place = {"HOST": where.hostname, "PORT": where.port, "USER": where.username, "NAME": where.path[1:]}
    settings.configure(
        SECRET_KEY="benchmark",
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth", *apps],
        DATABASES={"default": {"ENGINE": "django.db.backends.postgresql", **place}},
        TEMPLATES=[{**templates, "OPTIONS": {"context_processors": names}}],
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=int(port),
        DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
        USE_TZ=True,
        **others,
    )
    django.setup()
    call_command("migrate", verbosity=0)


def report(send: Callable[[list[Message]], Report]) -> None:
    """Measure, and say it as JSON."""
    messages = json.loads(Path(sys.argv[1]).read_text())
    before = os.times()
    found = send(messages)
    cpu = (sum(os.times()[:4]) - sum(before[:4])) / len(messages)
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(json.dumps(found | {"cpu": cpu * 1e6, "megabytes": peak / 1024}))
