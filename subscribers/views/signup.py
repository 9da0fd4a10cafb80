"""Signing up and confirming."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone, translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe

from subscribers import links, signup
from subscribers.forms import SignUpForm
from subscribers.models import Subscriber
from subscribers.network import client_network
from subscribers.views.pages import known_language, posted_here, public_page, reads_and_posts, speak_to, token_page


@public_page
@csrf_exempt  # the form stands on pages that are the same for everybody, and so holds no token
@reads_and_posts
def subscribe(request: HttpRequest) -> HttpResponse:
    """The form; posted, the same answer for every address, in the language that was chosen for the mail."""
    if request.method != "POST":
        form = SignUpForm(initial={"topics": request.GET.getlist("topic")})
        return render(request, "subscribers/subscribe.html", {"signup_form": form})
    if not posted_here(request):
        return render(request, "subscribers/elsewhere.html", status=403)
    shown = translation.get_language()
    translation.activate(known_language(request.POST.get("language", shown)))
    form = SignUpForm(request.POST)
    if form.is_trapped:
        return redirect(links.public("subscribed"))
    if not form.is_valid():
        return render(request, "subscribers/subscribe.html", {"signup_form": form}, status=422)
    email = form.cleaned_data["email"]
    with translation.override(shown):  # the consent keeps the words of the page on which it was given
        signup.ask(email, form.wishes(), timezone.now(), client_network(request), page="subscribe")
    return redirect(links.public("subscribed"))


@public_page
@require_safe
def subscribed(request: HttpRequest) -> HttpResponse:
    """What to do next; it knows nothing of any address."""
    return render(request, "subscribers/subscribed.html", {"kept": settings.KEEP_UNCONFIRMED.days})


@token_page
@reads_and_posts
def confirm(request: HttpRequest, token: str) -> HttpResponse:
    """One button, because programs that check links press none."""
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
    return render(request, "subscribers/confirm.html", {"words": signup.CONFIRM_WORDS})


def expired(request: HttpRequest, link: links.ExpiredLink) -> HttpResponse:
    """Offers another link to who is still waiting; nobody else can be helped by one."""
    if link.subscriber:
        speak_to(link.subscriber)
    waiting = link.subscriber is not None and link.subscriber.status == Subscriber.Status.PENDING
    if waiting and link.subscriber and request.method == "POST":
        signup.resend_confirmation(link.subscriber, timezone.now())
        return redirect(links.public("subscribed"))
    return render(request, "subscribers/expired.html", {"waiting": waiting}, status=link.status)
