"""What one gets, changed by a signed link; and erasing everything."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.views.decorators.http import require_safe

from subscribers import leaving, links
from subscribers.forms import AddressForm, PreferencesForm
from subscribers.models import Subscriber
from subscribers.network import client_network
from subscribers.preferences import ask_for_link, change
from subscribers.schedule import in_words
from subscribers.views.pages import reads_and_posts, token_page


@token_page
@reads_and_posts
def preferences(request: HttpRequest, token: str) -> HttpResponse:
    """Everything a reader can choose, on one page."""
    subscriber = links.read_preferences(token)
    if subscriber.status not in Subscriber.Status.subscribed():
        return render(request, "subscribers/not_subscribed.html", {"subscriber": subscriber, "token": token})
    form = PreferencesForm.of(subscriber, request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        change(subscriber, form.wishes(), timezone.now(), client_network(request))
        return redirect(reverse("preferences", args=[token]) + "?saved")
    return render(
        request,
        "subscribers/preferences.html",
        {
            "form": form,
            "subscriber": subscriber,
            "token": token,
            "next_digest": next_digest(subscriber),
            "is_new": "new" in request.GET,
            "is_saved": "saved" in request.GET,
        },
        status=422 if form.is_bound else 200,
    )


def next_digest(subscriber: Subscriber) -> str:
    """When the next one comes, in words; empty where none is to come."""
    due = subscriber.next_digest_at
    return in_words(due, timezone.now(), subscriber.zone) if due else ""


@reads_and_posts
def send_preferences_link(request: HttpRequest) -> HttpResponse:
    """Mails the link, if there is anybody to mail it to; the answer is always the same."""
    form = AddressForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        ask_for_link(form.cleaned_data["email"], timezone.now())
        return redirect("preferences_link_sent")
    status = 422 if form.is_bound else 200
    return render(request, "subscribers/send_preferences_link.html", {"form": form}, status=status)


@require_safe
def preferences_link_sent(request: HttpRequest) -> HttpResponse:
    return render(request, "subscribers/preferences_link_sent.html")


@token_page
@reads_and_posts
def erase(request: HttpRequest, token: str) -> HttpResponse:
    """Says what will be gone, then makes it so."""
    subscriber = links.read_preferences(token)
    if request.method == "POST":
        leaving.erase(subscriber, timezone.now())
        return render(request, "subscribers/erased.html")
    return render(request, "subscribers/erase.html", {"token": token})
