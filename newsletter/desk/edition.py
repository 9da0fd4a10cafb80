"""The page of an edition: how it stands, how it came there, why digests did not go out, and what can be done."""

from collections.abc import Iterator
from itertools import islice

from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST, require_safe

from newsletter import audit, census
from newsletter.cockpit.actions import typed
from newsletter.delivery import canaries
from newsletter.desk.posting import posted_from
from newsletter.desk.standing import MOST_READ, Standing, first_expiry, reasons
from newsletter.desk.turns import CHANGE, MOST_AHEAD, TURNS, carry_out, size_of
from newsletter.models import Digest, Edition
from papers.charts import LOW, Chart, chart
from subscribers.imports.report import lines

Status = Digest.Status
WAITING = [Edition.Status.HELD, Edition.Status.PAUSED]
DECISIONS_SHOWN = 30
EXPORTED = "exported its results"
MOST_COUNTS = 5_000  # of a timeline: an edition lives for two days, and is counted once a minute
CHUNK = 500
COLUMNS = ("uid", "subscriber_id", "status", "reason", "attempts", "not_before", "submitted_at", "settled_at")
HEAD = ("digest", "reader", "status", "reason", "attempts", "due", "submitted", "settled")
REFRESH = 20  # seconds


@require_safe
@permission_required("newsletter.view_edition", raise_exception=True)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """For everybody who may see editions; the ledger behind the numbers takes a permission of its own."""
    return show(request, get_object_or_404(Edition, pk=pk))


def show(request: HttpRequest, edition: Edition, **context: object) -> HttpResponse:
    """The page, with what went wrong where `context` has a fault."""
    standing = Standing.now(edition)
    may = request.user.has_perm
    shown = admin.site.each_context(request) | {
        "title": "How it stands",
        "opts": Edition._meta,
        "original": edition,
        "subtitle": str(edition),
        "edition": edition,
        "one": standing,
        "terms": terms(standing),
        "reasons": reasons(standing),
        "most_read": MOST_READ,
        "timeline": timeline(edition),
        "decisions": audit.decisions_on(edition, DECISIONS_SHOWN),
        "first_expiry": first_expiry(edition) if edition.status in WAITING else None,
        "ahead": canaries.under_way(edition),
        "turns": [(name, turn) for name, turn in TURNS.items() if turn.suits(edition) and may(turn.permission)],
        "answers": answers(request, standing),
        "size": canaries.size_asked_for(),
        "most_ahead": MOST_AHEAD,
        "refresh": REFRESH if standing.open else 0,
        **context,
    }
    return render(request, "admin/desk/edition.html", shown, status=422 if "fault" in context else 200)


@posted_from("desk_edition")
def act(request: HttpRequest, pk: int) -> HttpResponse:
    """Do one of TURNS; what cannot be taken back asks for the edition's name."""
    edition, turn = get_object_or_404(Edition, pk=pk), TURNS.get(request.POST.get("turn", ""))
    if not request.user.has_perm(turn.permission if turn else CHANGE):
        raise PermissionDenied
    why = request.POST.get("why", "").strip()
    if turn is None:
        return show(request, edition, fault="Choose what to do.", why=why)
    try:
        audit.check_why(why)
        size = size_of(request.POST.get("size", ""))
    except ValidationError as error:
        return show(request, edition, fault=error.messages[0], why=why)
    if turn.is_final and not typed(request, [edition]):
        return show(request, edition, fault=f"Type “{edition}” to cancel it: nothing was changed.", why=why)
    if carry_out(turn, edition, request.user, why, size):
        census.recount(edition, timezone.now())
        messages.success(request, f"{edition} {turn.done}.")
    else:
        messages.warning(request, turn.why_not(edition))
    return redirect("desk_edition", pk)


def answers(request: HttpRequest, one: Standing) -> list[tuple[str, str]]:
    """What a person may decide about digests that came to no good end: the admin's action, and its words."""
    if not request.user.has_perm("newsletter.change_digest"):
        return []
    failed = [("retry_failed", f"Try the {one.failed:,} that failed again")]
    accepted = [("was_accepted", f"In doubt: the provider has the {one.in_doubt:,}")]
    not_sent = [("was_not_sent", f"In doubt: the {one.in_doubt:,} were not sent, plan them again")]
    if one.edition.status == Edition.Status.CANCELLED:  # what would be planned again would be cancelled at once
        failed = not_sent = []
    return (failed if one.failed else []) + (accepted + not_sent if one.in_doubt else [])


def terms(one: Standing) -> list[tuple[str, int, list[str]]]:
    """What was planned, as a sum: words, number, and the states behind it."""
    ends = [Status.FAILED, Status.SKIPPED, Status.EXPIRED, Status.CANCELLED, Status.IN_DOUBT]
    return [
        ("accepted", one.accepted, [str(status) for status in Status.sent()]),
        *((status.label.lower(), one.of(status), [str(status)]) for status in ends),
        ("still to go", one.open, Status.unsettled()),
    ]


def timeline(edition: Edition) -> Chart | None:
    """Digests that were settled, over time."""
    counted = edition.progress.order_by("at").values_list("at", "planned", "open")[:MOST_COUNTS]
    return chart([(at, planned - to_go) for at, planned, to_go in counted], LOW)


@require_POST
@permission_required("newsletter.view_digest", raise_exception=True)
def results(request: HttpRequest, pk: int) -> StreamingHttpResponse:
    """Every digest of an edition as CSV, without addresses; whoever takes it is on record."""
    edition = get_object_or_404(Edition, pk=pk)
    audit.record(request.user, edition, EXPORTED)
    response = StreamingHttpResponse(table(edition), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{edition.kind}-{edition.date}.csv"'
    response["Cache-Control"] = "no-store"
    return response


def table(edition: Edition) -> Iterator[str]:
    yield "\ufeff" + lines([HEAD])  # by which a spreadsheet knows UTF-8
    rows = edition.digests.order_by().values_list(*COLUMNS).iterator(chunk_size=CHUNK)
    while some := list(islice(rows, CHUNK)):
        yield lines(some)
