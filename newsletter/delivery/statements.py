"""The ledger's two hot transitions as statements over many rows at once, in the words of both databases."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any

from django.db import connection

from newsletter.rows import Row, as_json, instant, run, table
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
READY = {
    "digest": "bigint",
    "token": "integer",
    "held": "text",
    "subject": "text",
    "email": "text",
    "address_hash": "text",
    "idempotency_key": "text",
    # One of each for each paper, in their order: a third of the text that a row for each would be.
    "papers": "bigint[]",
    "reasons": "text[]",
    "outside": "boolean[]",
    "rising": "boolean[]",
}

# Rows whose token is still this worker's, in the state it held them in. A worker that outlived its lease finds its
# submissions in doubt; its answer is better, and is written. The ids are there in addition to the join, because no
# planner knows how few rows JSON holds, and it might read the whole ledger; for the same reason the state comes with
# the rows: a literal state would tempt the planner to the index of all held rows.
END = """
UPDATE newsletter_digest AS d
SET status = a.becomes, reason = a.reason, lease_until = NULL,
    provider_id = CASE WHEN a.provider_id = '' AND a.becomes <> 'accepted' THEN d.provider_id ELSE a.provider_id END,
    not_before = COALESCE(a.not_before, d.not_before),
    settled_at = CASE WHEN a.becomes = 'planned' THEN NULL ELSE %s END,
    submitted_at = CASE WHEN a.becomes = 'planned' THEN NULL ELSE d.submitted_at END
FROM endings AS a
WHERE d.id = a.digest AND d.id {among} AND d.fencing_token = a.token
  AND (d.status = a.held OR (a.held = 'submitting' AND d.status = 'in_doubt'))
RETURNING id, status"""
EACH = "= ANY (ARRAY(SELECT digest FROM {}))"
FREE_PAPERS = "DELETE FROM newsletter_digestpaper WHERE digest_id IN ({returned})"
# A refusal also says that nothing was sent: its papers may come another day.
NOT_SENT = ("planned", "failed")
RETURNED = "SELECT id FROM ended WHERE status IN ('planned', 'failed')"
# The gate once more, as a condition (subscribers/gate.py gives the reasons): people leave and move, editions are
# stopped and brakes are pulled between claim and submission. Editions and readers are looked up row by row: the planner
# might begin a join at the other end, with all active readers, or all digests of an open edition.
BEGIN = """
UPDATE newsletter_digest AS d
SET status = 'submitting', submitted_at = %s, lease_until = %s, subject = a.subject, idempotency_key = a.idempotency_key
FROM ready AS a
WHERE d.id = a.digest AND d.id {among} AND d.fencing_token = a.token
  AND d.status = a.held
  AND (SELECT e.status FROM newsletter_edition AS e WHERE e.id = d.edition_id) = 'open'
  AND (SELECT m.email FROM ({mailable}) AS m WHERE m.pk = d.subscriber_id) = a.email
  AND NOT EXISTS (
    SELECT 1 FROM subscribers_suppression AS s WHERE s.address_hash = a.address_hash AND s.lifts_id IS NULL
    AND NOT EXISTS (SELECT 1 FROM subscribers_suppression AS l WHERE l.lifts_id = s.id)
  )
  AND NOT EXISTS (SELECT 1 FROM newsletter_brake AS b WHERE b.released_at IS NULL)
RETURNING id, subscriber_id"""
WRITE_PAPERS = """
INSERT INTO newsletter_digestpaper (digest_id, subscriber_id, paper_id, place, reason, outside, rising)
SELECT d.id, d.subscriber_id, {columns} FROM ready AS a JOIN {begun} AS d ON d.id = a.digest, {each}"""
IN_POSTGRES = {
    "begun": "begun",
    "each": "unnest(a.papers, a.reasons, a.outside, a.rising) WITH ORDINALITY AS p(paper, why, outside, rising, place)",
    "columns": "p.paper, p.place, p.why, p.outside, p.rising",
}
IN_SQLITE = {
    "begun": "newsletter_digest",
    "each": "json_each(a.papers) AS p",
    "columns": ", ".join(
        ["p.value", "p.key + 1", *(f"json_extract(a.{name}, p.fullkey)" for name in ("reasons", "outside", "rising"))]
    ),
}


@dataclass(frozen=True)
class Transitions:
    """What is to be written at once."""

    endings: Sequence[Row]
    ready: Sequence[Row]
    at: datetime
    lease_until: datetime

    def run(self) -> tuple[set[int], set[int]]:
        """The digests that were ended, and those that were begun. Raises IntegrityError, with nothing written, where
        another digest of a reader took the same paper at this moment.
        """
        return self._as_one() if connection.vendor == "postgresql" else self._one_by_one()

    def _as_one(self) -> tuple[set[int], set[int]]:
        """PostgreSQL: one statement, and so one round trip and one commit."""
        frees = any(row["becomes"] in NOT_SENT for row in self.endings)
        mailable, active = who_is_mailable()
        values = [as_json(self.endings), as_json(self.ready), instant(self.at)]
        values += [instant(self.at), instant(self.lease_until), *active]
        found = run(as_one_statement(mailable, frees=frees), values)
        ended, begun = ({pk for which, pk in found if which == name} for name in ("ended", "begun"))
        return ended, begun

    def _one_by_one(self) -> tuple[set[int], set[int]]:
        """SQLite: a few statements in the caller's transaction."""
        ended, begun = list[tuple[Any, ...]](), set[int]()
        if self.endings:
            sql = f"WITH endings AS {table(ENDINGS)} {END.format(among=these(self.endings))}"
            ended = run(sql, [as_json(self.endings), instant(self.at)])
            if returned := ", ".join(str(pk) for pk, status in ended if status in NOT_SENT):
                run(FREE_PAPERS.format(returned=returned), [])
        if self.ready:
            mailable, active = who_is_mailable()
            sql = f"WITH ready AS {table(READY)} {BEGIN.format(among=these(self.ready), mailable=mailable)}"
            values = [as_json(self.ready), instant(self.at), instant(self.lease_until), *active]
            begun = {pk for pk, _ in run(sql, values)}
            theirs = as_json(row for row in self.ready if row["digest"] in begun)
            run(f"WITH ready AS {table(READY)} {WRITE_PAPERS.format(**IN_SQLITE)}", [theirs])
        return {pk for pk, _ in ended}, begun


def these(rows: Sequence[Row]) -> str:
    return f"IN ({', '.join(str(row['digest']) for row in rows)})"


@lru_cache
def who_is_mailable() -> tuple[str, Sequence[object]]:
    """Who may get a digest, in SQL."""
    sql, values = Subscriber.objects.mailable().values("pk", "email").query.sql_with_params()
    return sql, values


@lru_cache
def as_one_statement(mailable: str, *, frees: bool) -> str:
    """All of it, always in the same words; `frees` where papers may become free again."""
    parts = [
        f"endings AS {table(ENDINGS)}",
        f"ready AS {table(READY)}",
        f"ended AS ({END.format(among=EACH.format('endings'))})",
        f"begun AS ({BEGIN.format(among=EACH.format('ready'), mailable=mailable)})",
        f"written AS ({WRITE_PAPERS.format(**IN_POSTGRES)})",
        *([f"freed AS ({FREE_PAPERS.format(returned=RETURNED)})"] if frees else []),
    ]
    found = "SELECT 'ended', id FROM ended UNION ALL SELECT 'begun', id FROM begun"
    return f"WITH {', '.join(parts)} {found}"
