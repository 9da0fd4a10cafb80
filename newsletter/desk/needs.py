"""What needs a person: the first thing that an operator sees, each with the page where something can be done."""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.db.models import Q, QuerySet, Value
from django.urls import reverse

from newsletter import pulses
from newsletter.delivery.ledger import NO_PAPERS, NOTHING_NEW, RETRIED
from newsletter.delivery.streak import accepted_of_late
from newsletter.delivery.wire.outcomes import NOT_NOW
from newsletter.desk.standing import MOST_READ, Health, Standing
from newsletter.models import Brake, Digest, Edition, Pulse
from papers.sources.models import Source
from subscribers.models import Attack, Import, Letter, SubscriptionRequest
from subscribers.models.letters import MAX_ATTEMPTS

May = Callable[[str], bool]  # whether somebody has a permission
MOST_HELD = 1_000  # counted one by one
MOST_IMPORTS = 5  # named one by one
LATEST_LETTERS, SOME_LETTERS, A_DAY = 1_000, 3, timedelta(days=1)
SOME_FAILED = SOME_SKIPPED = 10  # of an edition: fewer may be chance
MOST = 0.9
QUIET = timedelta(minutes=10)  # without mail that is accepted, while some waits
UNDECIDED = {"refused": "An import was refused", "checked": "An import waits for a decision"}


@dataclass(frozen=True)
class Need:
    words: str
    link: str
    since: datetime | None = None


@dataclass(frozen=True)
class Signals:
    """What stands in four small tables, read at once: by kind, words and the time of each."""

    rows: list[tuple[str, str, datetime]]

    def of(self, kind: str) -> list[tuple[str, datetime]]:
        return [(words, at) for found, words, at in self.rows if found == kind]

    @property
    def pulses(self) -> dict[str, datetime]:
        return dict(self.of("pulse"))


def signals(may: May) -> Signals:
    """Brakes, the attack, imports and pulses, in one query."""
    undecided = Import.objects.undecided().order_by("-moved_at").values("pk")[: MOST_IMPORTS + 1]
    imports = Import.objects.filter(pk__in=undecided)
    tables: list[tuple[str, str, QuerySet[Any], str, str]] = [
        ("newsletter.view_brake", "brake", Brake.objects.engaged(), "reason", "pulled_at"),
        ("subscribers.view_attack", "attack", Attack.objects.on(), "reason", "began_at"),
        ("subscribers.view_import", "refused", imports.filter(status="refused"), "file_name", "moved_at"),
        ("subscribers.view_import", "checked", imports.filter(status="checked"), "file_name", "moved_at"),
        ("newsletter.view_pulse", "pulse", Pulse.objects.all(), "part", "at"),
    ]
    visible: list[QuerySet[Any, Any]] = [
        rows.order_by().values_list(Value(kind), words, moment)
        for permission, kind, rows, words, moment in tables
        if may(permission)
    ]
    return Signals(list(visible[0].union(*visible[1:], all=True)) if visible else [])


def list_of(model: str, **filters: object) -> str:
    address = reverse(f"admin:{model}_changelist")
    return f"{address}?{urlencode(filters)}" if filters else address


def stopped(found: Signals) -> Iterator[Need]:
    for reason, since in found.of("brake"):
        yield Need(f"All mail is stopped: {reason}", list_of("newsletter_brake"), since)
    for reason, since in found.of("attack"):
        yield Need(f"Sign-up is under attack: {reason}", list_of("subscribers_attack"), since)


def silent(found: Signals, at: datetime) -> Iterator[Need]:
    """Parts of the service that have not worked for a while, or not yet: all are woken when beat starts."""
    last, link = found.pulses, f"{reverse('admin:index')}#parts"
    stale = [part.words for part in pulses.parts().values() if part.is_silent(last.get(part.words), at)]
    if gone := [part for part in stale if part in last]:
        words = f"Silent: {', '.join(gone)}. Look at beat and the workers."
        yield Need(words, link, min(last[part] for part in gone))
    if awaited := [part for part in stale if part not in last]:
        yield Need(
            f"Not begun yet: {', '.join(awaited)}. They do within a minute of the start of beat and a worker.", link
        )


def imports(found: Signals) -> Iterator[Need]:
    waiting = [(since, kind, name) for kind in UNDECIDED for name, since in found.of(kind)]
    for since, kind, name in sorted(waiting, reverse=True)[:MOST_IMPORTS]:
        yield Need(f"{UNDECIDED[kind]}: {name}", list_of("subscribers_import", status__exact=kind), since)
    if len(waiting) > MOST_IMPORTS:
        yield Need("More imports were refused, or wait for a decision", list_of("subscribers_import"))


def sources(found: Iterable[Source]) -> Iterator[Need]:
    for source in found:
        if source.is_on and source.failures:
            fault = source.last_error.partition("\n")[0][:120]
            link = reverse("admin:papers_source_change", args=[source.pk])
            yield Need(f"{source.name} failed {source.failures} times in a row: {fault}", link, source.last_run_at)


