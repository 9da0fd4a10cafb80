"""Owing a letter: the row that a transactional mail starts as."""

from datetime import datetime, timedelta
from functools import partial

from django.db import transaction

from subscribers.models import Letter, Subscriber, Unanswered
from subscribers.signals import letter_owed

DAY = timedelta(days=1)
# Letters that a stranger can ask for in somebody's name: at most so many in 24 hours …
A_DAY = {
    Letter.Kind.CONFIRMATION: 1,
    Letter.Kind.REMINDER: 1,
    Letter.Kind.PREFERENCES: 3,
    Letter.Kind.MOVE_FROM: 1,
    Letter.Kind.MOVE_TO: 1,
}
# … and so many that ask to confirm, the reminder among them, until one of them is answered.
ASKED_EVER = 3


@transaction.atomic
def owe(subscriber: Subscriber, kind: Letter.Kind, at: datetime) -> Letter | None:
    """Owe one letter. None where such a letter is on its way already, or the limit is reached.

    A link that is asked for again, while it waits because nobody knows whether it arrived, goes again at once; a
    second time it waits as long as it must, whoever asks.
    """
    # Two requests at once would both count before either has written.
    Subscriber.objects.select_for_update().get(pk=subscriber.pk)
    if is_limited(subscriber, kind, at):
        return None
    letter, new = Letter.objects.open().get_or_create(
        subscriber=subscriber, kind=kind, defaults={"not_before": at, "requested_at": at}
    )
    if not new:
        if kind == Letter.Kind.PREFERENCES:
            Letter.objects.filter(pk=letter.pk, status=Letter.Status.OWED, doubts=1, attempts=1).update(not_before=at)
        return None
    transaction.on_commit(partial(letter_owed.send_robust, sender=Letter, letter_id=letter.pk))
    return letter


def is_limited(subscriber: Subscriber, kind: Letter.Kind, at: datetime) -> bool:
    """Whether another letter of this kind would be one too many."""
    is_asking = kind in Letter.Kind.asking()
    kinds = Letter.Kind.asking() if is_asking else [kind]
    earlier = Letter.objects.filter(subscriber=subscriber, kind__in=kinds)
    if earlier.filter(requested_at__gt=at - DAY).count() >= A_DAY.get(kind, 100):
        return True
    if not is_asking:
        return False
    if subscriber.confirmed_at:
        earlier = earlier.filter(requested_at__gt=subscriber.confirmed_at)
    return earlier.count() + Unanswered.objects.letters_to(subscriber.email or "", at) >= ASKED_EVER


def withdraw(subscriber: Subscriber, reason: str) -> None:
    """Close every letter still owed to somebody.

    One in a sender's hands may be on the wire, so it is the sender's to settle; the gate meets it before that, and
    before it is sent again.
    """
    owed = Letter.objects.filter(subscriber=subscriber, status=Letter.Status.OWED)
    owed.update(status=Letter.Status.FAILED, reason=reason)
