"""What the ledger and the feedback know of one person: to be handed out, and to be forgotten."""

from typing import Any

from django.db.models import QuerySet

from newsletter.delivery import ledger
from newsletter.models import Digest, DigestPaper, Event, Feedback, Profile, SoftBounces
from subscribers.addresses import address_hash
from subscribers.models import Subscriber


def export(subscriber: Subscriber) -> dict[str, Any]:
    """Every digest with its papers, what the provider told of it, and every word on a paper."""
    digests = Digest.objects.filter(subscriber=subscriber).select_related("edition").order_by("planned_at")
    feedback = Feedback.objects.filter(subscriber=subscriber).select_related("paper")
    return {
        "provider_told_of_letters": told_of(Event.objects.filter(letter_uid__in=subscriber.letters.values("uid"))),
        "digests": [digest_of(digest) for digest in digests.prefetch_related("papers__paper")],
        "feedback": [{"at": word.at, "word": word.kind, "paper": word.paper.title} for word in feedback],
        "learned_taste": list(
            Profile.objects.filter(subscriber=subscriber).values("learned_at", "terms", "authors", "likes")
        ),
    }


def digest_of(digest: Digest) -> dict[str, Any]:
    stored = ["status", "reason", "subject", "provider_id", "planned_at", "submitted_at", "settled_at"]
    return {
        "id": digest.uid,
        "edition": str(digest.edition),
        **{name: getattr(digest, name) for name in stored},
        "papers": [{"title": row.paper.title, "reason": row.reason} for row in digest.papers.all()],
        "provider_told": told_of(Event.objects.filter(digest_uid=digest.uid)),
    }


def told_of(events: QuerySet[Event]) -> list[dict[str, Any]]:
    return [{**row} for row in events.order_by("happened_at").values("happened_at", "provider", "type", "detail")]


def erase(subscriber: Subscriber) -> None:
    """Leave rows that only count: what was sent and said goes, and what others could know the person by."""
    digests = Digest.objects.filter(subscriber=subscriber)
    # Events first, as whoever applies them does: else each might wait for the other.
    Event.objects.filter(digest_uid__in=digests.values("uid")).update(detail="", recipient_hash="")
    Event.objects.filter(letter_uid__in=subscriber.letters.values("uid")).update(detail="", recipient_hash="")
    ledger.take_back(digests)  # before their papers go: from here on no worker adds any
    Feedback.objects.filter(subscriber=subscriber).delete()
    Profile.objects.filter(subscriber=subscriber).delete()
    DigestPaper.objects.filter(subscriber=subscriber).delete()
    if subscriber.email:
        SoftBounces.objects.filter(address_hash=address_hash(subscriber.email)).delete()
    digests.exclude(reason="").update(reason="the reader was erased")
    digests.update(subject="", provider_id="")
