"""Leaving, and what is offered instead once one has left: undo, less often, a pause. And being erased.

Leaving and pausing only ever reduce mail; whatever brings mail back asks for a signed link.
"""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from django.db import transaction
from django.db.models import F, OuterRef, Q, QuerySet, Subquery
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from subscribers.addresses import LIKE_AN_ADDRESS
from subscribers.letters import owe, withdraw
from subscribers.links import Farewell
from subscribers.models import Consent, Letter, Move, Parting, Subscriber, SubscriptionRequest, Suppression
from subscribers.schedule import Cadence, Schedule
from subscribers.signals import erasing
from subscribers.undoing import remember
from subscribers.wishes import Tastes, Wishes

Status = Subscriber.Status
BY_OPERATOR = "operator"  # in the place of the page, where one acted at the reader's wish
RARER = {Cadence.DAILY: Cadence.WEEKLY, Cadence.WEEKLY: Cadence.MONTHLY, Cadence.MONTHLY: Cadence.MONTHLY}
# The words of the buttons, which the consents keep as the person saw them.
SEND_IT = {Cadence.WEEKLY: _("Send it every week"), Cadence.MONTHLY: _("Send it every month")}
INSTEAD = {
    Cadence.WEEKLY: _("Send it every week instead"),
    Cadence.MONTHLY: _("Send it every month instead"),
}


def seen(words: str, page: str) -> str:
    """The words as a consent keeps them: none where the person was not there to see any."""
    return "" if page == BY_OPERATOR else words


def rarer(subscriber: Subscriber) -> Cadence | None:
    """The next rarer cadence, if there is one."""
    cadence = RARER[Cadence(subscriber.cadence)]
    return None if cadence == subscriber.cadence else cadence


def schedule_at(subscriber: Subscriber, cadence: Cadence) -> Schedule:
    return replace(subscriber.schedule, cadence=cadence)


@transaction.atomic
def leave(subscriber: Subscriber, at: datetime, page: str, network: str = "", goodbye: bool = True) -> bool:
    """Unsubscribe; False where there was nothing to leave. A goodbye goes only to who had confirmed.

    Without `goodbye` nothing at all is mailed: the person's own mail program said it for us already.
    """
    leavable = Subscriber.objects.filter(pk=subscriber.pk, status__in=Status.leavable())
    left = {"status": Status.UNSUBSCRIBED, "next_digest_at": None, "status_changed_at": at, "gave_reason": False}
    if not leavable.update(**left, version=F("version") + 1):
        return False
    withdraw(subscriber, "the reader left")
    Consent.objects.create(
        subscriber=subscriber,
        action=Consent.Action.WITHDRAWN,
        at=at,
        words=seen(gettext("Unsubscribe"), page),
        page=page,
        network=network,
    )
    if goodbye and subscriber.status in Status.subscribed():
        owe(subscriber, Letter.Kind.GOODBYE, at)
    return True


@transaction.atomic
def say_why(farewell: Farewell, reason: str, words: str, at: datetime) -> bool:
    """Keep a reason for a leave, once per leave and apart from whoever gave it; False where there is one already.

    What looks like an address in the words is taken out.
    """
    left = Subscriber.objects.filter(pk=farewell.subscriber.pk, status=Status.UNSUBSCRIBED, gave_reason=False)
    if not left.filter(status_changed_at=farewell.at).update(gave_reason=True):
        return False
    Parting.objects.create(reason=reason, words=LIKE_AN_ADDRESS.sub("(address)", words), day=at.date())
    return True


def still(farewell: Farewell) -> QuerySet[Subscriber]:
    """Whose leave or pause this was, if it is the last thing they did.

    That somebody has typed the address into the form since is not their doing, and takes nothing from them.
    """
    acts = [Consent.Action.CONFIRMED, Consent.Action.RETURNED, Consent.Action.WITHDRAWN]
    last = Consent.objects.filter(subscriber=OuterRef("pk"), action__in=acts).order_by("-at", "-pk")
    there = Subscriber.objects.filter(pk=farewell.subscriber.pk)
    there = there.annotate(last_act=Subquery(last.values("action")[:1]), last_at=Subquery(last.values("at")[:1]))
    as_left = Q(status__in=[Status.UNSUBSCRIBED, Status.PAUSED], status_changed_at=farewell.at)
    asked_since = Q(status=Status.PENDING, last_act=Consent.Action.WITHDRAWN, last_at=farewell.at)
    return there.filter(as_left | asked_since)


@transaction.atomic
def undo(farewell: Farewell, at: datetime, instead: str = "", network: str = "") -> bool:
    """Take back a leave or a pause; or `instead` of having left, come "less_often" or "pause".

    False where the person has moved on since: the link is good for the leave that made it, for no other.
    """
    subscriber = farewell.subscriber
    if subscriber.email is None or Suppression.objects.of(subscriber.email):
        return False
    confirmed = farewell.was in Status.subscribed()
    cadence = RARER[Cadence(subscriber.cadence)] if instead == "less_often" else Cadence(subscriber.cadence)
    status = Status.PAUSED if instead == "pause" and confirmed else farewell.was
    changes = {"status": status, "cadence": cadence, "status_changed_at": at, "version": F("version") + 1}
    if instead == "pause":
        changes["paused_until"] = None
    if status == Status.ACTIVE:
        changes["next_digest_at"] = schedule_at(subscriber, cadence).next_after(at)
    if not still(farewell).update(**changes, asked=None):
        return False
    Consent.objects.create(
        subscriber=subscriber,
        action=Consent.Action.RETURNED,
        at=at,
        words=returning_words(subscriber, instead),
        page="leave",
        network=network,
    )
    return True


