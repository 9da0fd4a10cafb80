"""What every page knows about the site."""

from django.conf import settings
from django.http import HttpRequest


def site(request: HttpRequest) -> dict[str, object]:  # noqa: ARG001 - Django's signature
    return {"site_name": settings.SITE_NAME, "inbox_here": settings.INBOX_DIR is not None}
