"""The ledger in lines for an operator: an edition, a reader, one digest. Addresses only where one was asked for."""

from collections.abc import Iterator
from datetime import datetime

from newsletter import audit
from newsletter.delivery.feedback.reported import events_of
from newsletter.desk.standing import MOST_READ, Standing, reasons
from newsletter.models import Brake, Digest, Edition
from subscribers.models import Subscriber, Suppression

LATEST = 20  # rows of a kind


def of_edition(edition: Edition) -> Iterator[str]:
    """Its digests by state, which add up to what was planned, and why those did not go out that did not."""
    yield from stopped()
    accounts, labels = edition.accounts(), dict(Digest.Status.choices)
    why = {status: counted for status, _, counted in reasons(Standing(edition, accounts))}
    yield f"{edition}: {edition.state}{f' ({edition.reason})' if edition.reason else ''}"
    for status, count in accounts.items():
        if count:
            yield f"  {count:>9,} {labels.get(status, status).lower()}"  # `ledger check` names those that have another
        for reason, number in why.get(status, ()):
            yield f"            {number:>9,} {reason or '–'}"
    yield f"  {sum(accounts.values()):>9,} in all"
    if why:
        yield f"Reasons are the commonest, of at most {MOST_READ:,} digests of each kind."
    unsettled = sum(accounts[status] for status in Digest.Status.unsettled())
    doubts = f", but for {accounts[Digest.Status.IN_DOUBT]:,} in doubt" if accounts[Digest.Status.IN_DOUBT] else ""
    yield f"{unsettled:,} still to be settled." if unsettled else f"Everything is settled{doubts}."


def of_reader(reader: Subscriber) -> Iterator[str]:
    """What was sent to them lately, and what comes next."""
    next_one = moment(reader.next_digest_at)
    yield f"{reader}: {reader.get_status_display()}; {reader.schedule}; next digest: {next_one}"
    if reason := Suppression.objects.of(reader.email or "").get(reader.email or ""):
        yield f"must not be mailed: {reason}"
    digests = Digest.objects.filter(subscriber=reader).select_related("edition").order_by("-planned_at")
    for digest in digests[:LATEST]:
        yield f"  {digest.uid}  {digest.edition}: {standing(digest)}"
    for letter in reader.letters.order_by("-requested_at")[:LATEST]:
        yield f"  letter {letter.uid}  {letter}, asked for {moment(letter.requested_at)} {letter.reason}".rstrip()


def of_digest(digest: Digest) -> Iterator[str]:
    """Its times, its papers, and what the provider told of it."""
    yield f"{digest.uid}  {digest}: {standing(digest)}"
    for words, at in {
        "planned": digest.planned_at,
        "due": digest.not_before,
        "expires": digest.expires_at,
        "submitted": digest.submitted_at,
        "settled": digest.settled_at,
        "with a worker until": digest.lease_until,
    }.items():
        yield f"  {words:<20} {moment(at)}"
    yield f"  claimed {digest.attempts} times; the provider's id: {digest.provider_id or '–'}"
    for row in digest.papers.select_related("paper"):
        yield f"  {row.place}. {row.paper} ({row.reason})"
    if digest.merged_away:
        yield "  its papers went into others that its reader had been told of twice"
    for one in audit.decisions_on(digest, LATEST):
        yield f"  {moment(one.at)} {one.who}: {one.words}"
    for event in events_of(digest):
        waits = "" if event.applied_at else "(not applied yet)"
        yield "  " + " ".join(filter(None, [moment(event.happened_at), str(event), event.detail, waits]))


def stopped() -> Iterator[str]:
    """Where all mail is stopped, nothing else says why it does not go out."""
    for brake in Brake.objects.engaged():
        yield f"All mail is stopped: {brake}."


def standing(digest: Digest) -> str:
    return f"{digest.get_status_display()}{f' ({digest.reason})' if digest.reason else ''}"


def moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M:%S} UTC" if at else "–"
