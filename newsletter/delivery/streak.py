"""Whether it is us whom the provider refuses, and not one address after the other.

A relay that is closed to us refuses each message as it does one whose reader does not exist. Only a streak tells: many
refusals, at several domains, with no digest accepted since the first. A run at a slow pace has few of them, so it goes
on over the runs of all workers, in the database (`Refusal`).

    streak = Streak()               # of one run
    streak.hear(outcome, domain)    # after each answer
    streak.tell(at)                 # at its end

- An accepted digest ends it. Whoever has one accepted says so, and whoever has one refused, once a second at most.
- One worker may be refused all that it has while others wait for their answers. So a streak stops all mail only where
  it is long without the refusals of late: any answer that was on its way then has come by now.
- Refusals that blame the address, and those of readers who never got a mail where others did (a bad import), are weak:
  it takes ten times as many.
- One domain alone, while mail to others was accepted a while ago, may have shut us out by itself.
- Letters do not count, neither way: strangers can have them sent to any address, and a relay may take them alone.
"""

import hashlib
import time
from collections import Counter
from collections.abc import Mapping
from datetime import datetime, timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, QuerySet
from django.utils import timezone

from newsletter.delivery.wire import keys
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.provider import call_timeout
from newsletter.models import Acceptance, Brake, Refusal

REFUSALS, DOMAINS = 20, 3  # so many strong ones, of so many domains: it is not the readers' addresses
OF_FEW = 100  # strong ones, where all are of fewer domains, as on a university's own list
WEAK = 200  # of any kind
FEW = 3  # of any kind: each may be the address's fault
KEEP = timedelta(days=1)  # an older refusal is none of the streak, and an older acceptance tells nothing
ELSEWHERE = timedelta(hours=2)  # so long ago the provider accepted others' mail, where one domain has shut us out
CLOSED = "the provider refuses whatever we send (try what has failed again, after the release)"
SAYING = 1.0  # seconds between two times that a run says what it hears

Counts = Mapping[tuple[str, bool], int]  # of refusals, by their domain and whether they are weak


class Streak:
    """What one run hears."""

    def __init__(self) -> None:
        self.works = False  # the provider has accepted a message
        self._counts = Counter[tuple[str, bool]]()  # since the last that it accepted
        self._untold: list[Refusal] = []
        self._told_at = 0.0
        self._takers: dict[str, None] = {}  # domains whose mail was accepted, and that was not said yet: two at most
        self._said_at = 0.0
        self._has_stopped = False

    @property
    def is_long(self) -> bool:
        """Whether to ask no further."""
        return self._has_stopped or is_long(self._counts)

    def hear(self, outcome: Outcome, domain: str, *, is_newcomer: bool = False) -> None:
        if outcome.kind is Kind.ACCEPTED:
            self.works = True
            if len(self._takers) < 2:
                self._takers[domain] = None
            self._counts.clear()
            self._untold.clear()
            if time.monotonic() - self._said_at > SAYING:
                self._say()
        elif outcome.kind is Kind.REFUSED:
            is_first = not (self.works or self._counts)
            is_weak = is_newcomer or outcome.no_mailbox
            self._counts[domain, is_weak] += 1
            news = Refusal(account=account(), domain=domain, is_weak=is_weak, reason=outcome.reason, at=timezone.now())
            self._untold.append(news)
            # Others may have mail accepted meanwhile, and it may be the last that was missing.
            if is_first or len(self._untold) >= REFUSALS or time.monotonic() - self._told_at > SAYING:
                self.tell(timezone.now())

    def tell(self, at: datetime) -> None:
        """Let it count for all, and stop all mail where the streak is long."""
        if self._takers:
            self._say()
        if not self._untold:
            return
        if not Brake.objects.engaged().exists():  # else the streak has ended
            Refusal.objects.filter(at__lt=at - KEEP).delete()
            Refusal.objects.bulk_create(self._untold)
            # With the refusals of late it is long already: no more than one digest a run, until all mail stops.
            self._has_stopped = judge(at) or is_closed(at, at)
        self._untold, self._told_at = [], time.monotonic()

    def _say(self) -> None:
        """Mail is accepted."""
        streak = Refusal.objects.filter(account=account())
        if streak.exists():
            streak.delete()
        news = [Acceptance(account=account(), domain=domain, at=timezone.now()) for domain in sorted(self._takers)]
        Acceptance.objects.bulk_create(
            news, update_conflicts=True, unique_fields=["account", "domain"], update_fields=["at"]
        )
        self._takers, self._said_at = {}, time.monotonic()


def judge(at: datetime) -> bool:
    """Stop all mail where the streak is long; returns whether it is. Each tick asks as well: there may be nobody left
    to be refused.
    """
    streak = Refusal.objects.filter(account=account())
    if not is_closed(at - timedelta(seconds=call_timeout()), at):
        return False
    last = streak.order_by("-at", "-pk").first()
    if last is None:  # it has ended meanwhile
        return False
    with transaction.atomic():
        Brake.objects.pull(f"{CLOSED}: {last.reason}")
        streak.delete()
    return True


def is_closed(until: datetime, at: datetime) -> bool:
    """Whether the refusals until then are a streak that only a closed provider explains."""
    rows = Refusal.objects.filter(account=account(), at__lte=until, at__gte=at - KEEP).order_by()
    found = rows.values_list("domain", "is_weak").annotate(Count("pk"))
    counts = {(domain, is_weak): count for domain, is_weak, count in found}
    domains = {domain for domain, _ in counts}
    if len(domains) > 1 or not is_long(counts):
        return is_long(counts)
    last = rows.aggregate(Max("at"))["at__max"] or at  # of the refusals: the verdict stays as time goes by
    return not accepted_of_late(last, ELSEWHERE).exclude(domain__in=domains).exists()


def is_believed(at: datetime) -> bool:
    """Whether to believe of a few refused mailboxes that they do not exist: others' mail was accepted a while ago."""
    in_a_row = Refusal.objects.filter(account=account(), at__gte=at - KEEP).values("pk")[: FEW + 1].count()
    return in_a_row <= FEW and accepted_of_late(at).exists()


def accepted_of_late(at: datetime, within: timedelta = KEEP) -> QuerySet[Acceptance]:
    """Of whom the provider has accepted mail within so long."""
    return Acceptance.objects.filter(account=account(), at__gt=at - within)


def is_long(counts: Counts) -> bool:
    """Too long for chance."""
    if not counts:  # this is asked after every accepted mail
        return False
    strong = {(domain, weak): count for (domain, weak), count in counts.items() if not weak}
    refusals, domains = sum(strong.values()), {domain for domain, _ in strong}
    return refusals >= (REFUSALS if len(domains) >= DOMAINS else OF_FEW) or sum(counts.values()) >= WEAK


def account() -> str:
    """Each has a streak of its own: another relay accepts what this one refuses."""
    words = f"{keys.account()} {settings.EMAIL_HOST} {settings.EMAIL_HOST_USER}"
    return hashlib.sha256(words.encode()).hexdigest()[:16]
