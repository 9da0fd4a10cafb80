"""Leaving, and what is offered instead only after one has left."""

from collections.abc import Callable
from contextlib import suppress
from functools import wraps

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone

from subscribers import leaving, links, undoing
from subscribers.links import Farewell
from subscribers.models import Subscriber
from subscribers.network import client_network
from subscribers.reader_forms import PartingForm
from subscribers.views.pages import reads_and_posts, speak_to, token_page

Status = Subscriber.Status
LONGEST_ONE_CLICK = 10_000  # bytes: the 26 of the standard, in whatever wrapping
INSTEAD = {"", "less_often", "pause"}


def of_a_reader(view: Callable[[HttpRequest, Subscriber, str], HttpResponse]) -> Callable[..., HttpResponse]:
    """A page that a digest's leave links open. Who was erased is told so, and offered nothing: they never get mail."""

    @token_page
    @reads_and_posts
    @wraps(view)
    def guarded(request: HttpRequest, token: str) -> HttpResponse:
        subscriber = speak_to(links.read_leave(token))
        if subscriber.status == Status.ERASED:
            return render(request, "subscribers/erased.html")
        return view(request, subscriber, token)

    return guarded


@of_a_reader
def leave(request: HttpRequest, subscriber: Subscriber, token: str) -> HttpResponse:  # noqa: ARG001
    """One button; no question before it, no offer."""
    if subscriber.status not in Status.leavable():
        return render(request, "subscribers/left.html")
    if request.method != "POST":
        return render(request, "subscribers/leave.html")
    at = timezone.now()
    if not leaving.leave(subscriber, at, page="leave", network=client_network(request)):
        return render(request, "subscribers/left.html")
    return redirect("leave_undo", links.undo_token(Farewell(subscriber, Status(subscriber.status), at)))


@token_page
@reads_and_posts
def leave_undo(request: HttpRequest, token: str) -> HttpResponse:
    """You have left (or paused): and the ways back."""
    farewell = links.read_undo(token)
    speak_to(farewell.subscriber)
    if request.method != "POST":
        return render(request, "subscribers/left.html", way_back(farewell, token))
    instead = request.POST.get("instead", "")
    if instead not in INSTEAD:
        return render(request, "subscribers/left.html", way_back(farewell, token), status=422)
    done = leaving.undo(farewell, timezone.now(), instead, client_network(request))
    farewell.subscriber.refresh_from_db()
    context = {"done": done, "subscriber": farewell.subscriber}
    return render(request, "subscribers/undone.html", context, status=200 if done else 409)


@token_page
@reads_and_posts
def why(request: HttpRequest, token: str) -> HttpResponse:
    """Takes the optional reason; what is kept of it names nobody."""
    farewell = links.read_undo(token)
    speak_to(farewell.subscriber)
    if request.method != "POST":
        return redirect("leave_undo", token)
    form = PartingForm(request.POST)
    if not form.is_valid():
        context = {**way_back(farewell, token), "parting_form": form}
        return render(request, "subscribers/left.html", context, status=422)
    leaving.say_why(farewell, form.cleaned_data["reason"], form.cleaned_data["words"], timezone.now())
    return render(request, "subscribers/thanks.html", {"token": token})


def way_back(farewell: Farewell, token: str) -> dict[str, object]:
    """What the page offers, if this was the last thing that happened."""
    now = farewell.subscriber
    if not leaving.still(farewell).exists():
        return {"moved_on": now.status in Status.subscribed()}
    rarer = leaving.rarer(now) if farewell.was in Status.subscribed() else None
    return {
        "undo_token": token,
        "parting_form": None if now.gave_reason or now.status == Status.PAUSED else PartingForm(),
        "paused": now.status == Status.PAUSED,
        "until": now.paused_until,
        "had_confirmed": farewell.was in Status.subscribed(),
        "less_often": leaving.INSTEAD[rarer] if rarer else None,
    }


@of_a_reader
def less_often(request: HttpRequest, subscriber: Subscriber, token: str) -> HttpResponse:
    """One step rarer than the page said: pressed twice, it is still one step."""
    done = False
    if request.method == "POST" and request.POST.get("from") == subscriber.cadence:
        done = leaving.less_often(subscriber, timezone.now(), client_network(request))
        subscriber.refresh_from_db()
    rarer = leaving.rarer(subscriber)
    context = {
        "subscriber": subscriber,
        "is_subscribed": subscriber.status in Status.subscribed(),
        "less_often": leaving.SEND_IT[rarer] if rarer else None,
        "done": done,
        "back_token": links.back_token(subscriber, subscriber.version) if done else "",
        "posted": request.method == "POST",
        "token": token,
    }
    return render(request, "subscribers/less_often.html", context)


@token_page
@reads_and_posts
def take_back(request: HttpRequest, token: str) -> HttpResponse:
    """Undo for a change that was made without the signed link; its button is on the page after the change."""
    subscriber, version = links.read_back(token)
    speak_to(subscriber)
    if request.method != "POST":
        return render(request, "subscribers/take_back.html", {"subscriber": subscriber})
    done = undoing.take_back(subscriber, version, timezone.now(), client_network(request))
    subscriber.refresh_from_db()
    context = {"done": done, "subscriber": subscriber, "had_stayed": True}
    return render(request, "subscribers/undone.html", context, status=200 if done else 409)


@of_a_reader
def pause(request: HttpRequest, subscriber: Subscriber, token: str) -> HttpResponse:
    at, is_active = timezone.now(), subscriber.status == Status.ACTIVE
    if request.method == "POST" and is_active and leaving.pause(subscriber, at, client_network(request)):
        return redirect("leave_undo", links.undo_token(Farewell(subscriber, Status.ACTIVE, at)))
    subscriber.refresh_from_db()
    return render(request, "subscribers/pause.html", {"subscriber": subscriber, "token": token})


@token_page
@reads_and_posts
def resume(request: HttpRequest, token: str) -> HttpResponse:
    """Brings mail back, so it takes the signed link."""
    subscriber = speak_to(links.read_preferences(token))
    if request.method != "POST":
        return render(request, "subscribers/resume.html", {"subscriber": subscriber, "token": token})
    leaving.resume(subscriber, timezone.now(), client_network(request))
    return redirect("preferences", token)


@token_page
def one_click(request: HttpRequest, token: str) -> HttpResponse:
    """RFC 8058: a mail program posts here on its own, with neither cookies nor a page to show.

    Somebody whose program opens the address instead is shown the way to the button.
    """
    if request.method != "POST":
        with suppress(links.BadLink):
            speak_to(links.read_leave(token))
        page = {"leave_url": reverse("leave", args=[token])}
        response = render(request, "subscribers/one_click.html", page, status=405)
        response["Allow"] = "POST"
        return response
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdecimal() and int(length[:20]) > LONGEST_ONE_CLICK:
        return plain("Nothing was changed: the body is List-Unsubscribe=One-Click and no more (RFC 8058).", 413)
    if request.POST.get("List-Unsubscribe") != "One-Click":
        return plain("Nothing was changed: the body must be List-Unsubscribe=One-Click (RFC 8058).", 400)
    try:
        subscriber = links.read_leave(token)
    except links.BadLink as error:
        return plain(str(error), error.status)
    network = client_network(request)
    leaving.leave(subscriber, timezone.now(), page="one click", network=network, goodbye=False)
    return plain("You are unsubscribed.", 200)


def plain(words: str, status: int) -> HttpResponse:
    return HttpResponse(f"{words}\n", status=status, content_type="text/plain; charset=utf-8")