def returning_words(subscriber: Subscriber, instead: str) -> str:
    """The words of the button by which somebody came back."""
    if instead == "pause":
        return gettext("Pause instead")
    if instead == "less_often":
        return str(INSTEAD[RARER[Cadence(subscriber.cadence)]])
    return gettext("Resume now") if subscriber.status == Status.PAUSED else gettext("Undo")


@transaction.atomic
def less_often(subscriber: Subscriber, at: datetime, network: str = "") -> bool:
    """One step rarer than `subscriber.cadence`; False where that is no longer so, or nothing is rarer."""
    cadence = RARER[Cadence(subscriber.cadence)]
    as_read = Subscriber.objects.filter(pk=subscriber.pk, status=subscriber.status, version=subscriber.version).filter(
        status__in=Status.subscribed()
    )
    changes: dict[str, object] = {"cadence": cadence, "version": F("version") + 1}
    if subscriber.status == Status.ACTIVE:
        changes["next_digest_at"] = schedule_at(subscriber, cadence).next_after(at)
    if cadence == subscriber.cadence or not as_read.update(**changes):
        return False
    remember(subscriber, at)
    words = str(SEND_IT[cadence])
    Consent.objects.create(
        subscriber=subscriber, action=Consent.Action.CHANGED, at=at, words=words, page="less often", network=network
    )
    return True


@transaction.atomic
def pause(
    subscriber: Subscriber, at: datetime, network: str = "", until: date | None = None, page: str = "pause"
) -> bool:
    """Send nothing until the first local day that may bring mail again; without one, until the person resumes.

    A pause may be given another end. False where it has that end already, or the person is not subscribed.
    """
    now = locked(subscriber)
    if now.status not in Status.subscribed() or (now.status, now.paused_until) == (Status.PAUSED, until):
        return False
    began = now.status_changed_at if now.status == Status.PAUSED else at
    words = gettext("Pause until %(day)s") % {"day": until} if until else gettext("Pause")
    changes = {"status": Status.PAUSED, "next_digest_at": None, "status_changed_at": began, "paused_until": until}
    _change(now, changes, Consent(words=seen(words, page), page=page, network=network, at=at))
    return True


@transaction.atomic
def resume(subscriber: Subscriber, at: datetime, network: str = "", page: str = "resume") -> bool:
    """End a pause; False where there was none."""
    now = locked(subscriber)
    if now.status != Status.PAUSED:
        return False
    due = now.schedule.next_after(at)
    changes = {"status": Status.ACTIVE, "next_digest_at": due, "status_changed_at": at, "paused_until": None}
    _change(now, changes, Consent(words=seen(gettext("Resume"), page), page=page, network=network, at=at))
    return True


def end_pauses(at: datetime) -> int:
    """Bring back whose pause was until a day that has begun where they are; returns how many.

    Their first digest is the first that falls on that day or later, also where this runs some hours late.
    """
    ended = 0
    for reader in Subscriber.objects.back_from_pause(at).iterator():
        today = reader.schedule.local_date(at)
        if reader.paused_until and reader.paused_until <= today:
            ended += _end_pause(reader, at, reader.schedule.first_on(today))
    return ended


def _end_pause(reader: Subscriber, at: datetime, due: datetime) -> int:
    # Where the reader has done anything since it was read, that stands.
    as_read = Subscriber.objects.filter(pk=reader.pk, status=Status.PAUSED, version=reader.version)
    changes = {"status": Status.ACTIVE, "status_changed_at": at, "next_digest_at": due, "paused_until": None}
    return as_read.update(**changes, version=F("version") + 1)


def locked(subscriber: Subscriber) -> Subscriber:
    """The row as it is now, and as it stays until this transaction ends."""
    return Subscriber.objects.select_for_update().get(pk=subscriber.pk)


def _change(subscriber: Subscriber, changes: Mapping[str, object], proof: Consent) -> None:
    remember(subscriber, proof.at)
    Subscriber.objects.filter(pk=subscriber.pk).update(**changes, version=F("version") + 1)
    proof.subscriber, proof.action = subscriber, Consent.Action.CHANGED
    proof.save()


@transaction.atomic
def erase(subscriber: Subscriber, at: datetime, page: str = "erase", by: str = "") -> bool:
    """Forget the person: what stays is a hash that keeps the address from ever being mailed, and `by` which operator.

    The consents stay as proof without their networks, the ledger as numbers.
    """
    if subscriber.email is None:
        return False
    forgotten: dict[str, object] = {"email": None, "next_digest_at": None, "paused_until": None, "asked": None}
    forgotten |= {"rising": True, **Wishes().columns()}
    # First, as delivery does it: what was sent to a reader is locked before the reader.
    erasing.send(sender=Subscriber, subscriber=subscriber)
    there = Subscriber.objects.filter(pk=subscriber.pk, email=subscriber.email)
    if not there.update(status=Status.ERASED, status_changed_at=at, **forgotten, version=F("version") + 1):
        transaction.set_rollback(True)
        return False
    Suppression.objects.add(subscriber.email, Suppression.Reason.ERASED, by=by)
    subscriber.topics.clear()
    Tastes().write(subscriber)
    subscriber.letters.all().delete()
    subscriber.formers.all().delete()
    Move.objects.filter(subscriber=subscriber).delete()
    SubscriptionRequest.objects.filter(email=subscriber.email).delete()
    words = seen(gettext("Erase everything"), page)
    Consent.objects.create(subscriber=subscriber, action=Consent.Action.WITHDRAWN, at=at, words=words, page=page)
    subscriber.consents.update(network="")
    # What a reader had asked for is a trait of theirs: it goes, the fact that they agreed stays.
    subscriber.consents.filter(action=Consent.Action.CHANGED).update(words="")
    return True
