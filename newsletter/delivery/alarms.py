"""Tells the operators, by mail, of what cannot wait until one of them looks at Today: once for as long as it goes on.

What goes on is read anew at each tick, so nothing that begins has to remember to say so, and nobody is told of what is
over, or of what a person began. Where nobody could be mailed, as through a closed relay, it is tried again.
"""

import logging
import time
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta

from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery.wire.outcomes import Kind
from newsletter.delivery.wire.provider import call_timeout, in_time
from newsletter.models import Alarm, Brake, Edition
from subscribers import emails, links
from subscribers.models import Attack

log = logging.getLogger(__name__)

RECENT = timedelta(days=31)  # an older edition has nothing to go
# What to do about it, and what the mail's link says.
ADVICE = {
    Alarm.Kind.ATTACK: (
        "Until it is over, every sign-up takes a proof of work, what comes without one is held, and confirmations go "
        "out a little later. It ends by itself when it has been calm for a while; you need not do anything.",
        "Look, or end it yourself",
    ),
    Alarm.Kind.BRAKE: (
        "Digests and letters wait, and nothing is lost until it is too late for them. Mend the cause, then release the "
        "brake. What failed before can be tried again on its edition's page.",
        "Look at the brake, or release it",
    ),
    Alarm.Kind.STOPPED: (
        "What has not gone waits, until it is too late for it. Look at who complained or whose address is gone: an old "
        "import? Then resume the edition, or cancel it.",
        "Look at the edition",
    ),
    Alarm.Kind.WAITS: (
        "Its readers are due, and their copies wait for somebody to look at it, until they are too late.",
        "Look at the edition, and approve it",
    ),
    Alarm.Kind.EMPTY: (
        "Its readers are due, and their copies wait for papers, until they are too late. Look at the sources: is one "
        "on, and does it bring papers of these days? What they bring goes out within a quarter of an hour.",
        "Look at the sources",
    ),
}

LISTS = {
    Alarm.Kind.ATTACK: "subscribers_attack",
    Alarm.Kind.BRAKE: "newsletter_brake",
    Alarm.Kind.EMPTY: "papers_source",
}


def keep_up(at: datetime) -> bool:
    """Bring the alarms in step with what goes on; returns whether there is one to tell."""
    if not settings.OPERATORS or Brake.objects.engaged().filter(cause=Brake.Cause.RESTORED).exists():
        return False  # a copy mails nobody
    known = {(one.kind, one.row): one for one in Alarm.objects.on()}
    told = {key for key, one in known.items() if one.told_at}
    going = {(one.kind, one.row): one for one in _going_on(at, told)}
    over = [known[one].pk for one in known.keys() - going.keys()]
    if over:
        Alarm.objects.on().filter(pk__in=over).update(ended_at=at)
    if new := [going[one] for one in going.keys() - known.keys()]:
        Alarm.objects.bulk_create(new, ignore_conflicts=True)
    return Alarm.objects.due(at).exists()


def tell(at: datetime) -> int:
    """Mail the operators what is due; returns how many alarms somebody was told of."""
    told, lease = 0, timedelta(seconds=len(settings.OPERATORS) * call_timeout())
    started = time.monotonic()

    def now() -> datetime:  # a relay may take ten minutes for each answer
        return at + timedelta(seconds=time.monotonic() - started)

    for alarm in Alarm.objects.due(at):
        if not alarm.take(now(), lease):
            continue
        with in_time() as submit:
            kinds = {submit(_mail(alarm, operator)).kind for operator in settings.OPERATORS}
        if Kind.ACCEPTED in kinds:
            alarm.told(now())
            told += 1
            continue
        log.error("the operators could not be told: %s", alarm)
        if Kind.DOUBT in kinds:
            alarm.doubted(now())
    return told


def _going_on(at: datetime, told: Collection[tuple[str, int]]) -> Iterator[Alarm]:
    def alarm(kind: Alarm.Kind, row: int, reason: str, since: datetime) -> Alarm:
        return Alarm(kind=kind, row=row, reason=reason, began_at=since, next_at=at)

    for attack in Attack.objects.on().filter(by_hand=False):
        yield alarm(Alarm.Kind.ATTACK, attack.pk, attack.reason, attack.began_at)
    for brake in Brake.objects.engaged().filter(by_hand=False):
        yield alarm(Alarm.Kind.BRAKE, brake.pk, brake.reason, brake.pulled_at)
    for edition in Edition.objects.filter(date__gte=(at - RECENT).date()).exclude(reason=""):
        if edition.status == Edition.Status.PAUSED:
            yield alarm(Alarm.Kind.STOPPED, edition.pk, f"{edition}: {edition.reason}", at)
        elif edition.status == Edition.Status.HELD and (
            edition.is_going_out or (Alarm.Kind.WAITS, edition.pk) in told  # between two hours of its readers, too
        ):
            yield alarm(Alarm.Kind.WAITS, edition.pk, f"{edition}: {edition.reason}", at)
    for edition in Edition.objects.public(at).filter(date__gte=(at - RECENT).date()).undrawn():
        is_of_late = edition.date >= (at - edition.welcome_for).date()
        if edition.is_going_out or (is_of_late and (Alarm.Kind.EMPTY, edition.pk) in told):
            yield alarm(Alarm.Kind.EMPTY, edition.pk, str(edition), at)


def _mail(alarm: Alarm, operator: str) -> EmailMultiAlternatives:
    kind = Alarm.Kind(alarm.kind)
    advice, link_words = ADVICE[kind]
    if kind in {Alarm.Kind.STOPPED, Alarm.Kind.WAITS}:
        link = links.absolute("desk_edition", str(alarm.row))
    else:
        link = links.absolute(f"admin:{LISTS[kind]}_changelist")
    words = {"headline": kind.label, "reason": alarm.reason, "since": alarm.began_at}
    return emails.alarm(operator, words | {"advice": advice, "link": link, "link_words": link_words})
