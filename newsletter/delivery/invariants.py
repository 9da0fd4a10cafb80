"""What must be true of the ledger at any moment, as queries for the rows that break it.

Each rule finds rows by SQL, and hands out the first few only: checking takes little memory, however large the tables
are. Some rules are constraints of the database too; they are checked all the same, because they may not hold after a
restored dump or a change by hand.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db.models import Count, Exists, F, OuterRef, Q, QuerySet

from newsletter.delivery.ledger import PAPERLESS
from newsletter.models import Digest, DigestPaper, Edition, Event
from papers.models import Paper
from subscribers.models import Letter, Subscriber, SubscriptionRequest
from subscribers.models.letters import MAX_ATTEMPTS

Status = Digest.Status
SIDE_EXITS = [Status.SKIPPED, Status.FAILED, Status.IN_DOUBT, Status.EXPIRED, Status.CANCELLED]
GRACE = timedelta(minutes=15)  # for the sweep and the planner to come by
FURTHEST_SLOT = timedelta(days=33)  # the longest way from one monthly slot to the next


@dataclass(frozen=True)
class Rule:
    """A claim, and the rows that break it, which are named by some of their columns."""

    claim: str
    kind: str
    broken_by: QuerySet[Any, Any]
    columns: tuple[str, ...] = ("pk",)

    def names(self, most: int) -> tuple[list[str], bool]:
        """The first rows that break it, and whether there are more."""
        rows = self.broken_by.order_by().values_list(*self.columns)[: most + 1]
        found = [f"{self.kind} {', '.join(map(str, row))}" for row in rows]
        return found[:most], len(found) > most


def rules(at: datetime) -> Iterator[Rule]:
    """All of them, as they are at this moment."""
    yield from _accounts(at)
    yield from _states()
    yield from _papers()
    yield from _readers(at)
    yield from _letters(at)


def broken(asked: Iterable[Rule], most: int) -> Iterator[tuple[Rule, list[str], bool]]:
    """Those that are broken, with the names of the first rows, and whether there are more."""
    for rule in asked:
        names, more = rule.names(most)
        if names or more:
            yield rule, names, more


def _digests(claim: str, rows: QuerySet[Digest]) -> Rule:
    return Rule(claim, "digest", rows, ("uid",))


def _once(claim: str, kind: str, rows: QuerySet[Any], *columns: str) -> Rule:
    """Rows of which no two have all these columns in common: named by those, and counted, so that an index of them is
    all that is read. PostgreSQL takes that index anyway, since LIMIT lets it expect to stop early.
    """
    doubles = rows.order_by().values(*columns).annotate(copies=Count("*")).filter(copies__gt=1)
    return Rule(claim, kind, doubles, columns)


def _accounts(at: datetime) -> Iterator[Rule]:
    """planned = accepted + failed + skipped + expired + cancelled + in doubt, edition by edition, once it is over."""
    unknown = Digest.objects.exclude(status__in=Status.values)
    late = Digest.objects.filter(status=Status.PLANNED, expires_at__lt=at - GRACE, planned_at__lt=at - GRACE)
    lost = Digest.objects.filter(status__in=Status.held(), lease_until__lt=at - GRACE)
    yield _digests("every digest stands in a state that there is: the sum of an edition is what was planned", unknown)
    yield _digests("what nobody would welcome any more has expired", late)
    yield _digests("what a worker lost was swept up", lost)
    double = "a reader has one digest of an edition"
    yield _once(double, "edition and reader", Digest.objects.all(), "edition", "subscriber")
    yield _once("an edition is there once", "edition", Edition.objects.all(), "kind", "date")


def _states() -> Iterator[Rule]:
    held, sent = Q(status__in=Status.held()), Q(status__in=Status.possibly_sent())
    rows = Digest.objects
    yield _digests("what a worker holds has a lease", rows.filter(held, lease_until=None))
    yield _digests("what no worker holds has no lease", rows.filter(~held, lease_until__isnull=False))
    yield _digests("what a worker holds was claimed", rows.filter(held, fencing_token=0))
    yield _digests("a side exit has a reason", rows.filter(status__in=SIDE_EXITS, reason=""))
    yield _digests("what may have been sent says when", rows.filter(sent, submitted_at=None))
    unsent = rows.filter(status__in=[Status.PLANNED, Status.CLAIMED], submitted_at__isnull=False)
    yield _digests("what is still to be sent was not sent before", unsent)
    settled = rows.exclude(status__in=Status.unsettled())
    yield _digests("what is over says since when", settled.filter(settled_at=None))


def _papers() -> Iterator[Rule]:
    """What was refused later keeps its papers for a day: the provider may say otherwise."""
    own = DigestPaper.objects.filter(digest=OuterRef("pk"))
    gone = Q(subscriber__status=Subscriber.Status.ERASED)
    empty = Digest.objects.filter(~gone, ~Exists(own), status__in=Status.possibly_sent())
    unsaid = empty.filter(merged_away=False).exclude(reason__in=PAPERLESS)
    yield _digests("what may have been sent has its papers, or says why it has none", unsaid)
    yield _digests("what was not sent has none", Digest.objects.filter(Exists(own), status__in=Status.unsent()))
    papers = DigestPaper.objects.all()
    yield _once("nobody got a paper twice", "reader, paper, still rising", papers, "subscriber", "paper", "rising")
    strays = DigestPaper.objects.filter(~Exists(Digest.objects.filter(pk=OuterRef("digest_id"))))
    yield Rule("a paper of a digest has its digest", "digest paper", strays)
    others = DigestPaper.objects.exclude(subscriber=F("digest__subscriber"))
    yield Rule("a paper of a digest is its reader's", "digest paper", others)
    lost = DigestPaper.objects.filter(~Exists(Paper.objects.filter(pk=OuterRef("paper_id"))))
    yield Rule("a paper that was mailed is still there", "digest paper", lost)
    erased = DigestPaper.objects.filter(subscriber__status=Subscriber.Status.ERASED)
    yield Rule("of the erased no papers are left", "digest paper", erased)


def _readers(at: datetime) -> Iterator[Rule]:
    active = Subscriber.objects.mailable()
    forgotten, late = active.filter(next_digest_at=None), active.filter(next_digest_at__lt=at - GRACE)
    far = active.filter(next_digest_at__gt=at + FURTHEST_SLOT)
    stray = Subscriber.objects.exclude(status=Subscriber.Status.ACTIVE).filter(next_digest_at__isnull=False)
    yield Rule("every active reader has a next digest", "reader", forgotten, ("uid",))
    yield Rule("the planner has taken everybody whose hour has come", "reader", late, ("uid",))
    yield Rule("nobody's next digest is further off than a month", "reader", far, ("uid",))
    yield Rule("only the active have a next digest", "reader", stray, ("uid",))


def _letters(at: datetime) -> Iterator[Rule]:
    """Letters, what strangers asked for, and what providers told."""
    status = Letter.Status
    letters, requests = Letter.objects, SubscriptionRequest.objects
    yield Rule("a letter that was sent says when", "letter", letters.filter(status=status.SENT, sent_at=None))
    yield Rule("a letter that failed says why", "letter", letters.filter(status=status.FAILED, reason=""))
    tired = letters.filter(attempts__gt=MAX_ATTEMPTS)
    yield Rule("no letter is tried for ever", "letter", tired)
    yield _once("nobody is owed the same letter twice", "reader and letter", letters.open(), "subscriber", "kind")
    owed = letters.open().filter(subscriber__status=Subscriber.Status.ERASED)
    yield Rule("the erased are owed nothing", "letter", owed)
    held = requests.filter(status=SubscriptionRequest.Status.HELD, reason="")
    yield Rule("a request that is held says why", "request", held)
    far = requests.filter(status=SubscriptionRequest.Status.WAITING, not_before__gt=at + timedelta(days=1))
    yield Rule("no request waits for more than a day", "request", far)
    unread = Event.objects.filter(applied_at=None, received_at__lt=at - timedelta(days=1))
    yield Rule("what providers told was applied within a day", "event", unread)
