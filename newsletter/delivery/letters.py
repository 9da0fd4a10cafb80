"""Sends the letters that are owed: confirmations, welcomes, links, goodbyes.

The same edge and the same classification as digests, another policy: what is in doubt is sent again.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from newsletter.delivery import keys, throttle
from newsletter.delivery.outcomes import Kind, Outcome, in_words
from newsletter.delivery.provider import in_time, patience
from newsletter.delivery.rerouting import OutsideProductionError, reroute
from newsletter.delivery.stopping import halt
from newsletter.delivery.streak import Streak
from newsletter.delivery.throttle import Lane
from newsletter.models import Brake
from subscribers.domains import why_unreachable
from subscribers.emails import letter_email
from subscribers.gate import why_not
from subscribers.models import Letter

log = logging.getLogger(__name__)

BATCH = 50
LEASE = timedelta(minutes=5)
RUN, NEAR = 15.0, 1.0  # seconds that a run takes, and that its last letter may wait for its turn beyond


def send_owed_letters(at: datetime, size: int = BATCH) -> int:
    """Send up to `size` letters that are due at `at`, as many as a run has time for; returns how many it dealt with.
    Each is taken by itself, because that counts as an attempt, and none when the provider cannot be reached.
    """
    streak, done, until = Streak(), 0, time.monotonic() + RUN
    with in_time() as submit:
        while done < size and time.monotonic() < until:
            letters = [] if Brake.objects.engaged().exists() else Letter.objects.claim(at, lease(), 1)
            if not letters or not send(submit, letters[0], streak, until):
                break
            done += 1
    streak.tell(timezone.now())
    return done


def lease() -> timedelta:
    """For how long no other run takes a letter: longer than this one can need."""
    return max(LEASE, timedelta(seconds=RUN + NEAR + patience()))


def send(submit: Callable[[EmailMultiAlternatives], Outcome], letter: Letter, streak: Streak, until: float) -> bool:
    """Send one letter, if its turn comes in time, and write down what became of it. False where it did not leave this
    machine, as no other would.
    """
    if reason := why_not(letter) or why_unasked(letter):
        letter.failed(reason)
        return True
    try:
        message = letter_email(letter)
        domain = message.to[0].rpartition("@")[2]
        reroute(message)
    except OutsideProductionError as error:  # our own refusal, not the provider's
        letter.failed(in_words(error))
        return True
    except Exception as error:
        log.exception("letter %s cannot be built", letter.pk)
        letter.failed(in_words(error))
        return True
    if wait := wait_for_turn(domain, until):
        letter.retry("waits for its turn at the provider", timezone.now() + max(wait, letter.pause))
        return True
    keys.mark(message, keys.key_of(letter.uid, letter.attempts))
    outcome = submit(message)
    throttle.heed([(domain, outcome)], timezone.now())
    settle(letter, outcome)
    streak.hear(outcome, domain, letter=letter)  # who may owe it again
    return outcome.kind is not Kind.UNSENT


def wait_for_turn(domain: str, until: float) -> timedelta:
    """Take the right to send a mail to the domain, and wait for it as long as the run lasts. How long it would be to
    wait still; nought when it is the letter's turn.
    """
    while wait := throttle.take(domain, Lane.LETTERS, timezone.now()):
        seconds = wait.total_seconds()
        if time.monotonic() + seconds > until + NEAR:
            break
        time.sleep(seconds)
    return wait


def why_unasked(letter: Letter) -> str | None:
    """Why nobody need be asked to confirm: a domain that takes no mail. Who has confirmed has shown that it does."""
    return why_unreachable(str(letter.subscriber.email)) if letter.kind == Letter.Kind.CONFIRMATION else None


def settle(letter: Letter, outcome: Outcome) -> None:
    now = timezone.now()
    if outcome.kind is Kind.ACCEPTED:
        letter.sent(now)
    elif outcome.kind is Kind.REFUSED:
        letter.failed(outcome.reason)
    else:
        letter.retry(outcome.reason, now + max(outcome.wait, letter.pause))
    if outcome.kind is Kind.HALT:
        halt(outcome)
