"""How a bounce is to be taken: hard or soft, the address's fault or its whole domain's."""

from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from itertools import pairwise

from django.conf import settings
from django.db.models import F, QuerySet

from newsletter.delivery.feedback.addressees import Addressee
from newsletter.delivery.wire import keys
from newsletter.models import Digest, DomainHealth, SoftBounces
from subscribers.models import HeldDomain, Subscriber, Suppression

# Where a provider says whether a bounce is hard, and what it says when it is. anymail's own words do not tell.
HARD: dict[str, tuple[tuple[str, ...], set[object]]] = {
    "Amazon SES": (("bounce", "bounceType"), {"Permanent"}),
    "Brevo": (("event",), {"hard_bounce", "invalid_email"}),
    "MailerSend": (("data", "type"), {"hard_bounced"}),
    "Mailgun": (("event-data", "severity"), {"permanent"}),
    "Mailjet": (("hard_bounce",), {True}),
    "Mandrill": (("event",), {"hard_bounce"}),
    "Postal": (("payload", "status"), {"HardFail"}),
    "Postmark": (("Type",), {"HardBounce", "BadEmailAddress"}),
    "Resend": (("data", "bounce", "type"), {"Permanent"}),
    "SendGrid": (("type",), {"bounce"}),
    "SparkPost": (("msys", "message_event", "bounce_class"), {"10", "30"}),
    "Unisender Go": (("status",), {"hard_bounced"}),
}


TOLD_WITHIN = timedelta(days=62)  # a monthly edition, and the one before
DEAD_AFTER = timedelta(weeks=10)  # a monthly edition in each half
# Accepted by the provider, when it was submitted, and not come back since. What is told of it later may be told late.
TAKEN = [Digest.Status.ACCEPTED, Digest.Status.DELIVERED, Digest.Status.COMPLAINED]
MOMENTS = timedelta(minutes=10)  # in which readers of a domain are refused or accepted together


def is_hard(provider: str, raw: object) -> bool:
    """Whether a bounce is hard: the address takes no mail at all. It counts as hard where the provider does not say."""
    path, words = HARD.get(provider, ((), set()))
    for name in path:
        raw = raw.get(name) if isinstance(raw, Mapping) else None
    # One by one, because what a stranger puts there may not be hashable.
    return raw is None or isinstance(raw, Mapping) or any(raw == word for word in words)


def count_soft(address_hash: str, at: datetime) -> bool:
    """Count a soft bounce; returns whether the recent ones amount to a hard one.

    The score halves every SOFT_BOUNCE_HALF_LIFE, and a delivery clears it.
    """
    row = _faded(address_hash, at)
    row.score += 1
    row.save()
    return row.score > settings.SOFT_BOUNCES - 1  # it has halved a little since the first


def count_refused(address_hash: str, at: datetime, accepted_at: datetime | None) -> bool:
    """Count that a server said at once that there is no such mailbox; returns whether it has said so often enough.

    As it is asked with each mail, nothing fades: of a monthly reader it would faster than it grows. What was refused
    before `accepted_at`, when the server last took a mail, counts no more.
    """
    row = _faded(address_hash, at)
    is_first = row.refused_at is None or (accepted_at is not None and row.refused_at < accepted_at)
    row.refusals, row.refused_at = (0 if is_first else row.refusals) + 1, at
    row.save()
    return row.refusals > settings.SOFT_BOUNCES - 1


def _faded(address_hash: str, at: datetime) -> SoftBounces:
    """What is counted of an address, as it stands now, and held until it is saved."""
    new = {"score": 0, "at": at}
    row, _ = SoftBounces.objects.select_for_update().get_or_create(address_hash=address_hash, defaults=new)
    row.score *= 0.5 ** max(0.0, (at - row.at) / settings.SOFT_BOUNCE_HALF_LIFE)
    row.at = at
    return row


def clear(where: Collection[Addressee], at: datetime) -> None:
    """Mail arrives there: what was counted against the addresses is forgotten, and their domains are not dead."""
    SoftBounces.objects.filter(address_hash__among={one.address_hash for one in where}).delete()
    domains = {one.domain_now for one in where} - {""} | {all_of_them()}
    alive = DomainHealth.objects.filter(domain__among=domains, since__gte=at - settings.DOMAIN_HOLD, delivered__gt=0)
    for domain in sorted(domains - set(alive.values_list("domain", flat=True))):
        DomainHealth.objects.filter(pk=_health(domain, at).pk).update(delivered=1)


