"""An edition as a reader would get it, before it goes out; and one copy of it to the operator's own address."""

from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.decorators import permission_required
from django.core.exceptions import ValidationError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.views.decorators.http import require_POST

from newsletter import audit
from newsletter.delivery.wire.outcomes import Kind
from newsletter.delivery.wire.provider import in_time
from newsletter.desk import preflight
from newsletter.desk.finding import by_address
from newsletter.digest import candidates, readers
from newsletter.digest.candidates import Candidates
from newsletter.digest.choice import Choice, Chooser
from newsletter.digest.readers import Reader
from newsletter.digest.rendering import Rendered, Renderer
from newsletter.models import Brake, Edition
from papers.models import Paper, Topic
from subscribers.addresses import clean_address
from subscribers.emails import TRANSACTIONAL, compose
from subscribers.models import Subscriber, Suppression

NEWCOMERS_SIZE = 5  # papers, as the form proposes
DARK, EITHER = "@media (prefers-color-scheme: dark)", 'content="light dark"'
# Widths in pixels, and whether as in the dark.
SCREENS = [("On a phone", 375, False), ("On a phone, dark", 375, True), ("Wide", 720, False), ("Wide, dark", 720, True)]
MAY_SEE_READERS = "subscribers.view_subscriber"


class ReaderForm(forms.Form):
    """Whose copy to show: that of a reader, or of somebody new."""

    address = forms.CharField(label="A reader's address", required=False, max_length=254)
    topics = forms.ModelMultipleChoiceField(Topic.objects.all(), required=False, to_field_name="slug")

    def clean_address(self) -> Subscriber | None:
        """The reader. Raises ValidationError where there is none."""
        typed = self.cleaned_data["address"].strip()
        return by_address(typed) if typed else None


@dataclass(frozen=True)
class Preview:
    """A copy without anybody's own links, and why each paper is in it. `mail` is None on a quiet day."""

    pool_size: int
    choices: list[tuple[str, Choice]]  # titles beside them
    mail: Rendered | None

    @property
    def screens(self) -> list[dict[str, Any]]:
        """The HTML part on each screen, whatever the operator's own; in the dark as programs show it that know it."""
        html = self.mail.html if self.mail else ""
        shown = {
            is_dark: html.replace(DARK, f"@media {media}").replace(EITHER, f'content="{scheme}"')
            for is_dark, media, scheme in ((False, "not all", "light"), (True, "all", "dark"))
        }
        return [{"name": name, "width": width, "html": shown[is_dark]} for name, width, is_dark in SCREENS]


def form_of(request: HttpRequest) -> ReaderForm:
    """What was posted. Whoever may not see readers cannot ask for one."""
    form = ReaderForm(request.POST if request.method == "POST" else {})
    if not request.user.has_perm(MAY_SEE_READERS):
        del form.fields["address"]
    return form


def preview_of(edition: Edition, form: ReaderForm) -> Preview:
    """What the reader of a valid form would get, were it chosen now; what this edition sent before does not count."""
    pool = candidates.load(edition)
    subscriber = form.cleaned_data.get("address")
    reader = reader_of(subscriber, form, pool, edition)
    choices = Chooser(pool).choose(reader) if pool.papers else []
    titles = dict(Paper.objects.filter(pk__in=[choice.paper for choice in choices]).values_list("pk", "title"))
    mail = Renderer(edition, edition.drawn_from().count()).specimen(choices, reader.language) if choices else None
    return Preview(len(pool.papers), [(titles[choice.paper], choice) for choice in choices], mail)


def reader_of(subscriber: Subscriber | None, form: ReaderForm, pool: Candidates, edition: Edition) -> Reader:
    if subscriber:
        [reader] = readers.load([subscriber], pool, timezone.now(), but=edition)
        return reader
    return Reader(frozenset(topic.pk for topic in form.cleaned_data["topics"]), NEWCOMERS_SIZE)


@permission_required("newsletter.view_edition", raise_exception=True)
def page(request: HttpRequest, pk: int) -> HttpResponse:
    """Posted, because an address does not belong into logs; asked for plainly, as somebody new would get it."""
    edition, form = get_object_or_404(Edition, pk=pk), form_of(request)
    preview = preview_of(edition, form) if form.is_valid() else None
    context = admin.site.each_context(request) | {
        "title": "Preview and checks",
        "opts": Edition._meta,
        "original": edition,
        "subtitle": str(edition),
        "edition": edition,
        "form": form,
        "topics": Topic.objects.all(),
        "chosen": {topic.slug for topic in form.cleaned_data.get("topics", ())},
        "preview": preview,
        "checks": preflight.checks(edition, preview.pool_size, preview.mail, timezone.now()) if preview else [],
        "may_test": request.user.has_perm("newsletter.change_edition"),
    }
    return render(request, "admin/desk/preview.html", context, status=200 if preview else 422)


@require_POST
@permission_required("newsletter.change_edition", raise_exception=True)
def send_test(request: HttpRequest, pk: int) -> HttpResponse:
    """Mail this copy to whoever is signed in, and nobody else; it is no digest, and stands in no ledger."""
    edition, form = get_object_or_404(Edition, pk=pk), form_of(request)
    mail = preview_of(edition, form).mail if form.is_valid() else None
    if fault := send_copy(request.user, edition, mail, by=request.user):
        messages.error(request, f"No test mail was accepted: {fault}")
    else:
        messages.success(request, "The test mail is on its way to your own address.")
    return redirect("desk_preview", edition.pk)


def send_copy(account: Any, edition: Edition, mail: Rendered | None, by: Any, whence: str = "") -> str:
    """Mail a copy to an account's own address, and put it on record; returns what went wrong."""
    if fault := why_no_test(account.email):
        return fault
    if mail is None:
        return "there is nothing to send."
    fault = submit(account.email, mail)
    audit.record(by, edition, "sent a test mail", f"{whence}{fault or 'accepted'}")
    return fault


def why_no_test(email: str) -> str:
    """Why an operator cannot get one; empty where they can."""
    if not email:
        return "your account has no address. An owner can give it one, under People."
    if Brake.objects.engaged().exists():
        return "all mail is stopped."
    try:
        return (
            "your address must not be mailed: it is suppressed." if Suppression.objects.of(clean_address(email)) else ""
        )
    except ValidationError as error:
        return error.messages[0]


def submit(email: str, mail: Rendered) -> str:
    """Hand it over; returns what went wrong. It has no metadata: what is told of it later concerns no reader."""
    message = compose(
        to=clean_address(email), subject=f"[Test] {mail.subject}", text=mail.text, html=mail.html, headers=TRANSACTIONAL
    )
    with in_time() as submit_in_time:
        outcome = submit_in_time(message)
    return "" if outcome.kind is Kind.ACCEPTED else outcome.reason or outcome.kind.value
