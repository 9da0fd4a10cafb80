"""From a stranger's address to a confirmed subscription, and how unconfirmed ones are forgotten."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Exists, OuterRef, Q
from django.utils.translation import gettext_lazy as _

from subscribers.abuse import attack
from subscribers.letters import owe
from subscribers.models import Consent, Letter, Subscriber, Suppression, Unanswered
from subscribers.signals import shown
from subscribers.wishes import Wishes

Status = Subscriber.Status

# As the person sees them, and so as a Consent keeps them: in the language of the page.
CONSENT_WORDS = _(
    "We mail you to confirm, then the papers you asked for. Every digest has a link to leave with one click."
)
CONFIRM_WORDS = _("Yes, send me the digest")
FORGET_CHUNK = 500


@transaction.atomic
def ask(email: str, wishes: Wishes, at: datetime, network: str = "", page: str = "") -> Letter | None:
    """Somebody typed this address (as clean_address gives it) into the form.

    Owes a confirmation to an address that is new, waiting or gone; a link to its preferences to one that
    is subscribed; nothing to one that must not be mailed. Whoever typed it must not be able to tell these apart:
    subscribers/requests.py. Returns the letter, if one is owed by this.
    """
    if Suppression.objects.of(email):
        return None
    start = wishes.columns() | {"created_at": at, "status_changed_at": at}
    subscriber, _ = Subscriber.objects.get_or_create(email=email, defaults=start)
    if subscriber.status in Status.subscribed():
        return owe(subscriber, Letter.Kind.PREFERENCES, at)
    if subscriber.status in Status.askable():
        return _ask_to_confirm(subscriber, wishes, at, Consent(page=page, network=network))
    return None


def _ask_to_confirm(subscriber: Subscriber, wishes: Wishes, at: datetime, proof: Consent) -> Letter | None:
    # Without a letter nobody could confirm: then a gone address stays gone, and a waiting one only
    # takes the newer wishes and gets no older.
    letter = owe(subscriber, Letter.Kind.CONFIRMATION, at)
    # Who has left keeps what they had until they confirm: whoever typed the address may be somebody else.
    has_left = subscriber.status == Status.UNSUBSCRIBED or subscriber.asked is not None
    changes: dict[str, object] = {"asked": wishes.as_json()} if has_left else dict(wishes.columns())
    changes |= {"status": Status.PENDING, "status_changed_at": at} if letter else {}
    open_to_change = Status.askable() if letter else [Status.PENDING]
    if not Subscriber.objects.filter(pk=subscriber.pk, status__in=open_to_change).update(**changes):
        return None
    if not has_left:
        _follow(subscriber, wishes, at)
    if letter:
        proof.subscriber, proof.at = subscriber, at
        proof.action, proof.words = Consent.Action.ASKED, str(CONSENT_WORDS)
        proof.save()
    return letter


def _follow(subscriber: Subscriber, wishes: Wishes, at: datetime) -> None:
    """Take over what has rows of its own."""
    subscriber.topics.set(wishes.topics)
    if wishes.papers:
        shown.send(sender=Subscriber, subscriber=subscriber, papers=wishes.papers, at=at)


@transaction.atomic
def confirm(subscriber: Subscriber, at: datetime, network: str = "") -> bool:
    """Make a waiting subscription active; False where it was not waiting, or must not be mailed."""
    if subscriber.email is None or Suppression.objects.of(subscriber.email):
        return False
    waiting = Subscriber.objects.select_for_update().filter(pk=subscriber.pk, status=Status.PENDING)
    asked = waiting.values_list("asked", flat=True).first()
    wishes = Wishes.from_json(asked) if asked else None
    won = waiting.update(
        **(wishes.columns() if wishes else {}),
        asked=None,
        status=Status.ACTIVE,
        confirmed_at=at,
        status_changed_at=at,
        next_digest_at=at + settings.FIRST_DIGEST_AFTER,
        was_reminded=False,
    )
    if won and wishes:
        _follow(subscriber, wishes, at)
    if won:
        Unanswered.objects.of(subscriber.email).delete()
        Consent.objects.create(
            subscriber=subscriber,
            action=Consent.Action.CONFIRMED,
            words=str(CONFIRM_WORDS),
            page="confirm",
            network=network,
            at=at,
        )
        owe(subscriber, Letter.Kind.WELCOME, at)
        attack.note_confirmed(at)
    return bool(won)


@transaction.atomic
def resend_confirmation(subscriber: Subscriber, at: datetime) -> Letter | None:
    """Another link for somebody who has not confirmed, within the same limits; None where they forbid it.

    Like the first it works for as long as it says: the wait begins anew, and this was the reminder.
    """
    waiting = Subscriber.objects.filter(pk=subscriber.pk, status=Status.PENDING)
    letter = owe(subscriber, Letter.Kind.CONFIRMATION, at) if waiting.exists() else None
    if letter:
        waiting.update(status_changed_at=at, was_reminded=True)
    return letter


def forget_unconfirmed(at: datetime) -> int:
    """Delete who asked and never confirmed; who once had confirmed, or left, goes back to unsubscribed.

    A leave is remembered, or an old list could be imported over it. Of whom is deleted stays a keyed hash with the
    number of letters that came. Returns how many were deleted.
    """
    waiting = Subscriber.objects.unconfirmed_since(at - settings.KEEP_UNCONFIRMED)
    left = Consent.objects.filter(subscriber=OuterRef("pk"), action=Consent.Action.WITHDRAWN)
    back = waiting.filter(Q(confirmed_at__isnull=False) | Exists(left))
    back.update(status=Status.UNSUBSCRIBED, status_changed_at=at, asked=None)
    deleted = 0
    while chunk := _forget_chunk(at):
        deleted += chunk
    return deleted


@transaction.atomic
def _forget_chunk(at: datetime) -> int:
    # Locked first, because delete() reads before it deletes: somebody may confirm in between.
    waiting = Subscriber.objects.unconfirmed_since(at - settings.KEEP_UNCONFIRMED).filter(confirmed_at=None)
    rows = {subscriber.pk: subscriber.email or "" for subscriber in waiting.select_for_update()[:FORGET_CHUNK]}
    asked = Letter.objects.filter(subscriber__in=rows, kind__in=Letter.Kind.asking()).order_by("subscriber")
    letters = asked.values_list("subscriber").annotate(Count("pk"))
    Unanswered.objects.add({rows[pk]: count for pk, count in letters}, at)
    Subscriber.objects.filter(pk__in=rows).delete()
    return len(rows)
