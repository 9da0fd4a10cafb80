"""Ends doubts at providers that know idempotency keys, by making the same call once more under the same key.

A worker that was killed, or a provider that was out of order, leaves digests in doubt. A provider that has one of them
says so and sends nothing; one that has not sends it now. But only as long as it surely remembers the key: later, a
doubt ends as at any other provider. As this may be the first time that the mail goes, the gate is asked once more.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from newsletter.delivery import ledger
from newsletter.delivery.wire import keys, throttle
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.provider import call_timeout, in_time
from newsletter.delivery.wire.throttle import Lane
from newsletter.digest.copies import as_submitted
from newsletter.models import Brake, Digest
from subscribers.addresses import domain_of
from subscribers.gate import why_not_mail
from subscribers.moves import moved_since

log = logging.getLogger(__name__)

MOST = 50  # a run, each a call by itself
CLEAR = {Kind.ACCEPTED, Kind.REFUSED}


def are_due(at: datetime) -> bool:
    """Whether there is a doubt that the provider can be asked about."""
    since = keys.known_since(at)
    return since is not None and Digest.objects.repeatable(at, since).exists()


def repeat(at: datetime, most: int = MOST) -> int:
    """Ask about up to `most` doubts; returns how many ended. Where the provider has no clear answer, the rest waits."""
    since, ended = keys.known_since(at), 0
    if since is None or Brake.objects.engaged().exists():
        return 0
    doubts = Digest.objects.repeatable(at, since).select_related("edition", "subscriber")
    with in_time() as submit:
        for digest in doubts[:most]:
            message = once_more(digest, timezone.now())
            if message is None:
                ledger.ask_no_more(digest)
                continue
            outcome = ask(digest, message, submit)
            ended += outcome is not None and settle(digest, outcome)
            if outcome is None or outcome.kind not in CLEAR:
                break
    return ended


def once_more(digest: Digest, at: datetime) -> EmailMultiAlternatives | None:
    """The mail of a doubt, to go under its key; None where it must not go any more, or would go elsewhere than then."""
    known, submitted = keys.known_since(at + timedelta(seconds=call_timeout())), digest.submitted_at
    if known is None or submitted is None or submitted <= known:
        return None  # forgotten, perhaps, before the call arrives
    if digest.idempotency_key != keys.key_of_digest(digest.uid, digest.attempts):
        return None  # the account that knows it is another
    if why_not_mail(digest.subscriber) or moved_since(digest.subscriber, submitted):
        return None
    renderer, choices = as_submitted(digest)
    try:
        message = renderer.message(digest, choices)
    except Exception:
        log.exception("digest %s cannot be built once more", digest.uid)
        return None
    keys.mark(message, digest.idempotency_key)
    return message


def ask(
    digest: Digest, message: EmailMultiAlternatives, submit: Callable[[EmailMultiAlternatives], Outcome]
) -> Outcome | None:
    """Make the call; None where it is not its turn, or somebody else makes it."""
    domain, now = domain_of(message.to[0]), timezone.now()
    shares = throttle.mails({domain: 1}, Lane.DIGESTS, now)[domain], throttle.calls(1, Lane.DIGESTS, now)
    if not all(share.given for share in shares) or not ledger.ask_again(digest, now):
        return None
    outcome = submit(message)
    throttle.heed([(domain, outcome)], timezone.now())
    if outcome.kind is Kind.HALT:
        Brake.objects.pull(outcome.reason)
    return outcome


def settle(digest: Digest, outcome: Outcome) -> bool:
    """Write down what an answer tells of a doubt; returns whether that ended it."""
    doubt, now = Outcome(Kind.DOUBT, digest.reason), timezone.now()
    known = keys.settled(doubt, outcome)
    ledger.record([ledger.answered(digest, known, now)], [], now)
    if known is doubt and outcome.kind in CLEAR:  # no later call would tell more
        ledger.ask_no_more(digest)
    return known is not doubt