def editions(found: Iterable[Standing], may: May, at: datetime) -> Iterator[Need]:
    for one in found:
        own = reverse("desk_edition", args=[one.edition.pk])
        is_old = one.edition.date < (at - A_DAY - one.edition.welcome_for).date()  # nothing of it can be sent any more
        if one.in_doubt:
            ledger = list_of(
                "newsletter_digest", edition__id__exact=one.edition.pk, status__exact=Digest.Status.IN_DOUBT
            )
            link = ledger if may("newsletter.view_digest") else own
            yield Need(f"{one.edition}: {one.in_doubt:,} in doubt", link)
        share = 100 * one.failed / (one.failed + one.accepted) if one.failed else 0
        is_over = is_old or one.edition.status == Edition.Status.CANCELLED
        if one.failed >= SOME_FAILED and share > settings.STOP_BOUNCE_PERCENT and not is_over:
            words = f"{one.edition}: {one.failed:,} failed, {share:.0f} % of what was tried. It can be tried again"
            yield Need(words, own)
        if one.expired and not is_old:
            yield Need(f"{one.edition}: {one.expired:,} came too late and were not sent", own)
        if one.edition.status == Edition.Status.HELD and (one.open or not one.planned):
            words = f"{one.edition} waits for approval" + (f", with {one.open:,} to go" if one.open else "")
            yield Need(words, own, one.edition.opened_at)
        if one.edition.status == Edition.Status.PAUSED and one.open:
            yield Need(f"{one.edition} is paused with {one.open:,} to go", own)


def nothing(found: Iterable[Standing], at: datetime) -> Iterator[Need]:
    """Editions of which nobody got anything, since there was nothing to send."""
    for one in found:
        if not one.planned or one.accepted or not is_of_late(one, at):
            continue
        if one.edition.drawn_at is None:
            words = f"{one.edition} has no papers: " + (f"{one.open:,} wait for some" if one.open else "nobody got one")
            yield Need(words, list_of("papers_source"))
        elif one.skipped >= SOME_SKIPPED and one.skipped >= MOST * one.planned:
            skipped = one.edition.digests.filter(status=Digest.Status.SKIPPED).order_by()
            reasons = Counter(skipped.values_list("reason", flat=True)[:MOST_READ])
            if reasons[NOTHING_NEW] >= MOST * min(one.skipped, MOST_READ):
                words = f"{one.edition}: nobody got one, as nothing new fitted {one.skipped:,} readers"
                yield Need(words, reverse("desk_edition", args=[one.edition.pk]))


def is_of_late(one: Standing, at: datetime) -> bool:
    """Whether something of the edition could still be sent, or could yesterday."""
    may_go = one.edition.status == Edition.Status.OPEN and one.edition.kind != Edition.Kind.SAMPLE
    return may_go and one.edition.date >= (at - A_DAY - one.edition.welcome_for).date()


def silence(found: Iterable[Standing], at: datetime) -> Iterator[Need]:
    """Digests wait, are tried, and none is accepted: the provider cannot be reached, or puts us off."""
    if accepted_of_late(at, QUIET).exists():
        return
    for one in found:
        if one.open and one.edition.status == Edition.Status.OPEN and one.edition.drawn_at:
            waiting = one.edition.digests.filter(status=Digest.Status.PLANNED, attempts__gt=1)
            # An answer that puts back has moved what is due; what an operator or a sweep put back is not tried yet.
            tried = waiting.filter(planned_at__lt=at - QUIET, not_before__gte=at - QUIET).order_by()
            tried = tried.exclude(reason__in=["", NOT_NOW.reason, NO_PAPERS])
            some = list(tried.values_list("planned_at", "reason")[:SOME_FAILED])
            # A few answers that put off (452 …) may be of full mailboxes, where others' mail was accepted meanwhile.
            few = len(some) < SOME_FAILED and all(why[:1].isdigit() for _, why in some)
            if some and not (few and accepted_of_late(at, at - max(some)[0]).exists()):
                minutes = QUIET // timedelta(minutes=1)
                words = f"Nothing was accepted for {minutes} minutes, and {one.open:,} of {one.edition} wait"
                answer = next((f": {why}" for _, why in some if why != RETRIED), "")
                yield Need(f"{words}{answer}", reverse("desk_edition", args=[one.edition.pk]))


def provider(health: Health) -> Iterator[Need]:
    if health.verdict:
        words = f"{health.complaints:.2f} % of the digests of these days were called spam: {health.verdict}"
        yield Need(words, f"{reverse('admin:index')}#provider")


def letters(at: datetime) -> Iterator[Need]:
    """Letters that were given up of late, after several tries; a few may be to strangers' addresses."""
    latest = Letter.objects.order_by("-pk").values("pk")[:LATEST_LETTERS]
    given_up = Letter.objects.filter(pk__in=latest, status=Letter.Status.FAILED, not_before__gt=at - A_DAY)
    tried = Q(doubts__gt=0) | Q(refusals__gt=0) | Q(attempts__gte=MAX_ATTEMPTS)
    number = given_up.filter(tried).values("subscriber").distinct().count()
    if number >= SOME_LETTERS:
        words = f"Letters to {number:,} people were given up today, after several tries"
        yield Need(words, list_of("subscribers_letter", status__exact=Letter.Status.FAILED))


def held() -> int:
    """Requests that the limits hold, up to MOST_HELD."""
    return SubscriptionRequest.objects.held().values("pk")[:MOST_HELD].count()


def requests(number: int) -> Iterator[Need]:
    if number:
        words = f"Held at sign-up: {number:,}{' or more' if number == MOST_HELD else ''}"
        yield Need(words, list_of("subscribers_subscriptionrequest", status__exact="held"))
