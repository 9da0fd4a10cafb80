"""The whole service on one machine, under one command: `make demo`."""

import sys
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone

from newsletter.demo import cast, ports
from newsletter.demo.console import Console
from newsletter.demo.embedded_redis import NoRedisError
from newsletter.demo.lock import AlreadyRunningError, held
from newsletter.demo.parts import environment, parts
from newsletter.demo.supervisor import PartFailedError, Supervisor


class Command(BaseCommand):
    help = "Runs the site, worker, beat, an embedded Redis and a local mail catcher, until Ctrl-C."
    requires_system_checks: list[str] = []

    def handle(self, **options: Any) -> None:  # noqa: ARG002 - Django's signature
        if not settings.DEMO:
            raise CommandError("The demo runs only with DEMO=1. Start it with: make demo")
        try:
            with held(settings.VAR_DIR, settings.SITE_URL):
                ports.check({"PORT": settings.PORT, "SMTP_PORT": settings.EMAIL_PORT})
                run()
        except AlreadyRunningError as error:
            raise CommandError(f"The demo is already running: {error}. Stop it there with Ctrl-C.") from error
        except (ports.PortUnavailableError, NoRedisError, PartFailedError) as error:
            raise CommandError(str(error)) from error


def run() -> None:
    """Fill the database, then keep everything running until somebody asks to stop."""
    programs = parts()
    console = Console(sys.stdout, [part.name for part in programs])
    password = prepare(console)
    Supervisor(programs, environment(), console).run(lambda: console.box(welcome(password)))
    console.line("demo", "stopped; make demo continues where it was")


def prepare(console: Console) -> str:
    """Bring the database up to date with the code and the seeds; returns the admin's password."""
    console.line("demo", f"preparing {settings.VAR_DIR}")
    call_command("migrate", verbosity=0)
    call_command("load_topics")
    call_command("import_papers", settings.BASE_DIR / "seeds" / "trending.txt")
    if created := cast.invite(timezone.now()):
        after = cast.FIRST_DIGEST_AFTER.seconds
        console.line("demo", f"{created} readers at example.org; first digests in {after} s")
    return cast.appoint_admin()


def welcome(password: str) -> list[str]:
    """Where everything is, once it is there."""
    return [
        f"{settings.SITE_NAME} is running.",
        "",
        f"Site    {settings.SITE_URL}/",
        f"Inbox   {settings.SITE_URL}/inbox/   every mail that is sent lands here",
        f"Admin   {settings.SITE_URL}/admin/   user {cast.ADMIN}, password {password}",
        "",
        "Stop with Ctrl-C.",
    ]
