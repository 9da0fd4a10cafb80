"""The ledger's two hot transitions as statements over many rows at once, in the words of both databases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

from newsletter.rows import Row, as_json, instant, table
from subscribers.models import Subscriber

ENDINGS = {
    "digest": "bigint",
    "token": "integer",
    "held": "text",
    "becomes": "text",
    "reason": "text",
    "provider_id": "text",
    "not_before": "timestamptz",
}
READY = {"digest": "bigint", "token": "integer", "subject": "text", "email": "text", "address_hash": "text"}
PAPERS = {
    "digest": "bigint",
    "paper": "bigint",
    "place": "smallint",
    "reason": "text",
    "outside": "boolean",
    "rising": "boolean",
}

# What the worker's token says is its own, out of the state it had it in. One that overslept its lease finds what it
# submitted in doubt: what it knows is better, and is written.
END = """
UPDATE newsletter_digest AS d
SET status = a.becomes, reason = a.reason, provider_id = a.provider_id, lease_until = NULL,
    not_before = COALESCE(a.not_before, d.not_before),
    settled_at = CASE WHEN a.becomes = 'planned' THEN NULL ELSE %s END,
    submitted_at = CASE WHEN a.becomes = 'planned' THEN NULL ELSE d.submitted_at END
FROM {endings} AS a
WHERE d.id = a.digest AND d.id IN ({ids}) AND d.fencing_token = a.token
  AND (d.status = a.held OR (a.held = 'submitting' AND d.status = 'in_doubt'))
RETURNING id, status"""
FREE_PAPERS = "DELETE FROM newsletter_digestpaper WHERE digest_id IN ({returned})"
# A refusal too is a word that nothing was sent: its papers may come another day.
UNSENT = ("planned", "failed")
RETURNED = "SELECT id FROM ended WHERE status IN ('planned', 'failed')"
# The gate once more, as a condition (subscribers/gate.py gives the reasons): people leave and move, editions are
# stopped and brakes are pulled between claim and submission.
BEGIN = """
UPDATE newsletter_digest AS d
SET status = 'submitting', submitted_at = %s, lease_until = %s, subject = a.subject
FROM {ready} AS a
WHERE d.id = a.digest AND d.id IN ({ids}) AND d.fencing_token = a.token AND d.status = 'claimed'
  AND EXISTS (SELECT 1 FROM newsletter_edition AS e WHERE e.id = d.edition_id AND e.status = 'open')
  AND (d.subscriber_id, a.email) IN ({mailable})
  AND NOT EXISTS (SELECT 1 FROM subscribers_suppression AS s WHERE s.address_hash = a.address_hash)
  AND NOT EXISTS (SELECT 1 FROM newsletter_brake AS b WHERE b.released_at IS NULL)
RETURNING id, subscriber_id"""
WRITE_PAPERS = """
INSERT INTO newsletter_digestpaper (digest_id, subscriber_id, paper_id, place, reason, outside, rising)
SELECT p.digest, d.subscriber_id, p.paper, p.place, p.reason, p.outside, p.rising
FROM {papers} AS p JOIN {begun} AS d ON d.id = p.digest"""


@dataclass(frozen=True)
class Turn:
    """What is to be written at once."""

    endings: Sequence[Row]
    ready: Sequence[Row]
    papers: Sequence[Row]
    at: datetime
    lease_until: datetime

    def run(self) -> tuple[set[int], set[int]]:
        """The digests that were ended, and those that were begun. Raises IntegrityError, with nothing written, where
        another digest of a reader took the same paper at this moment.
        """
        return self._as_one() if connection.vendor == "postgresql" else self._one_by_one()

    def _as_one(self) -> tuple[set[int], set[int]]:
        """PostgreSQL: one statement, and so one round trip and one commit."""
        parts, found, values = [], [], list[Any]()
        if self.endings:
            sql, arguments = self._end()
            parts += [f"ended AS ({sql})"]
            if any(row["becomes"] in UNSENT for row in self.endings):
                parts += [f"freed AS ({FREE_PAPERS.format(returned=RETURNED)})"]
            found += ["SELECT 'ended', id FROM ended"]
            values += arguments
        if self.ready:
            sql, arguments = self._begin()
            parts += [f"begun AS ({sql})"]
            parts += [f"written AS ({WRITE_PAPERS.format(papers=table(PAPERS), begun='begun')})"]
            found += ["SELECT 'begun', id FROM begun"]
            values += [*arguments, as_json(self.papers)]
        with connection.cursor() as cursor:
            cursor.execute(f"WITH {', '.join(parts)} {' UNION ALL '.join(found)}", values)
            ids = cursor.fetchall()
        return tuple({pk for which, pk in ids if which == name} for name in ("ended", "begun"))  # type: ignore[return-value]

    def _one_by_one(self) -> tuple[set[int], set[int]]:
        """SQLite: a few statements in the caller's transaction."""
        ended, begun = list[tuple[int, str]](), set[int]()
        with connection.cursor() as cursor:
            if self.endings:
                cursor.execute(*self._end())
                ended = cursor.fetchall()
                if returned := ", ".join(str(pk) for pk, status in ended if status in UNSENT):
                    cursor.execute(FREE_PAPERS.format(returned=returned))
            if self.ready:
                cursor.execute(*self._begin())
                begun = {pk for pk, _ in cursor.fetchall()}
                papers = as_json(row for row in self.papers if row["digest"] in begun)
                cursor.execute(WRITE_PAPERS.format(papers=table(PAPERS), begun="newsletter_digest"), [papers])
        return {pk for pk, _ in ended}, begun

    def _end(self) -> tuple[str, list[Any]]:
        return END.format(endings=table(ENDINGS), ids=ids(self.endings)), [instant(self.at), as_json(self.endings)]

    def _begin(self) -> tuple[str, list[Any]]:
        mailable, arguments = Subscriber.objects.mailable().values("pk", "email").query.sql_with_params()
        values = [instant(self.at), instant(self.lease_until), as_json(self.ready), *arguments]
        return BEGIN.format(ready=table(READY), ids=ids(self.ready), mailable=mailable), values


def ids(rows: Sequence[Row]) -> str:
    """The rows once more, by number: from JSON no planner knows how few they are, and may read the whole ledger."""
    return ", ".join(str(row["digest"]) for row in rows)