def count_hard(domain: str, at: datetime) -> bool:
    """Count a hard bounce against the domain; returns whether the whole domain bounces, and is held.

    A domain that takes nothing for a day and refused several readers has a fault of its own, and will mend it: nobody
    is dropped for it, and readers dropped earlier are restored. Whether it takes anything is known from deliveries,
    where the provider tells of them.
    """
    if not domain:
        return False
    if HeldDomain.objects.filter(domain=domain).exists():
        return True
    row = _health(domain, at)
    DomainHealth.objects.filter(pk=row.pk).update(bounced=F("bounced") + 1)
    row.refresh_from_db()
    if row.delivered or row.bounced < settings.DOMAIN_BOUNCES or not _tells_of_deliveries(at):
        return False
    reason = f"{row.bounced} readers' mail came back, and nobody's arrived"
    HeldDomain.objects.get_or_create(domain=domain, defaults={"reason": reason, "until": at + settings.DOMAIN_HOLD})
    _bring_back(domain, row.since, at)
    return True


def takes_nobody(domain: str, since: datetime, at: datetime) -> bool:
    """Whether the provider has refused several readers' digests to this domain since then, and accepted nobody's; or it
    is held. What was accepted in the very moments of the first refusal does not count, as it may have come before it;
    nor what is accepted in these, in which a domain that was down may have come back.

    Reads the digests that its readers have had since, along `digest_of_reader`.
    """
    if HeldDomain.objects.filter(domain=domain).exists():
        return True
    theirs = _digests_of(domain, since)
    if theirs.filter(status__in=TAKEN, submitted_at__range=(since + MOMENTS, at - MOMENTS)).exists():
        return False
    refused = theirs.filter(status=Digest.Status.FAILED, settled_at__gte=since).values("subscriber").distinct()
    return len(refused[: settings.DOMAIN_BOUNCES]) == settings.DOMAIN_BOUNCES


def is_dead(domain: str, at: datetime) -> bool:
    """Whether the provider has accepted nobody's digest to this domain for so long that it will not mend its fault any
    more, and refused some throughout: that nobody was mailed there says nothing of it.
    """
    theirs = _digests_of(domain, at - DEAD_AFTER)
    if theirs.filter(status__in=TAKEN, submitted_at__gte=at - DEAD_AFTER).exists():
        return False
    refused = theirs.filter(status=Digest.Status.FAILED)
    ends = at - DEAD_AFTER, at - DEAD_AFTER / 2, at - DEAD_AFTER / 10
    return all(refused.filter(settled_at__gte=start, settled_at__lt=end).exists() for start, end in pairwise(ends))


def _digests_of(domain: str, since: datetime) -> QuerySet[Digest]:
    """Of this domain's readers, those that can have been submitted since then."""
    longest = 10 * settings.DIGEST_EXPIRES_AFTER + MOMENTS  # from planned to settled, of a monthly edition
    readers = Subscriber.objects.of_domain(domain).values("pk")
    return Digest.objects.filter(subscriber__in=readers, planned_at__gte=since - longest).order_by()


def end_holds(at: datetime) -> int:
    """Let domains whose time has come be mailed again; returns how many."""
    return free(HeldDomain.objects.filter(until__lte=at))


def free(held: QuerySet[HeldDomain]) -> int:
    """End these holds; returns how many. What bounced before counts no more: the next bounce would hold them again."""
    DomainHealth.objects.filter(domain__in=held.values("domain")).delete()
    return held.delete()[0]


def all_of_them() -> str:
    """The name of the row of all domains together, which tells whether the provider tells us of deliveries."""
    return keys.account()[:16]


def _tells_of_deliveries(at: datetime) -> bool:
    told = DomainHealth.objects.filter(domain=all_of_them(), delivered__gt=0)
    return told.filter(since__gte=at - TOLD_WITHIN).exists()


def _health(domain: str, at: datetime) -> DomainHealth:
    row, _ = DomainHealth.objects.get_or_create(domain=domain, defaults={"since": at})
    if row.since < at - settings.DOMAIN_HOLD:
        DomainHealth.objects.filter(pk=row.pk, since=row.since).update(since=at, bounced=0, delivered=0)
        row.refresh_from_db()
    return row


def _bring_back(domain: str, since: datetime, at: datetime) -> None:
    """Restore the readers of this domain who were dropped since then, for whatever bounced."""
    readers = Subscriber.objects.of_domain(domain)
    dropped = readers.filter(status=Subscriber.Status.BOUNCED, status_changed_at__gte=since)
    bounced = Suppression.objects.filter(reason=Suppression.Reason.BOUNCED)
    for reader in dropped.iterator():
        bounced.lift(reader.email or "", f"all of {domain} bounced", "the service")
        active = {"status": Subscriber.Status.ACTIVE, "status_changed_at": at}
        Subscriber.objects.filter(pk=reader.pk, status=Subscriber.Status.BOUNCED).update(
            **active, next_digest_at=reader.schedule.next_after(at)
        )
