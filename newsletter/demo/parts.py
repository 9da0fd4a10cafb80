"""The programs that make up the demo, in the order in which they start."""

import os
import smtplib
import sys
import urllib.request
from pathlib import Path

from django.conf import settings

from newsletter.demo import embedded_redis
from newsletter.demo.child import Part
from newsletter.demo.ports import HOST

# Static files come from their sources here; and on a bare machine everybody may be root.
NOISE = ("No directory at", "You're running the worker with superuser privileges")
APPLICATION = "newsletter.wsgi:application"
WORKER_PATIENCE = 20  # seconds for the tasks in hand


def parts() -> list[Part]:
    """Redis first, for everything talks to it, and the site last: when it answers, all is up."""
    return [*_redis(), _mail(), _worker(), _beat(), _web()]


def environment() -> dict[str, str]:
    """What the programs inherit: ours, lines that arrive as they are written, and no known noise."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "newsletter.settings",
        "PYTHONUNBUFFERED": "1",
        "PYTHONWARNINGS": ",".join(f"ignore:{start}" for start in NOISE),
    }


def _python(module: str, *words: str) -> list[str]:
    return [sys.executable, "-m", module, *words]


def _redis() -> list[Part]:
    """Our own, unless REDIS_URL names another that runs already."""
    if not settings.REDIS_URL.startswith("unix://"):
        return []
    socket = Path(settings.REDIS_URL.removeprefix("unix://"))
    socket.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    command = embedded_redis.command(socket, settings.VAR_DIR)
    return [Part("redis", command, is_ready=lambda: embedded_redis.answers(socket), quiet=True)]


def _mail() -> Part:
    command = _python("newsletter.demo.catcher", HOST, str(settings.EMAIL_PORT), str(settings.INBOX_DIR))
    return Part("mail", command, is_ready=_mail_answers)


def _worker() -> Part:
    options = ["--pool", "prefork", "--concurrency", "2", "--queues", "default"]
    alone = ["--without-gossip", "--without-mingle"]  # there is no other worker to talk to
    command = _python("celery", "--quiet", "--app", "newsletter", "worker", *options, *alone)
    return Part("worker", command, patience=WORKER_PATIENCE)


def _beat() -> Part:
    schedule = ["--schedule", str(settings.VAR_DIR / "beat-schedule"), "--pidfile="]
    return Part("beat", _python("celery", "--quiet", "--app", "newsletter", "beat", *schedule))


def _web() -> Part:
    options = ["--interface", "wsgi", "--host", HOST, "--port", str(settings.PORT), "--log-level", "warning"]
    return Part(
        "web",
        _python("granian", *options, "newsletter.wsgi:application"),
        is_ready=_site_answers,
        patience=10,
    )


def _mail_answers() -> bool:
    try:
        with smtplib.SMTP(HOST, settings.EMAIL_PORT, timeout=2):
            return True
    except OSError:
        return False


def _site_answers() -> bool:
    try:
        with urllib.request.urlopen(f"http://{HOST}:{settings.PORT}/healthz", timeout=2) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False
