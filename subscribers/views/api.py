"""Signing up by JSON: the same form and the same answer, for programs. See docs/api.md."""

import json
from datetime import datetime
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.db import transaction
from django.http import HttpRequest, JsonResponse
from django.utils import timezone
from django.utils.datastructures import MultiValueDict
from django.views.decorators.csrf import csrf_exempt

from subscribers import requests
from subscribers.abuse.entrance import Evidence, OneMoreStep, TooMany
from subscribers.addresses import keyed_hash
from subscribers.forms import SignUpForm
from subscribers.models import IdempotencyKey, SubscriptionRequest
from subscribers.network import client_network
from subscribers.views.pages import posted_from_embed, posted_here

LONGEST_BODY, LONGEST_KEY = 20_000, 255
FIELDS = {"email", "topics", "cadence", "weekdays", "local_hour", "zone", "digest_size", "language", "proof"}
LISTS = {"topics", "weekdays"}
WORK_FIRST = "Solve the challenge, and send the request again with the solution as proof: see docs/api.md."
ACCEPTED = "If this address can be subscribed, a mail is on its way to it that asks to confirm."


class Refused(Exception):  # noqa: N818 - said as the caller would say it
    """What is wrong with a request, in words, with its status."""

    def __init__(self, status: int, words: str, **more: Any) -> None:
        super().__init__(words)
        self.status, self.content = status, {"detail": words} | more


@csrf_exempt  # no cookie is looked at
def subscriptions(request: HttpRequest) -> JsonResponse:
    """Ask for a subscription; the answer is the same for every address, whatever we know of it."""
    try:
        likelier = accept(request, timezone.now())
    except Refused as refused:
        response = answer(refused.content, refused.status)
        if refused.status == 405:
            response["Allow"] = "POST"
        return response
    except OneMoreStep as more:
        return answer({"detail": WORK_FIRST, "challenge": more.step.challenge}, status=428)
    except TooMany as later:
        response = answer({"detail": later.words}, later.status)
        response["Retry-After"] = str(later.retry_after)
        return response
    return answer({"detail": ACCEPTED} | ({"did_you_mean": likelier} if likelier else {}), status=202)


def answer(content: dict[str, Any], status: int = 200) -> JsonResponse:
    return JsonResponse(content, status=status, headers={"Cache-Control": "no-store"})


def accept(request: HttpRequest, at: datetime) -> str | None:
    """The address that was more likely meant, if any.

    Raises Refused for whatever is no sign-up of ours, OneMoreStep and TooMany as requests.ask does.
    """
    if request.method != "POST":
        raise Refused(405, "Post here to subscribe.")
    if not (posted_here(request) or posted_from_embed(request)):
        raise Refused(403, "This comes from the page of another site.")
    fields = fields_of(body_of(request))
    form = SignUpForm(fields)
    if not form.is_valid():
        errors = {key: [*form.errors[key]] for key in form.errors}
        raise Refused(422, "Please look at what is named in errors.", errors=errors)
    wish = SubscriptionRequest(
        kind=SubscriptionRequest.Kind.SUBSCRIBE,
        email=form.cleaned_data["email"],
        wishes=form.wishes().as_json(),
        network=client_network(request),
        page="api",
    )
    with transaction.atomic():
        if is_new(request, at):
            requests.ask(wish, Evidence(work=fields.get("proof", "")), at)
    return form.likelier()


def body_of(request: HttpRequest) -> dict[str, Any]:
    if request.content_type != "application/json":
        raise Refused(415, "Send JSON, with Content-Type: application/json.")
    try:
        too_big = len(request.body) > LONGEST_BODY
    except RequestDataTooBig:
        too_big = True
    if too_big:
        raise Refused(413, f"Send {LONGEST_BODY} bytes at most.")
    try:
        body = json.loads(request.body)
    except (ValueError, RecursionError) as error:
        raise Refused(400, "This is not JSON in UTF-8.") from error
    if not isinstance(body, dict):
        raise Refused(422, "Send one JSON object.")
    return body


def fields_of(body: dict[str, Any]) -> MultiValueDict[str, str]:
    """The object as a form would have posted it."""
    if unknown := sorted(set(body) - FIELDS):
        raise Refused(422, f"There is no field {unknown[0][:40]!r}. There are: {', '.join(sorted(FIELDS))}.")
    fields = MultiValueDict({"cadence": ["daily"], "local_hour": ["8"]})
    for name, value in body.items():
        if isinstance(value, list) != (name in LISTS):
            raise Refused(422, f"“{name}” must {'' if name in LISTS else 'not '}be a list.")
        fields.setlist(name, [text_of(name, item) for item in (value if name in LISTS else [value])])
    return fields


def text_of(name: str, value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise Refused(422, f"“{name}” must be text or a whole number.")
    return str(value)


def is_new(request: HttpRequest, at: datetime) -> bool:
    """Whether this is the first request with its key; one without a key is always new.

    In the transaction that does the work: a repeat that comes meanwhile waits for it.
    """
    key = request.headers.get("Idempotency-Key")
    if key is None:
        return True
    if not 0 < len(key) <= LONGEST_KEY or not key.isprintable():
        raise Refused(400, f"An Idempotency-Key has 1 to {LONGEST_KEY} printable characters.")
    IdempotencyKey.objects.outdated(at).filter(key_hash=keyed_hash(key)).delete()
    body_hash = keyed_hash(request.body.hex())
    known, new = IdempotencyKey.objects.get_or_create(
        key_hash=keyed_hash(key), defaults={"body_hash": body_hash, "at": at}
    )
    if known.body_hash != body_hash:
        raise Refused(422, "This Idempotency-Key came with another request before. Use a new one.")
    return new
