"""Another address: asked for on the preferences page, agreed to from both inboxes."""

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _

from subscribers import links, moves, requests
from subscribers.abuse import limits
from subscribers.abuse.counting import take
from subscribers.models import Subscriber, SubscriptionRequest
from subscribers.network import client_network
from subscribers.reader_forms import NewAddressForm
from subscribers.views.pages import reads_and_posts, speak_to, token_page
from subscribers.views.preferences import not_subscribed, page


@token_page
@reads_and_posts
def move(request: HttpRequest, token: str) -> HttpResponse:
    """Mails both addresses; says the same whatever we know of the new one."""
    subscriber = speak_to(links.read_preferences(token))
    if request.method != "POST":
        return redirect("preferences", token)
    if subscriber.status not in Subscriber.Status.subscribed():
        return not_subscribed(request, subscriber, token)
    form = NewAddressForm(request.POST, present=subscriber.email or "")
    if form.is_valid() and (refusal := ask(request, subscriber, form.cleaned_data["email"])):
        form.add_error("email", refusal)
    if form.errors:
        return page(request, subscriber, token, status=422, address_form=form)
    return render(request, "subscribers/move_asked.html", {"token": token, "kept": settings.KEEP_MOVE.days})


def ask(request: HttpRequest, subscriber: Subscriber, email: str) -> str:
    """Ask the old address now, the new one soon; why that cannot be, in words, or nothing."""
    at, network = timezone.now(), client_network(request)
    if take([limits.moves(network)], at):
        return _("Many new addresses were named from your network today. Try again tomorrow.")
    with transaction.atomic():
        move = moves.ask(subscriber, email, at)
        if move is None:
            return _("You named a new address within the last day. Try again tomorrow.")
        wish = SubscriptionRequest(kind=SubscriptionRequest.Kind.MOVE, email=email, at=at, not_before=at)
        wish.network, wish.wishes = network, {"move": move.uid.hex}
        requests.store(wish)
    return ""


@token_page
@reads_and_posts
def agree(request: HttpRequest, token: str) -> HttpResponse:
    """One button, in each of the two letters."""
    wish, side = links.read_move(token)
    speak_to(wish.subscriber)
    context: dict[str, object] = {"side": side}
    if request.method != "POST":
        return render(request, "subscribers/agree.html", context)
    if moves.agree(wish, side, timezone.now(), client_network(request)):
        moved = Subscriber.objects.get(pk=wish.subscriber.pk)
        context["back_token"] = links.back_token(moved, moved.version)
        return render(request, "subscribers/moved.html", context)
    refusal = side == "new" and moves.why_not_there(wish.subscriber, wish.email)
    context["refusal"] = refusal or wish.subscriber.status not in Subscriber.Status.subscribed()
    return render(request, "subscribers/agreed.html", context, status=409 if context["refusal"] else 200)
