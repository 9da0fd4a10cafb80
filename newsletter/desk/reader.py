"""The page of a reader: their whole history, and what an operator may do for them, each with a reason on record.

Nothing that is the person's own is edited here. Addresses are posted, and stand in no address of a page and no log.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied, ValidationError
from django.db import transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter import audit
from newsletter.models import Digest, Edition, Event, Feedback
from subscribers import leaving, signup
from subscribers.addresses import clean_address
from subscribers.gate import why_not_mail
from subscribers.models import Letter, Subscriber, Suppression
from subscribers.suppressing import reason_of

Status = Subscriber.Status
MAY_READ = ["subscribers.view_subscriber", "newsletter.view_digest"]
CHANGE, ERASE = "subscribers.change_subscriber", "subscribers.delete_subscriber"
DIGESTS_SHOWN = LETTERS_SHOWN = CONSENTS_SHOWN = FEEDBACK_SHOWN = 20
EVENTS_SHOWN = 40
SUPPRESSIONS_SHOWN = 20
HASH = re.compile(r"[0-9a-f]{12,64}")
PAGE = "operator"  # on the consents, in the place of the page that a person was on


@dataclass(frozen=True)
class Deed:
    """What an operator may do for readers in some states. `do` says whether it changed anything."""

    words: str
    done: str
    statuses: list[str]
    do: Callable[[Subscriber, datetime], object]
    permission: str = CHANGE
    is_final: bool = False


DEEDS = {
    "resend": Deed(
        "Send the confirmation again",
        "The confirmation is on its way.",
        [Status.PENDING],
        signup.resend_confirmation,
    ),
    "pause": Deed(
        "Pause",
        "Paused until the reader resumes.",
        [Status.ACTIVE],
        lambda reader, at: leaving.pause(reader, at, page=PAGE),
    ),
    "resume": Deed(
        "Resume",
        "The digests come again.",
        [Status.PAUSED],
        lambda reader, at: leaving.resume(reader, at, page=PAGE),
    ),
    "leave": Deed(
        "Unsubscribe",
        "Unsubscribed; a goodbye goes to who had confirmed.",
        Status.leavable(),
        lambda reader, at: leaving.leave(reader, at, PAGE),
    ),
    "erase": Deed(
        "Erase everything",
        "Erased. A hash remains that keeps the address from being mailed.",
        [status for status in Status.values if status != Status.ERASED],
        lambda reader, at: leaving.erase(reader, at, PAGE),
        permission=ERASE,
        is_final=True,
    ),
}
NOTHING = "Nothing was changed: the reader has moved on since, or a limit on letters is reached."


def find(request: HttpRequest) -> HttpResponse:
    """By whole address, by the id of a reader, digest or letter, or what is known of the hash of an address."""
    if not request.user.has_perms(MAY_READ):
        raise PermissionDenied
    sought = request.POST.get("sought", "").strip()
    suppressions: list[Suppression] = []
    fault = ""
    try:
        reader, suppressions = found(sought) if sought else (None, [])
        if reader:
            return redirect("desk_reader", reader.pk)
    except ValidationError as error:
        fault = error.messages[0]
    context = admin.site.each_context(request) | {
        "title": "Find a reader",
        "sought": sought,
        "fault": fault,
        "suppressions": suppressions,
    }
    return render(request, "admin/desk/find.html", context, status=422 if fault else 200)


def found(sought: str) -> tuple[Subscriber | None, list[Suppression]]:
    """The reader, or the suppressions of a hash. Raises ValidationError where there is neither."""
    if uid := uid_in(sought):
        if reader := by_uid(uid):
            return reader, []
        raise ValidationError("No reader, digest or letter has this id.")
    if HASH.fullmatch(sought.lower()):
        rows = Suppression.objects.filter(address_hash__startswith=sought.lower())[:SUPPRESSIONS_SHOWN]
        if rows:
            return None, list(rows)
        raise ValidationError("No suppression has this hash.")
    if reader := Subscriber.objects.filter(email=clean_address(sought)).first():
        return reader, []
    raise ValidationError("Nobody has subscribed with this address.")


def uid_in(sought: str) -> UUID | None:
    """An id as we show it, or the Message-ID of a digest."""
    try:
        return UUID(sought.strip("<>").partition("@")[0])
    except ValueError:
        return None


def by_uid(uid: UUID) -> Subscriber | None:
    for rows in (Digest.objects.filter(uid=uid), Letter.objects.filter(uid=uid)):
        if mail := rows.select_related("subscriber").first():
            return mail.subscriber
    return Subscriber.objects.filter(uid=uid).first()


@require_safe
def page(request: HttpRequest, pk: int) -> HttpResponse:
    if not request.user.has_perms(MAY_READ):
        raise PermissionDenied
    return show(request, get_object_or_404(Subscriber, pk=pk))


def show(request: HttpRequest, reader: Subscriber, **context: object) -> HttpResponse:
    """The page, with what went wrong where `context` has a fault."""
    may = request.user.has_perm
    shown = admin.site.each_context(request) | {
        "title": f"Reader {reader.pk}",
        "reader": reader,
        "refusal": why_not_mail(reader),
        "edition": Edition.objects.filter(kind=reader.cadence).order_by("-date").first(),
        "deeds": [
            (name, deed) for name, deed in DEEDS.items() if reader.status in deed.statuses and may(deed.permission)
        ],
        **history(reader),
        **context,
    }
    response = render(request, "admin/desk/reader.html", shown, status=422 if "fault" in context else 200)
    response["Cache-Control"] = "no-store"
    return response


def history(reader: Subscriber) -> dict[str, Any]:
    """The last of everything, the latest first; each along an index of its own."""
    digests = list(
        Digest.objects.filter(subscriber=reader)
        .select_related("edition")
        .prefetch_related("papers__paper")
        .order_by("-planned_at")[:DIGESTS_SHOWN]
    )
    letters = list(reader.letters.all()[:LETTERS_SHOWN])
    of_these = Q(digest_uid__in=[one.uid for one in digests]) | Q(letter_uid__in=[one.uid for one in letters])
    return {
        "digests": digests,
        "letters": letters,
        "events": Event.objects.filter(of_these).order_by("-happened_at")[:EVENTS_SHOWN],
        "consents": reader.consents.all()[:CONSENTS_SHOWN],
        "feedback": Feedback.objects.filter(subscriber=reader).select_related("paper")[:FEEDBACK_SHOWN],
    }


@require_POST
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Do one of DEEDS, with a reason; what cannot be taken back asks for the typed address."""
    if not request.user.has_perms(MAY_READ):
        raise PermissionDenied
    reader = get_object_or_404(Subscriber, pk=pk)
    deed = DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        return show(request, reader, fault="Choose what to do.")
    if not request.user.has_perm(deed.permission):
        raise PermissionDenied
    words = request.POST.get("why", "")
    try:
        why = reason_of(words)
    except ValidationError as error:
        return show(request, reader, fault=error.messages[0])
    if deed.is_final and request.POST.get("typed", "").strip().casefold() != (reader.email or "").casefold():
        return show(request, reader, fault="Type the reader's address to erase them: nothing was changed.", why=why)
    if done(request, reader, deed, why):
        messages.success(request, deed.done)
    else:
        messages.warning(request, NOTHING)
    return redirect("desk_reader", reader.pk)


@transaction.atomic
def done(request: HttpRequest, reader: Subscriber, deed: Deed, why: str) -> bool:
    """Do it and put it on record, both or neither. Of who was erased the record keeps no former values."""
    before = None if deed.is_final else audit.snapshot(reader)
    if reader.status not in deed.statuses or not deed.do(reader, timezone.now()):
        return False
    reader.refresh_from_db()
    audit.record(request.user, reader, deed.words, why, before)
    return True
