"""What an error report may show: of a request, never what was typed into it."""

import logging
from collections.abc import ItemsView
from types import FrameType
from typing import Any

from django.http import HttpRequest
from django.views.debug import SafeExceptionReporterFilter


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
