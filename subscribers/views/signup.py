"""Signing up and confirming."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers import links, signup
from subscribers.abuse.entrance import Evidence
from subscribers.abuse.tickets import FORM
from subscribers.forms import SignUpForm
from subscribers.models import Subscriber, SubscriptionRequest
from subscribers.network import client_network
from subscribers.views import same_browser
from subscribers.views.asking import ask, page_with_ticket
from subscribers.views.pages import (
    in_its_language,
    known_language,
    posted_from_embed,
    posted_here,
    reads_and_posts,
    speak_to,
    token_page,
)


@in_its_language
@csrf_exempt  # the form stands on pages that are the same for everybody, and so holds no token
@reads_and_posts
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form; posted, the same answer for every address, in the language that was chosen for the mail."""
    if request.method != "POST":
        language = translation.get_language()
        form = SignUpForm(initial={"topics": request.GET.getlist("topic"), "language": language})
        return page_with_ticket(request, "subscribers/subscribe.html", {"signup_form": form})
    if not (posted_here(request) or posted_from_embed(request)):
        return render(request, "subscribers/elsewhere.html", status=403)
    shown = translation.get_language()
    translation.activate(known_language(request.POST.get("language", shown)))
    form = SignUpForm(request.POST)
    if form.is_trapped:
        return same_browser.remember(redirect(links.public("subscribed")), request.POST.get("email", ""))
    if not form.is_valid():
        return page_with_ticket(request, "subscribers/subscribe.html", {"signup_form": form}, status=422)
    if likelier := form.likelier():
        given = Evidence.of(request.POST)
        context = {"form": form, "likelier": likelier, "given": given, "ticket": given.ticket}
        return render(request, "subscribers/did_you_mean.html", context)
    email = form.cleaned_data["email"]
    wish = SubscriptionRequest(
        kind=SubscriptionRequest.Kind.SUBSCRIBE,
        email=email,
        wishes=form.wishes().as_json(),
        page="subscribe",
        language=shown,
    )
    refusal = ask(request, wish, "subscribers/subscribe.html", {"signup_form": form})
    return refusal or same_browser.remember(redirect(links.public("subscribed")), email)


@require_safe
def ticket(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - Django's signature
    """A ticket for a form on a page that is the same for everybody; fetched when the form gets the focus."""
    return JsonResponse({"ticket": FORM.issue(timezone.now())}, headers={"Cache-Control": "no-store"})


@in_its_language
@require_safe
def subscribed(request: HttpRequest) -> HttpResponse:
    """What to do next; it knows nothing of any address."""
    return render(request, "subscribers/subscribed.html", {"kept": settings.KEEP_UNCONFIRMED.days})


@token_page
@reads_and_posts
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """One button, because programs that check links press none; in the browser that asked it presses itself."""
    try:
        subscriber = speak_to(links.read_confirm(token))
    except links.ExpiredLink as error:
        return expired(request, error)
    if request.method == "POST":
        signup.confirm(subscriber, timezone.now(), client_network(request))
        subscriber.refresh_from_db()
    if subscriber.status in Subscriber.Status.subscribed():
        if request.method != "POST":
            return render(request, "subscribers/already_confirmed.html")
        return redirect(reverse("preferences", args=[links.preferences_token(subscriber)]) + "?new")
    if subscriber.status != Subscriber.Status.PENDING or request.method == "POST":
        return render(request, "subscribers/not_confirmable.html", status=409)
    context = {"words": signup.CONFIRM_WORDS, "by_itself": same_browser.asked_here(request, subscriber)}
    return render(request, "subscribers/confirm.html", context)


def expired(request: HttpRequest, link: links.ExpiredLink) -> HttpResponse:
    """Offers another link to who is still waiting; nobody else can be helped by one."""
    if link.subscriber:
        speak_to(link.subscriber)
        if link.subscriber.status in Subscriber.Status.subscribed():
            return render(request, "subscribers/in_already.html", status=link.status)
    waiting = link.subscriber is not None and link.subscriber.status == Subscriber.Status.PENDING
    if waiting and link.subscriber and request.method == "POST":
        signup.resend_confirmation(link.subscriber, timezone.now())
        return redirect(links.public("subscribed"))
    return render(request, "subscribers/expired.html", {"waiting": waiting}, status=link.status)
