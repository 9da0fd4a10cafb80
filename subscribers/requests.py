"""From a request that a stranger posted to the letter that it causes, if any.

A page stores a request and does nothing else: what follows depends on the address, and whoever asks shall not be
able to tell, by words or by time. A task carries it out.
"""

import logging
import traceback
from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial

from django.db import transaction
from django.utils import translation

from subscribers import moves, preferences, signup
from subscribers.abuse import attack
from subscribers.abuse.counting import hashed
from subscribers.abuse.entrance import Evidence, admit
from subscribers.abuse.folding import mailbox
from subscribers.abuse.limits import hindrance
from subscribers.models import Letter, SubscriptionRequest
from subscribers.signals import request_stored
from subscribers.wishes import Wishes

log = logging.getLogger(__name__)

Kind, Reason = SubscriptionRequest.Kind, SubscriptionRequest.Reason
BATCH = 200
LEASE = timedelta(minutes=2)
RETRY = timedelta(minutes=5)
# How soon to look again whether there is room; what an attack holds is not looked at before its end.
AGAIN = {Reason.ATTACK: timedelta(0), Reason.MAILBOX: timedelta(hours=1)}
SOON = timedelta(minutes=10)


class NotYet(Exception):  # noqa: N818 - named for what is the matter
    """Carrying it out now would be too much; everything is taken back."""

    def __init__(self, reason: SubscriptionRequest.Reason) -> None:
        super().__init__(reason)
        self.reason = reason


def ask(request: SubscriptionRequest, evidence: Evidence, at: datetime) -> None:
    """Store what a stranger asked for. Raises OneMoreStep or TooMany where it is not stored."""
    admit(request, evidence, at)
    store(request)


def store(request: SubscriptionRequest) -> None:
    """Store a request that has shown already that it is meant."""
    request.mailbox = hashed(mailbox(request.email))
    request.save()
    transaction.on_commit(partial(request_stored.send_robust, sender=SubscriptionRequest, request_id=request.pk))


def carry_out(at: datetime, size: int = BATCH) -> int:
    """Carry out what is due, up to `size` requests; returns how many were taken in hand."""
    attacked = attack.is_on()
    requests = SubscriptionRequest.objects.claim(at, LEASE, size, attacked)
    for request in sift(requests):
        if attacked and not (request.proven or request.cleared):
            request.hold(Reason.ATTACK, at + AGAIN[Reason.ATTACK])
        else:
            carry_out_one(request, at)
    attack.judge(at)
    return len(requests)


def sift(requests: list[SubscriptionRequest]) -> list[SubscriptionRequest]:
    """Without those that another makes needless, which end here: under a flood, most.

    That is an older one of the same address, and another spelling of a mailbox that had its letter and for whose next
    one a request is held already.
    """
    by_weight = sorted(requests, key=lambda request: (request.cleared, request.proven, request.pk))
    latest = {(request.kind, request.email): request for request in by_weight}
    held = SubscriptionRequest.objects.held().filter(
        reason=Reason.MAILBOX, mailbox__in={request.mailbox for request in requests}
    )
    spelt = {(kind, box): email for kind, box, email in held.values_list("kind", "mailbox", "email")}

    def is_needed(request: SubscriptionRequest) -> bool:
        is_latest = latest[request.kind, request.email] is request
        is_first = spelt.get((request.kind, request.mailbox), request.email) == request.email
        return request.kind == Kind.MOVE or (is_latest and (is_first or request.cleared))

    needless = [request.pk for request in requests if not is_needed(request)]
    SubscriptionRequest.objects.filter(pk__in=needless).delete()
    return [request for request in requests if is_needed(request)]


def carry_out_one(request: SubscriptionRequest, at: datetime) -> None:
    """Carry it out and forget it, both or neither; hold it where it is too much now."""
    try:
        with transaction.atomic():
            if request.finish():
                mail(request, at)
    except NotYet as too_much:
        request.hold(too_much.reason, at + AGAIN.get(too_much.reason, SOON))
    except Exception as error:  # noqa: BLE001 - one request that breaks must not keep the others
        # Without its message, which may name an address.
        place = traceback.extract_tb(error.__traceback__)[-1]
        log.error("request %s broke: %s in %s:%s", request.pk, type(error).__name__, place.filename, place.lineno)
        request.retry(at + RETRY)


def mail(request: SubscriptionRequest, at: datetime) -> None:
    """Owe the letter that this request is due, if any. Raises NotYet where it has to wait."""
    letter = JOURNEYS[Kind(request.kind)](request, at)
    if letter is None:
        return
    if not request.cleared and (reason := hindrance(request, letter, at)):
        raise NotYet(reason)
    if letter.kind == Letter.Kind.CONFIRMATION:
        attack.note_asked(at)


def subscribe(request: SubscriptionRequest, at: datetime) -> Letter | None:
    wishes = Wishes.from_json(request.wishes)
    with translation.override(request.language):  # the consent keeps the words of the page on which it was given
        return signup.ask(request.email, wishes, at, request.network, request.page)


def send_link(request: SubscriptionRequest, at: datetime) -> Letter | None:
    return preferences.ask_for_link(request.email, at)


def ask_new_address(request: SubscriptionRequest, at: datetime) -> Letter | None:
    return moves.ask_new(request.email, request.wishes["move"], at)


JOURNEYS: dict[SubscriptionRequest.Kind, Callable[[SubscriptionRequest, datetime], Letter | None]] = {
    Kind.SUBSCRIBE: subscribe,
    Kind.LINK: send_link,
    Kind.MOVE: ask_new_address,
}
