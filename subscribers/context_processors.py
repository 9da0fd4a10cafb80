"""The sign-up box stands on many pages."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from subscribers.forms import SignUpForm


def signup(request: HttpRequest) -> dict[str, object]:  # noqa: ARG001 - Django's signature
    """The empty form, made only where a template asks for it."""
    return {"signup_form": SimpleLazyObject(SignUpForm)}
