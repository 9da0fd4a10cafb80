"""Who of a chunk of rows may be let in, and letting them in.

The only ones who are: nobody here knows them in any state, nothing suppresses them, no earlier row has brought them.
"""

import hashlib
import secrets
import sqlite3
from collections.abc import Callable, Iterable
from datetime import datetime
from functools import cache

from subscribers.imports.rows import Asked, Newcomer, Outcome, Refusal, read
from subscribers.imports.table import Row
from subscribers.models import Consent, Subscriber, Suppression

# Which of these addresses earlier rows of the file have brought already.
Earlier = Callable[[set[str]], set[str]]


def judge(rows: Iterable[Row], asked: Asked, at: datetime, earlier: Earlier) -> tuple[list[Newcomer], list[Refusal]]:
    """Who of them may be let in, and why not the others. A few queries, however many they are."""
    found = [read(row, asked, at) for row in rows]
    emails = {one.email for one in found if isinstance(one, Newcomer)}
    suppressed, repeated = Suppression.objects.of(*emails), earlier(emails)
    known = dict(Subscriber.objects.filter(email__in=emails).values_list("email", "status"))
    welcome: dict[str, Newcomer] = {}
    refused: list[Refusal] = []
    for one in found:
        if isinstance(one, Refusal):
            refused.append(one)
        elif one.email in suppressed:
            refused.append(one.refused(Outcome.SUPPRESSED, f"must not be mailed: {suppressed[one.email]}"))
        elif one.email in welcome or one.email in repeated:
            refused.append(one.refused(Outcome.DUPLICATE, "an earlier row has this address"))
        elif one.email in known:
            refused.append(one.refused(Outcome.KNOWN, stays_as(known[one.email])))
        else:
            welcome[one.email] = one
    return list(welcome.values()), refused


def stays_as(status: str) -> str:
    return f"is known here and stays as it is: {Subscriber.Status(status).label.lower()}"


def let_in(welcome: Iterable[Newcomer], page: str, at: datetime) -> tuple[list[Newcomer], list[Refusal]]:
    """Store them with their proofs and topics; and refuse who has come by another way at this very moment."""
    # In one order: two imports of overlapping lists would lock each other out.
    wanted = sorted(welcome, key=lambda one: one.email)
    due = cache(lambda schedule: schedule.next_after(at))
    rows = [
        Subscriber(
            **one.wishes.columns(),
            email=one.email,
            status=one.status,
            confirmed_at=one.consent_at,
            next_digest_at=due(one.wishes.schedule) if one.status == Subscriber.Status.ACTIVE else None,
            created_at=at,
            status_changed_at=at,
        )
        for one in wanted
    ]
    Subscriber.objects.bulk_create(rows, ignore_conflicts=True)
    pks = dict(Subscriber.objects.filter(uid__in=[row.uid for row in rows]).values_list("uid", "pk"))
    pairs = list(zip(wanted, (pks.get(row.uid) for row in rows), strict=True))
    taken = [(one, pk) for one, pk in pairs if pk is not None]
    Consent.objects.bulk_create(proof(one, pk, page, at) for one, pk in taken)
    through = Subscriber.topics.through
    through.objects.bulk_create(
        through(subscriber_id=pk, topic_id=topic.pk) for one, pk in taken for topic in one.wishes.topics
    )
    late = [one.refused(Outcome.KNOWN, "came by another way at this moment") for one, pk in pairs if pk is None]
    return [one for one, _ in taken], late


def proof(one: Newcomer, pk: int, page: str, at: datetime) -> Consent:
    """What they agreed to elsewhere, or that they left."""
    if one.status == Subscriber.Status.ACTIVE and one.consent_at:
        return Consent(
            subscriber_id=pk,
            action=Consent.Action.IMPORTED,
            words=one.consent_source,
            at=one.consent_at,
            page=page,
        )
    return Consent(subscriber_id=pk, action=Consent.Action.WITHDRAWN, words="Left before the import", at=at, page=page)


def brought(page: str, emails: set[str]) -> set[str]:
    """Which of these addresses this import has let in already."""
    mine = Consent.objects.filter(page=page, subscriber__email__in=emails)
    return {email for email in mine.values_list("subscriber__email", flat=True) if email}


class Seen:
    """The addresses of a whole file in little memory: SQLite's own temporary file, which nobody else can open."""

    def __init__(self) -> None:
        self._database = sqlite3.connect("", isolation_level=None)
        self._database.execute("PRAGMA journal_mode=OFF")
        self._database.execute("CREATE TABLE seen (key INTEGER PRIMARY KEY)")
        self._secret = secrets.token_bytes(16)

    def among(self, emails: set[str]) -> set[str]:
        asked = "SELECT 1 FROM seen WHERE key = ?"
        return {email for email in emails if self._database.execute(asked, (self._key(email),)).fetchone()}

    def add(self, emails: Iterable[str]) -> None:
        self._database.executemany("INSERT OR IGNORE INTO seen VALUES (?)", ((self._key(email),) for email in emails))

    def close(self) -> None:
        self._database.close()

    def _key(self, email: str) -> int:
        """64 bits: among ten million addresses, no two alike in all likelihood."""
        return int.from_bytes(hashlib.blake2b(email.encode(), digest_size=8, key=self._secret).digest(), signed=True)
