"""Taking a change of preferences back, for an hour: what was is stored with the change, and stored again by its undo.

So an undo can itself be undone, and a change that came in between is never overwritten.
"""

from datetime import date, datetime
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext

from papers.models import Topic
from subscribers.models import Consent, Former, Subscriber, Suppression
from subscribers.wishes import LISTS, Tastes, Wishes

Status = Subscriber.Status
MOVED = "address"  # the page on the proof that a reader has moved


def remember(subscriber: Subscriber, at: datetime, has_moved: bool = False) -> None:
    """Store what the reader had until now; where they have moved, their address too. To be called within the change,
    after its row was won.

    `subscriber` is as it was read before; its topics and lists must not have been written yet.
    """
    subscriber.formers.filter(at__lt=at - settings.KEEP_FORMER).delete()
    state = state_of(subscriber)
    if has_moved:
        state["columns"] |= {"email": subscriber.email, "uid": subscriber.uid.hex}
    Former.objects.create(subscriber=subscriber, version=subscriber.version + 1, state=state, at=at)


def last_change(subscriber: Subscriber, at: datetime) -> Former | None:
    """What can be taken back now: the last change, for an hour."""
    return subscriber.formers.filter(version=subscriber.version, at__gte=at - settings.KEEP_FORMER).first()


@transaction.atomic
def take_back(subscriber: Subscriber, version: int, at: datetime, network: str = "") -> bool:
    """Undo the change that made this version; False where it is too old, or not the last one any more, or where the
    former address cannot be theirs again."""
    former = last_change(subscriber, at)
    if former is None or former.version != version or subscriber.status not in Status.subscribed():
        return False
    columns = columns_of(former.state, subscriber, at)
    moves_back = "email" in columns
    if moves_back and Suppression.objects.of(columns["email"]):
        return False
    as_read = Subscriber.objects.filter(pk=subscriber.pk, version=version, status=subscriber.status)
    try:
        with transaction.atomic():
            won = as_read.update(**columns, version=F("version") + 1)
    except IntegrityError:  # somebody else has signed up with the former address
        return False
    if not won:
        return False
    remember(subscriber, at, has_moved=moves_back)
    subscriber.topics.set(topics(former.state["topics"]))
    tastes_of(former.state).write(subscriber)
    Consent.objects.create(
        subscriber=subscriber,
        action=Consent.Action.CHANGED,
        at=at,
        words=gettext("Undo"),
        page=MOVED if moves_back else "preferences",
        network=network,
    )
    return True


def state_of(subscriber: Subscriber) -> dict[str, Any]:
    """Everything that a change may change, as JSON."""
    tastes = Tastes.of(subscriber)
    due, until = subscriber.next_digest_at, subscriber.paused_until
    return {
        "columns": {**Wishes.of(subscriber).columns(), "rising": subscriber.rising, "status": subscriber.status},
        "next_digest_at": due and due.isoformat(),
        "paused_until": until and until.isoformat(),
        "topics": [topic.pk for topic in subscriber.topics.all()],
        "muted_topics": [topic.pk for topic in tastes.muted_topics],
        "lists": {name: list(getattr(tastes, name)) for name in LISTS},
    }


def columns_of(state: dict[str, Any], subscriber: Subscriber, at: datetime) -> dict[str, Any]:
    """The columns as they were, with a next digest that lies ahead."""
    columns: dict[str, Any] = dict(state["columns"])
    until = state["paused_until"]
    columns["paused_until"] = until and date.fromisoformat(until)
    columns["next_digest_at"] = due_again(state, subscriber, at) if columns["status"] == Status.ACTIVE else None
    if columns["status"] != subscriber.status:
        columns["status_changed_at"] = at
    return columns


def due_again(state: dict[str, Any], subscriber: Subscriber, at: datetime) -> datetime | None:
    """When the next digest comes once the former rhythm is back."""
    was = Subscriber(**state["columns"])
    if subscriber.status == Status.ACTIVE and subscriber.schedule == was.schedule:
        return subscriber.next_digest_at
    planned = state["next_digest_at"] and parse_datetime(state["next_digest_at"])
    # Nothing was planned during a pause, so that what it held up comes now.
    if planned and (planned > at or subscriber.status == Status.PAUSED):
        return planned
    return was.schedule.next_after(at)


def tastes_of(state: dict[str, Any]) -> Tastes:
    return Tastes(muted_topics=topics(state["muted_topics"]), **state["lists"])


def topics(pks: list[int]) -> tuple[Topic, ...]:
    """Those that still exist."""
    return tuple(Topic.objects.filter(pk__in=pks))
