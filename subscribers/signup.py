"""From a stranger's address to a confirmed subscription, and how unconfirmed ones are forgotten."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy as _

from subscribers.letters import owe
from subscribers.models import Consent, Letter, Subscriber, Suppression
from subscribers.wishes import Wishes

Status = Subscriber.Status

# As the person sees them, and so as a Consent keeps them: in the language of the page.
CONSENT_WORDS = _(
    "We mail you once to confirm, then the papers you asked for. Every mail has a link to leave with one click."
)
CONFIRM_WORDS = _("Yes, send me the digest")
FORGET_CHUNK = 500


@transaction.atomic
def ask(email: str, wishes: Wishes, at: datetime, network: str = "", page: str = "") -> None:
    """Somebody typed this address (as clean_address gives it) into the form.

    Owes a confirmation to an address that is new, waiting or gone; a link to its preferences to one that
    is subscribed; nothing to one that must not be mailed. The caller cannot tell these apart.
    """
    if Suppression.objects.of(email):
        return
    start = wishes.columns() | {"created_at": at, "status_changed_at": at}
    subscriber, _ = Subscriber.objects.get_or_create(email=email, defaults=start)
    if subscriber.status in Status.subscribed():
        owe(subscriber, Letter.Kind.PREFERENCES, at)
    elif subscriber.status in Status.askable():
        _ask_to_confirm(subscriber, wishes, at, Consent(page=page, network=network))


def _ask_to_confirm(subscriber: Subscriber, wishes: Wishes, at: datetime, proof: Consent) -> None:
    # Without a letter nobody could confirm: then a gone address stays gone, and a waiting one only
    # takes the newer wishes and gets no older.
    letter = owe(subscriber, Letter.Kind.CONFIRMATION, at)
    open_to_change = Status.askable() if letter else [Status.PENDING]
    changes = wishes.columns() | ({"status": Status.PENDING, "status_changed_at": at} if letter else {})
    if not Subscriber.objects.filter(pk=subscriber.pk, status__in=open_to_change).update(**changes):
        return
    subscriber.topics.set(wishes.topics)
    if letter:
        proof.subscriber, proof.at = subscriber, at
        proof.action, proof.words = Consent.Action.ASKED, str(CONSENT_WORDS)
        proof.save()


@transaction.atomic
def confirm(subscriber: Subscriber, at: datetime, network: str = "") -> bool:
    """Make a waiting subscription active; False where it was not waiting, or must not be mailed."""
    if subscriber.email is None or Suppression.objects.of(subscriber.email):
        return False
    won = Subscriber.objects.filter(pk=subscriber.pk, status=Status.PENDING).update(
        status=Status.ACTIVE,
        confirmed_at=at,
        status_changed_at=at,
        next_digest_at=at + settings.FIRST_DIGEST_AFTER,
    )
    if won:
        Consent.objects.create(
            subscriber=subscriber,
            action=Consent.Action.CONFIRMED,
            words=str(CONFIRM_WORDS),
            page="confirm",
            network=network,
            at=at,
        )
        owe(subscriber, Letter.Kind.WELCOME, at)
    return bool(won)


def resend_confirmation(subscriber: Subscriber, at: datetime) -> None:
    """Another link for somebody whose link ran out, within the same limits."""
    if subscriber.status == Status.PENDING:
        owe(subscriber, Letter.Kind.CONFIRMATION, at)


def forget_unconfirmed(at: datetime) -> int:
    """Delete who asked and never confirmed; who once had confirmed goes back to unsubscribed.

    Returns how many were deleted.
    """
    waiting = Subscriber.objects.unconfirmed_since(at - settings.KEEP_UNCONFIRMED)
    waiting.exclude(confirmed_at=None).update(status=Status.UNSUBSCRIBED, status_changed_at=at)
    deleted = 0
    while chunk := _forget_chunk(at):
        deleted += chunk
    return deleted


@transaction.atomic
def _forget_chunk(at: datetime) -> int:
    # Locked first, because delete() reads before it deletes: somebody may confirm in between.
    waiting = Subscriber.objects.unconfirmed_since(at - settings.KEEP_UNCONFIRMED).filter(confirmed_at=None)
    rows = [subscriber.pk for subscriber in waiting.select_for_update()[:FORGET_CHUNK]]
    Subscriber.objects.filter(pk__in=rows).delete()
    return len(rows)
