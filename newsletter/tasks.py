"""Wake-ups. The database is the queue: any of these may be lost, repeated or run at once without harm."""

import logging
import math

from celery import shared_task
from django.conf import settings
from django.utils import timezone

from newsletter import census, editions, merged_papers
from newsletter.delivery import alarms, canaries, installation, ledger, repeats, streak
from newsletter.delivery.feedback import bounces, events
from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.sending import deliver_batch
from papers.tasks import nudge
from subscribers import shared
from subscribers.models import Letter

log = logging.getLogger(__name__)

CALLED, LATER = "letters are called for", "letters are called for later"


@shared_task
def tick() -> None:
    """Plan what is due, repair what was left behind, and wake the workers that deliver."""
    now = timezone.now()
    installation.renew(now)
    swept = {way: count for way, count in ledger.sweep(now).items() if count}
    editions.draw_late(now)
    planned = editions.plan(now, more=lambda: nudge(plan))
    bounces.end_holds(now)
    canaries.advance(now)
    streak.judge(now)
    if planned or swept:
        log.info("planned %d digests; swept: %s", planned, swept or "nothing")
    if alarms.keep_up(now):
        tell_operators.delay()
    if repeats.are_due(now):
        settle_doubts.delay()
    deliver.delay(until=now.timestamp() + settings.TICK_SECONDS)
    apply_events(until=now.timestamp() + settings.TICK_SECONDS)
    census.follow(now)
    if late := merged_papers.catch_up(now):
        log.info("%d papers of digests followed theirs into others", late)


@shared_task
def plan() -> None:
    """Help the tick to plan: while the database writes one chunk, another worker can compute the next."""
    editions.plan(timezone.now())


@shared_task
def apply_events(until: float = 0) -> None:
    """Apply what providers have reported, batch after batch, until the next tick comes to do so: a complaint may stand
    behind many thousands of deliveries.
    """
    now = timezone.now()
    if events.apply_stored(now) == events.BATCH and now.timestamp() < until:
        nudge(apply_events, until=until)


@shared_task
def deliver(until: float = 0) -> None:
    """Deliver for a few seconds. A full batch calls for another worker, as long as the next tick has not come to do so:
    each run calls once, so that all workers help and never more than one call waits."""

    def call() -> None:
        if timezone.now().timestamp() < until:
            nudge(deliver, until=until)

    if not installation.check(timezone.now()):
        return
    if delivered := deliver_batch(seconds=settings.DELIVER_SECONDS, more=call):
        log.info("delivered %d digests", delivered)


@shared_task
def settle_doubts() -> None:
    """Ask a provider that knows keys what became of the mails in doubt."""
    now = timezone.now()
    if installation.check(now) and (ended := repeats.repeat(now)):
        log.info("%d doubts ended by their keys", ended)


@shared_task
def tell_operators() -> None:
    """Mail the operators what cannot wait until one of them looks."""
    now = timezone.now()
    if installation.check(now) and (told := alarms.tell(now)):
        log.info("the operators were told of %d things", told)


@shared_task
def take_census() -> None:
    """Count the readers."""
    log.info("%s", census.take(timezone.now()))


@shared_task
def send_letters(mark: str = "") -> None:
    """Send what is owed to people one by one, and call for another run where more is due before the next tick. `mark`
    is what the caller has set.
    """
    if mark:
        shared.unmark(mark)
    now = timezone.now()  # after that: what nobody calls for any more is due by then
    if not installation.check(now):
        return
    done, wait = send_owed_letters(now), Letter.objects.wait(timezone.now()).total_seconds()
    if (done or wait) and wait < settings.TICK_SECONDS:
        call_for_letters(wait)


def call_for_letters(wait: float = 0) -> None:
    """Have a run of letters wait for a worker, after so many seconds. One now is enough for all who call, and one for
    later of about each length, so that a late one keeps no early one away: many, each of which takes its time, would
    leave no worker to ticks.
    """
    mark = f"{LATER}, {math.ceil(math.log2(wait))}" if wait else CALLED
    if shared.mark(mark, settings.TICK_SECONDS):
        send_letters.apply_async((mark,), countdown=wait, expires=wait + settings.TICK_SECONDS)
