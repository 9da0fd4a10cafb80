"""The sign-up box stands on every page."""

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from subscribers.forms import SignUpForm


def signup(request: HttpRequest) -> dict[str, object]:  # noqa: ARG001 - Django's signature
    """The whole form, made only where a template asks for it; its fields, for the small box that needs no topics."""
    return {
        "signup_form": SimpleLazyObject(SignUpForm),
        "signup_fields": SignUpForm.base_fields,
        "consent_words": SignUpForm.consent_words,
    }
