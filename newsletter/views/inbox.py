"""The web page of the local mail catcher: what the service has sent, as a reader would see it.

It exists only where INBOX_DIR is set, which is the demo. Mail is not to be trusted even here: HTML is shown
in a sandbox, under its own address, with no scripts.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_sameorigin
from django.views.decorators.http import require_safe

SHOWN = 100  # messages on the list
KEY = re.compile(r"[\w,=+-][\w.,=+-]*", re.ASCII)
VIEWS = ("html", "text", "source")
SANDBOX = "allow-popups allow-popups-to-escape-sandbox allow-top-navigation-by-user-activation"
HTML_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; form-action 'none'; "
    f"frame-ancestors 'self'; sandbox {SANDBOX}"
)


@dataclass(frozen=True)
class Caught:
    """One message as a file of the Maildir."""

    path: Path

    @property
    def key(self) -> str:
        return self.path.name

    @property
    def at(self) -> datetime:
        return datetime.fromtimestamp(self.path.stat().st_mtime, UTC)

    @property
    def mail(self) -> EmailMessage:
        return message_from_bytes(self.path.read_bytes(), policy=default)

    @property
    def to(self) -> str:
        return self._header("To")

    @property
    def subject(self) -> str:
        return self._header("Subject") or "(no subject)"

    @property
    def headers(self) -> list[tuple[str, str]]:
        return [(name, printable(str(value))) for name, value in self.mail.raw_items()]

    @property
    def text(self) -> str:
        return body_of(self.mail, "plain")

    @property
    def html(self) -> str:
        return body_of(self.mail, "html")

    @property
    def source(self) -> str:
        return self.path.read_bytes().decode(errors="replace")

    def _header(self, name: str) -> str:
        # Python's header parser raises various errors on what no sane program writes.
        try:
            return printable(str(self.mail[name] or ""))
        except (ValueError, LookupError, AttributeError, TypeError):
            return "(unreadable)"


def printable(text: str) -> str:
    """Without the lone surrogates by which Python's parser keeps bytes in no known character set."""
    return text.encode(errors="surrogateescape").decode(errors="replace")


def body_of(mail: EmailMessage, subtype: str) -> str:
    """The text of the part of this kind, or nothing; bytes in no known character set are replaced."""
    part = mail.get_body((subtype,))
    if part is None:
        return ""
    try:
        return printable(str(part.get_content()))
    except (LookupError, ValueError):
        payload = part.get_payload(decode=True)
        return payload.decode(errors="replace") if isinstance(payload, bytes) else ""


def caught() -> list[Caught]:
    """The newest messages, newest first. Raises Http404 where no mail is caught."""
    files = [path for path in _folder().glob("*") if KEY.fullmatch(path.name)]
    return [Caught(path) for path in sorted(files, key=_age, reverse=True)[:SHOWN]]


def find(key: str) -> Caught:
    """The message of this key. Raises Http404 for anything that is not the plain name of one."""
    path = _folder() / key
    if not KEY.fullmatch(key) or not path.is_file():
        raise Http404("No such message.")
    return Caught(path)


def _folder() -> Path:
    if settings.INBOX_DIR is None:
        raise Http404("No mail is caught here.")
    return Path(settings.INBOX_DIR) / "new"


def _age(path: Path) -> tuple[int, str]:
    return path.stat().st_mtime_ns, path.name


@require_safe
def message_list(request: HttpRequest) -> HttpResponse:
    return render(request, "inbox/list.html", {"messages_caught": caught(), "shown": SHOWN})


@require_safe
def message(request: HttpRequest, key: str) -> HttpResponse:
    found = find(key)
    parts = {"html": found.html, "text": found.text, "source": found.source}
    offered = [name for name in VIEWS if parts[name] or name == "source"]
    view = request.GET.get("view")
    view = view if view in offered else offered[0]
    context = {"found": found, "offered": offered, "view": view, "part": parts[view], "sandbox": SANDBOX}
    return render(request, "inbox/message.html", context)


@require_safe
@xframe_options_sameorigin
def message_html(request: HttpRequest, key: str) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """The HTML part alone, for the frame; its links open in a new tab."""
    base = '<base target="_blank">'
    html, found = re.subn(r"<head\b[^>]*>", rf"\g<0>{base}", find(key).html, count=1, flags=re.IGNORECASE)
    return HttpResponse(html if found else base + html, headers={"Content-Security-Policy": HTML_POLICY})
