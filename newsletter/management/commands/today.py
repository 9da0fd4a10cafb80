"""What needs a person, as the admin's Today says: for a terminal, and for whatever watches over the service."""

import sys
from typing import Any

from django.core.management.base import BaseCommand
from django.utils import timezone

from newsletter.desk.today import today
from newsletter.management.accounts import moment


class Command(BaseCommand):
    help = "Says what needs a person, as Today does; the exit code is 1 if anything does, so that a monitor can ask."

    def handle(self, *_: Any, **__: Any) -> None:
        needs = today(lambda _: True, timezone.now())["needs"]
        for need in needs:
            self.stdout.write(need.words + (f" (since {moment(need.since)})" if need.since else ""))
        if needs:
            sys.exit(1)
        self.stdout.write("Nothing. All is well.")
