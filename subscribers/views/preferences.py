"""What one gets, changed by a signed link."""

from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers import leaving, links
from subscribers.forms import AddressForm
from subscribers.models import Subscriber, SubscriptionRequest
from subscribers.network import client_network
from subscribers.preferences import change
from subscribers.reader_forms import NewAddressForm, PauseForm, ReaderForm
from subscribers.schedule import in_words
from subscribers.undoing import last_change, take_back
from subscribers.views.asking import ask, page_with_ticket
from subscribers.views.pages import in_its_language, posted_here, reads_and_posts, speak_to, token_page

LINK_PAGE = "subscribers/send_preferences_link.html"


@token_page
@reads_and_posts
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Everything a reader can choose, on one page."""
    subscriber = speak_to(links.read_preferences(token))
    if subscriber.status not in Subscriber.Status.subscribed():
        return not_subscribed(request, subscriber, token)
    if request.method != "POST":
        return page(request, subscriber, token)
    form = ReaderForm.of(subscriber, request.POST)
    if not form.is_valid():
        return page(request, subscriber, token, status=422, form=form)
    if form.is_of(subscriber):
        if change(subscriber, form.wishes(), timezone.now(), client_network(request), form.tastes()):
            return redirect(reverse("preferences", args=[token]) + "?saved")
        subscriber = links.read_preferences(token)
    return conflict(request, subscriber, token, form)


def page(request: HttpRequest, subscriber: Subscriber, token: str, status: int = 200, **parts: object) -> HttpResponse:
    """The page as things stand, with whatever form was not well filled in."""
    at = timezone.now()
    context = {
        "form": parts.pop("form", None) or ReaderForm.of(subscriber),
        "pause_form": parts.pop("pause_form", None) or pause_form(subscriber),
        "address_form": parts.pop("address_form", None) or NewAddressForm(present=subscriber.email or ""),
        "subscriber": subscriber,
        "token": token,
        "next_digest": next_digest(subscriber),
        "can_undo": last_change(subscriber, at) is not None,
        "is_new": "new" in request.GET,
        "is_saved": "saved" in request.GET,
        **parts,
    }
    return render(request, "subscribers/preferences.html", context, status=status)


def conflict(request: HttpRequest, subscriber: Subscriber, token: str, form: ReaderForm | None = None) -> HttpResponse:
    """Something was changed since the page was made, in another tab perhaps: show both, save neither."""
    if subscriber.status not in Subscriber.Status.subscribed():
        return not_subscribed(request, subscriber, token)
    if form is None:
        return page(request, subscriber, token, status=409, is_outdated=True)
    form.now_of(subscriber)
    differences = form.differences(subscriber)
    return page(request, subscriber, token, status=409, form=form, is_outdated=True, differences=differences)


def not_subscribed(request: HttpRequest, subscriber: Subscriber, token: str) -> HttpResponse:
    return render(request, "subscribers/not_subscribed.html", {"subscriber": subscriber, "token": token})


@token_page
@reads_and_posts
def undo(request: HttpRequest, token: str) -> HttpResponse:
    """Take the last change back, if it still is the last one."""
    subscriber = speak_to(links.read_preferences(token))
    version = request.POST.get("version", "")
    if request.method != "POST":
        return redirect("preferences", token)
    if version != str(subscriber.version):
        return conflict(request, subscriber, token)
    if subscriber.status not in Subscriber.Status.subscribed():
        return not_subscribed(request, subscriber, token)
    if not take_back(subscriber, subscriber.version, timezone.now(), client_network(request)):
        return page(request, subscriber, token, status=409, is_too_late=True)
    return redirect("preferences", token)


@token_page
@reads_and_posts
def pause_until(request: HttpRequest, token: str) -> HttpResponse:
    """Send nothing until a day, or until the reader says so."""
    subscriber = speak_to(links.read_preferences(token))
    if request.method != "POST":
        return redirect("preferences", token)
    form = pause_form(subscriber, request.POST)
    if subscriber.status not in Subscriber.Status.subscribed():
        return not_subscribed(request, subscriber, token)
    if not form.is_valid():
        return page(request, subscriber, token, status=422, pause_form=form)
    if form.cleaned_data["version"] != str(subscriber.version):
        return conflict(request, subscriber, token)
    leaving.pause(subscriber, timezone.now(), client_network(request), form.cleaned_data["until"])
    return redirect(reverse("preferences", args=[token]) + "?saved")


def pause_form(subscriber: Subscriber, data: QueryDict | None = None) -> PauseForm:
    today = subscriber.schedule.local_date(timezone.now())
    return PauseForm(data, today=today, version=subscriber.version)


def next_digest(subscriber: Subscriber) -> str:
    """When the next one comes, in words; empty where none is to come."""
    due = subscriber.next_digest_at
    return in_words(due, timezone.now(), subscriber.zone) if due else ""


@csrf_exempt  # as the sign-up: whose inbox it is decides, not whose browser
@in_its_language
@reads_and_posts
def send_preferences_link(request: HttpRequest) -> HttpResponse:
    """Mails the link, if there is anybody to mail it to; the answer is always the same."""
    if request.method == "POST" and not posted_here(request):
        return render(request, "subscribers/elsewhere.html", status=403)
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        wish = SubscriptionRequest(kind=SubscriptionRequest.Kind.LINK, email=form.cleaned_data["email"])
        sent = redirect(links.public("preferences_link_sent"))
        return ask(request, wish, LINK_PAGE, {"form": form}) or sent
    return page_with_ticket(request, LINK_PAGE, {"form": form}, status=422 if form.is_bound else 200)


@in_its_language
@require_safe
def preferences_link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/preferences_link_sent.html")
