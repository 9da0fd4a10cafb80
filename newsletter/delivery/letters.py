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
PATIENCE = 5.0  # seconds that a letter waits for its turn, with the others behind it


def send_owed_letters(at: datetime, size: int = BATCH) -> int:
    """Send up to `size` letters; returns how many were taken in hand."""
    if Brake.objects.engaged().exists():
        return 0
    letters, streak = Letter.objects.claim(at, LEASE, size), Streak()
    with in_time() as submit:
        for letter in letters:
            is_late = timezone.now() + timedelta(seconds=PATIENCE + patience()) > letter.not_before
            if is_late or Brake.objects.engaged().exists():
                break  # the rest is for whoever takes it when this lease ends
            send(submit, letter, streak)
    streak.tell(timezone.now())
    return len(letters)


def send(submit: Callable[[EmailMultiAlternatives], Outcome], letter: Letter, streak: Streak) -> None:
    """Send one letter and write down what became of it."""
    if reason := why_not(letter) or why_unasked(letter):
        letter.failed(reason)
        return
    try:
        message = letter_email(letter)
        domain = message.to[0].rpartition("@")[2]
        reroute(message)
    except OutsideProductionError as error:  # our own refusal, not the provider's
        letter.failed(in_words(error))
        return
    except Exception as error:
        log.exception("letter %s cannot be built", letter.pk)
        letter.failed(in_words(error))
        return
    if wait := wait_for_turn(domain):
        letter.retry("waits for its turn at the provider", timezone.now() + max(wait, letter.pause))
        return
    keys.mark(message, keys.key_of(letter.uid, letter.attempts))
    outcome = submit(message)
    throttle.heed([(domain, outcome)], timezone.now())
    settle(letter, outcome)
    streak.hear(outcome, domain, letter)  # who may owe it again


def wait_for_turn(domain: str) -> timedelta:
    """Take the right to send a mail to the domain, and wait for it a while: to put the letter back counts as an
    attempt. How long it would be to wait still; nought when it is the letter's turn.
    """
    until = time.monotonic() + PATIENCE
    while wait := throttle.take(domain, Lane.LETTERS, timezone.now()):
        if time.monotonic() + wait.total_seconds() > until:
            break
        time.sleep(wait.total_seconds())
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
        letter.retry(outcome.reason, now + max(outcome.retry_after, letter.pause))
    if outcome.kind is Kind.HALT:
        halt(outcome)
