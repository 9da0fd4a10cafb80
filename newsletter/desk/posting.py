"""Where forms of the desk are posted."""

from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

View = Callable[..., HttpResponse]


def posted_from(page: str) -> Callable[[View], View]:
    """Only a POST reaches the view. Its address stays in the browser after a fault; opened again, it leads to the page
    that has the form.
    """

    def decorate(view: View) -> View:
        @wraps(view)
        def only_posted(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            return view(request, *args, **kwargs) if request.method == "POST" else redirect(page, *args, **kwargs)

        return only_posted

    return decorate
