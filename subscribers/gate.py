"""The one gate: whether somebody may be mailed, and in words why not.

It reads the rows afresh, because what it is asked about may have been read long before.
"""

from collections.abc import Collection, Iterable, Mapping

from subscribers.addresses import domain_of
from subscribers.models import HeldDomain, Letter, Move, Subscriber, Suppression
from subscribers.moves import why_not_there

Status = Subscriber.Status
# Who may get which letter. A digest needs mailable().
MAY_GET: dict[Letter.Kind, list[str]] = {
    Letter.Kind.CONFIRMATION: [Status.PENDING],
    Letter.Kind.REMINDER: [Status.PENDING],
    Letter.Kind.WELCOME: Status.subscribed(),
    Letter.Kind.PREFERENCES: Status.subscribed(),
    Letter.Kind.GOODBYE: [Status.UNSUBSCRIBED],
    Letter.Kind.MOVE_FROM: Status.subscribed(),
    Letter.Kind.MOVE_TO: Status.subscribed(),
}

MOVING = {Letter.Kind.MOVE_FROM, Letter.Kind.MOVE_TO}


def why_not_mail(subscriber: Subscriber) -> str | None:
    """Why this person must not get a digest; None where they may."""
    return refusals([subscriber]).get(subscriber.pk)


def why_not(letter: Letter) -> str | None:
    """Why this letter must not be sent; None where it may."""
    kind = Letter.Kind(letter.kind)
    asked = [letter.subscriber_id]
    reason = _refusals(asked, Subscriber.objects.in_bulk(asked), MAY_GET[kind]).get(letter.subscriber_id)
    if reason or kind not in MOVING:
        return reason
    move = Move.objects.filter(subscriber=letter.subscriber_id).first()
    if move is None:
        return "the wish for another address is gone"
    return why_not_there(letter.subscriber, move.email) if kind == Letter.Kind.MOVE_TO else None


def refusals(subscribers: Iterable[Subscriber]) -> dict[int, str]:
    """Who of them must not get a digest, by primary key, with the reason. Three queries, however many they are."""
    return at_the_gate([subscriber.pk for subscriber in subscribers])[1]


def at_the_gate(asked: Collection[int]) -> tuple[dict[int, Subscriber], dict[int, str]]:
    """The readers with these primary keys as they are now, and who of them must not get a digest, with the reason.

    Without the times that no mail tells: to read one takes as long as the rest of a row's columns.
    """
    rows = Subscriber.objects.filter(pk__among=asked).defer("next_digest_at", "status_changed_at")
    now = {reader.pk: reader for reader in rows}
    domains = {pk: domain_of(reader.email or "") for pk, reader in now.items()}
    held = set(HeldDomain.objects.filter(domain__in=set(domains.values())).values_list("domain", flat=True))
    unheard = {pk: f"nothing reaches {domain} at present" for pk, domain in domains.items() if domain in held}
    return now, unheard | _refusals(asked, now, [Status.ACTIVE])


def _refusals(asked: Iterable[int], now: Mapping[int, Subscriber], allowed: Iterable[str]) -> dict[int, str]:
    suppressed = Suppression.objects.of(*(row.email for row in now.values() if row.email))
    reasons = {pk: _reason(now.get(pk), suppressed, allowed) for pk in asked}
    return {pk: reason for pk, reason in reasons.items() if reason}


def _reason(subscriber: Subscriber | None, suppressed: dict[str, str], allowed: Iterable[str]) -> str | None:
    if subscriber is None or subscriber.email is None:
        return "the reader was erased"
    if subscriber.email in suppressed:
        return f"suppressed: {suppressed[subscriber.email]}"
    if subscriber.status not in allowed:
        return f"the reader is {subscriber.get_status_display().lower()}"
    return None
