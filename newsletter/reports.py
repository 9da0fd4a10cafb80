"""What an error report may show: of a request, never what was typed into it."""

import logging
import re
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter

SECRET = 16  # characters: shorter parts of a path open nothing


class Discreet(SafeExceptionReporterFilter):
    """Keeps the names and hides the values of everything posted, of cookies, and of the variables in a traceback.

    An address could stand in any of them, and a report goes by mail or to somebody else's service.
    """

    def is_active(self, request: HttpRequest | None) -> bool:  # noqa: ARG002 - Django's signature
        return True

    def get_post_parameters(self, request: HttpRequest | None) -> dict[str, Any]:
        return dict.fromkeys(request.POST, self.cleansed_substitute) if request else {}

    def get_traceback_frame_variables(
        self,
        request: HttpRequest | None,  # noqa: ARG002 - Django's signature
        tb_frame: FrameType,
    ) -> ItemsView[str, Any]:
        return dict.fromkeys(tb_frame.f_locals, self.cleansed_substitute).items()


class Untraced(logging.Filter):
    """Takes the traceback off a record: the line says what there is to know."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True


class Pathless(logging.Filter):
    """Takes secrets off a record about a request: of its path, what follows the first segment; every address.

    Tokens and uids of links stand in paths, and whoever reads the log could follow them. What stays is the first
    segment, where it can be a word of ours, and the name of the route: `/preferences/… (undo)`. Traceback and message
    of an exception are dealt with like the line. To do so twice changes nothing.
    """

    WORD = re.compile(r"/[a-z.-]{1,20}(?=/|$)")
    ADDRESS = re.compile(r"[^\s\"'<>()=,;:/]+@[^\s\"'<>(),;:/]+")

    def filter(self, record: logging.LogRecord) -> bool:
        request = getattr(record, "request", None)
        if isinstance(request, HttpRequest):
            record.msg, record.args = self._discreet(record.getMessage(), request), ()
            if record.exc_info and record.exc_info[0]:
                told = record.exc_text or logging.Formatter().formatException(record.exc_info)
                record.exc_text = self._discreet(told, request)
        return True

    def _discreet(self, text: str, request: HttpRequest) -> str:
        paths = {request.get_full_path(), request.path, request.path_info}
        # Django writes what is not ASCII of a path escaped.
        forms = paths | {path.encode("unicode_escape").decode("ascii") for path in paths}
        for form in sorted(forms - {"/", ""}, key=len, reverse=True):
            text = text.replace(form, self._outline(request))
        for secret in self._secrets(request):
            text = text.replace(secret, "…")
        return self.ADDRESS.sub("…", text)

    def _outline(self, request: HttpRequest) -> str:
        word, path = self._word(request), request.path
        if path.rstrip("/") == word:
            return path
        return f"{word}/…" + (f" ({request.resolver_match.view_name})" if request.resolver_match else "")

    def _word(self, request: HttpRequest) -> str:
        found = self.WORD.match(request.path)
        return found[0] if found else ""

    def _secrets(self, request: HttpRequest) -> list[str]:
        """The parts of the path that are long enough to open something."""
        return [part for part in request.path.removeprefix(self._word(request)).split("/") if len(part) >= SECRET]
