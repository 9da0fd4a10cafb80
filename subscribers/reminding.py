"""One reminder to who asked and has not confirmed; after it, nothing more."""

from datetime import datetime

from django.db import transaction

from subscribers.letters import owe
from subscribers.models import Letter, Subscriber

CHUNK = 500


def remind(at: datetime) -> int:
    """Owe every reminder that is due; returns how many. Stopped at any point, the next run goes on from there."""
    owed = 0
    while chunk := list(Subscriber.objects.to_remind(at)[:CHUNK]):
        owed += sum(remind_one(reader, at) for reader in chunk)
    return owed


@transaction.atomic
def remind_one(reader: Subscriber, at: datetime) -> bool:
    """False where somebody else did, the reader has done anything since, or none is to be sent to them."""
    if not Subscriber.objects.to_remind(at).filter(pk=reader.pk).update(was_reminded=True):
        return False
    # Where the confirmation was refused a second one is too, and where it still waits it is reminder enough.
    asked = Letter.objects.filter(subscriber=reader, kind=Letter.Kind.CONFIRMATION).order_by("-requested_at").first()
    if asked is None or asked.status != Letter.Status.SENT:
        return False
    return owe(reader, Letter.Kind.REMINDER, at) is not None
