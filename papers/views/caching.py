"""What every public page has in common: it is read, never posted to, and may be kept for a while by anybody."""

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec

from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

P = ParamSpec("P")
View = Callable[Concatenate[HttpRequest, P], HttpResponse]

FRESH_FOR = 300  # seconds; sources are read every few minutes at most


def public_page(view: View[P]) -> View[P]:
    """A page that is the same for everybody: no cookie is read or set for it.

    With the ETag that Django's ConditionalGetMiddleware adds, a copy that is still right costs an empty answer.
    """
    return wraps(view)(require_safe(cache_control(public=True, max_age=FRESH_FOR)(view)))
