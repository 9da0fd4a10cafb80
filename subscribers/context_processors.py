"""The sign-up box stands on every page."""

from django.http import HttpRequest


def signup(request: HttpRequest) -> dict[str, object]:
    return {}
