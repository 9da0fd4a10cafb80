"""Pages on which strangers ask for something: whatever the address, the same answer, with the same work."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from subscribers import requests
from subscribers.abuse.entrance import Evidence, OneMoreStep, TooMany
from subscribers.abuse.tickets import FORM
from subscribers.models import SubscriptionRequest
from subscribers.network import client_network


def page_with_ticket(
    request: HttpRequest, template: str, context: dict[str, Any], status: int = 200, **more: object
) -> HttpResponse:
    """A page whose form holds a ticket, and whatever proof came with the post before; no cache may keep it."""
    given = Evidence.of(request.POST)
    context |= {"ticket": FORM.issue(timezone.now()), "given": given, **more}
    response = render(request, template, context, status=status)
    response["Cache-Control"] = "no-store"
    return response


def ask(request: HttpRequest, wish: SubscriptionRequest, template: str, context: dict[str, Any]) -> HttpResponse | None:
    """Store what was asked for; where it is not, the page again with all that was typed, saying why."""
    wish.network = client_network(request)
    try:
        requests.ask(wish, Evidence.of(request.POST), timezone.now())
    except OneMoreStep as more:
        return page_with_ticket(request, template, context, status=429, step=more.step)
    except TooMany as later:
        response = page_with_ticket(request, template, context, status=later.status, refusal=later.words)
        response["Retry-After"] = str(later.retry_after)
        return response
    return None
