"""Sends the letters that are owed: confirmations, welcomes, links, goodbyes.

The same edge and the same classification as digests, another policy: what is in doubt is sent again, and so is what was
refused for a reason that may pass.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from newsletter.delivery.wire import keys, throttle
from newsletter.delivery.wire.outcomes import NOT_NOW, Kind, Outcome, in_words
from newsletter.delivery.wire.provider import call_timeout, in_time
from newsletter.delivery.wire.rerouting import OutsideProductionError, reroute
from newsletter.delivery.wire.throttle import Lane
from newsletter.models import Brake
from subscribers.addresses import domain_of
from subscribers.domains import why_unreachable
from subscribers.emails import letter_email
from subscribers.gate import why_not
from subscribers.models import Letter

log = logging.getLogger(__name__)

BATCH = 50
LEASE = timedelta(minutes=5)
DOUBTS = 2  # in a row, and a run ends
STAYS = {Kind.UNSENT, Kind.WAITS, Kind.HALT}  # so would any other
RUN, NEAR = 15.0, 1.0  # seconds that a run takes, and that its last letter may wait for its turn beyond


def send_owed_letters(at: datetime, size: int = BATCH) -> int:
    """Send up to `size` letters that are due at `at`, as many as a run has time for; returns how many it dealt with.

    Claimed one by one, since a claim is an attempt. None is claimed any more where one did not leave this machine, or
    two in a row had no clear answer, as no other would; these are not counted.
    """
    done, doubts, until = 0, 0, time.monotonic() + RUN
    with in_time() as submit:
        while done < size and doubts < DOUBTS and time.monotonic() < until:
            letters = [] if Brake.objects.engaged().exists() else Letter.objects.claim(at, lease(), 1)
            if not letters or (kind := send(submit, letters[0], until)) in STAYS:
                break
            if kind is Kind.DOUBT:
                doubts += 1
            else:
                doubts, done = 0, done + 1
    return done


def lease() -> timedelta:
    """For how long no other run takes a letter: longer than this one can need."""
    return max(LEASE, timedelta(seconds=RUN + NEAR + call_timeout()))


def send(submit: Callable[[EmailMultiAlternatives], Outcome], letter: Letter, until: float) -> Kind:
    """Send one letter, if its turn comes in time, and write down what became of it."""
    if reason := why_not(letter) or why_unasked(letter):
        return give_up(letter, reason)
    try:
        message = letter_email(letter)
        domain = domain_of(message.to[0])
        reroute(message)
    except OutsideProductionError as error:  # our own refusal, not the provider's
        return give_up(letter, in_words(error))
    except Exception as error:
        log.exception("letter %s cannot be built", letter.pk)
        return give_up(letter, in_words(error))
    now = timezone.now()
    to_domain = throttle.mails({domain: 1}, Lane.LETTERS, now)[domain]
    if not to_domain.given:  # others need not wait for that
        letter.put_back(NOT_NOW.reason, now + to_domain.wait)
        return Kind.LATER
    if wait := throttle.wait_for_call(Lane.LETTERS, until + NEAR, time.sleep):
        letter.put_back(NOT_NOW.reason, timezone.now() + wait)
        return Kind.WAITS
    keys.mark(message, keys.key_of(letter.uid, letter.attempts))
    outcome = submit(message)
    throttle.heed([(domain, outcome)], timezone.now())
    settle(letter, outcome)
    return outcome.kind


def why_unasked(letter: Letter) -> str | None:
    """Why nobody need be asked to confirm: a domain that takes no mail. One who has confirmed shows that it does."""
    return why_unreachable(str(letter.subscriber.email)) if letter.kind == Letter.Kind.CONFIRMATION else None


def give_up(letter: Letter, reason: str) -> Kind:
    letter.failed(reason)
    return Kind.REFUSED


def settle(letter: Letter, outcome: Outcome) -> None:
    """A refusal that does not blame the address may be of us (a relay that is closed), and end within hours."""
    now = timezone.now()
    if outcome.kind is Kind.ACCEPTED:
        letter.sent(now)
    elif outcome.kind is Kind.REFUSED and outcome.no_mailbox:
        letter.failed(outcome.reason)
    elif outcome.kind is Kind.REFUSED:
        letter.refused(outcome.reason, now + letter.pause)
    elif outcome.kind is Kind.DOUBT:
        letter.doubted(outcome.reason, now, outcome.wait)
    else:
        letter.retry(outcome.reason, now + max(outcome.wait, letter.pause))
    if outcome.kind is Kind.HALT:
        Brake.objects.pull(outcome.reason)
