"""The page of a reader: their whole history, and what an operator may do for them, each with a reason on record.

Nothing that is the person's own is edited here. Addresses are posted, and stand in no address of a page and no log.
"""

from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import Q
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter import audit
from newsletter.desk.deeds import CHANGE, DEEDS, carry_out
from newsletter.desk.finding import Match, found
from newsletter.desk.posting import posted_from
from newsletter.models import Digest, Edition, Event, Feedback
from subscribers.export import everything_about
from subscribers.gate import why_not_mail
from subscribers.leaving import BY_OPERATOR
from subscribers.models import Subscriber, Suppression

MAY_READ = ["subscribers.view_subscriber", "newsletter.view_digest"]
DIGESTS_SHOWN = LETTERS_SHOWN = CONSENTS_SHOWN = FEEDBACK_SHOWN = 20
EVENTS_SHOWN = 40
DECISIONS_SHOWN = 20
EXPORTED = "exported all about them"


@permission_required(MAY_READ, raise_exception=True)
def find(request: HttpRequest) -> HttpResponse:
    """By whole address, by the id of a reader, digest or letter, or its beginning, or what is known of a hash."""
    sought = request.POST.get("sought", "").strip()
    matches: list[Match] = []
    suppressions: list[Suppression] = []
    fault = ""
    try:
        matches, suppressions = found(sought) if sought else ([], [])
        if len({one.reader.pk for one in matches}) == 1:
            return redirect("desk_reader", matches[0].reader.pk)
    except ValidationError as error:
        fault = error.messages[0]
    context = admin.site.each_context(request) | {
        "title": "Find a reader",
        "opts": Subscriber._meta,
        "sought": sought,
        "fault": fault,
        "matches": matches,
        "suppressions": suppressions,
    }
    return render(request, "admin/desk/find.html", context, status=422 if fault else 200)


@require_safe
@permission_required(MAY_READ, raise_exception=True)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    return show(request, get_object_or_404(Subscriber, pk=pk))


def show(request: HttpRequest, reader: Subscriber, **context: object) -> HttpResponse:
    """The page, with what went wrong where `context` has a fault."""
    may = request.user.has_perm
    shown = admin.site.each_context(request) | {
        "title": f"Reader {reader.pk}",
        "opts": Subscriber._meta,
        "original": reader,
        "reader": reader,
        "refusal": why_not_mail(reader),
        "edition": edition_of(reader, timezone.now()),
        "decisions": audit.decisions_on(reader, DECISIONS_SHOWN) if may("admin.view_logentry") else [],
        "may_export": may(CHANGE),
        "deeds": [
            (name, deed) for name, deed in DEEDS.items() if reader.status in deed.statuses and may(deed.permission)
        ],
        **history(reader),
        **context,
    }
    response = render(request, "admin/desk/reader.html", shown, status=422 if "fault" in context else 200)
    response["Cache-Control"] = "no-store"
    return response


def edition_of(reader: Subscriber, at: datetime) -> Edition | None:
    """That of their next digest; where it is not open yet, the last before it. One further ahead is not theirs yet."""
    day = reader.schedule.local_date(reader.next_digest_at or at)
    return Edition.objects.filter(kind=reader.cadence, date__lte=day).order_by("-date").first()


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
        "by_operator": BY_OPERATOR,
        "feedback": Feedback.objects.filter(subscriber=reader).select_related("paper")[:FEEDBACK_SHOWN],
    }


@posted_from("desk_reader")
@permission_required([*MAY_READ, CHANGE], raise_exception=True)
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Do one of DEEDS, with a reason; what cannot be taken back asks for the typed address."""
    reader = get_object_or_404(Subscriber, pk=pk)
    deed = DEEDS.get(request.POST.get("deed", ""))
    if deed is None:
        return show(request, reader, fault="Choose what to do.")
    if not request.user.has_perm(deed.permission):
        raise PermissionDenied
    why = request.POST.get("why", "")
    if deed.is_final and request.POST.get("typed", "").strip().casefold() != (reader.email or "").casefold():
        return show(request, reader, fault="Type the reader's address to erase them: nothing was changed.", why=why)
    try:
        is_done = carry_out(deed, reader, timezone.now(), request.user, why)
    except ValidationError as error:
        return show(request, reader, fault=error.messages[0])
    if is_done:
        messages.success(request, deed.done)
    else:
        messages.warning(request, deed.undone)
    return redirect("desk_reader", reader.pk)


@require_POST
@permission_required([*MAY_READ, CHANGE], raise_exception=True)
def export(request: HttpRequest, pk: int) -> JsonResponse:
    """All that is stored about a reader who asked for it, to hand out; whoever takes it is on record."""
    reader = get_object_or_404(Subscriber, pk=pk)
    audit.record(request.user, reader, EXPORTED)
    answer = JsonResponse(all_about(reader), json_dumps_params={"indent": 2, "ensure_ascii": False})
    answer["Content-Disposition"] = f'attachment; filename="reader-{reader.pk}.json"'
    answer["Cache-Control"] = "no-store"
    return answer


def all_about(reader: Subscriber) -> dict[str, Any]:
    """What they could download themselves, but for the link that acts for them."""
    known = everything_about(reader)
    del known["subscription"]["link_to_leave"]
    return known
