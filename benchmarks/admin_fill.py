"""Fills the database of the admin's benchmark: `python -m benchmarks.admin_fill READERS DIGESTS`.

One row of each kind is made as the tests make theirs; the database itself copies it, as often as a service of such a
size would have it. What is there already is not made again.
"""

import os
import sys
import time
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.settings"
django.setup()

from django.contrib.admin.models import LogEntry  # noqa: E402 - the settings read the environment
from django.contrib.contenttypes.models import ContentType  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.db.models import Max, Model  # noqa: E402
from django.utils import timezone  # noqa: E402

from benchmarks.delivery_part import ZONES, copied  # noqa: E402
from newsletter import census  # noqa: E402
from newsletter.models import Digest, Edition, Event, Feedback  # noqa: E402
from papers.models import Listing, Paper, PaperTopic, Reading, Topic  # noqa: E402
from subscribers.models import (  # noqa: E402
    Consent,
    Letter,
    Parting,
    Subscriber,
    SubscriptionRequest,
    Suppression,
)
from tests.newsletter.rows import make  # noqa: E402

PAPERS, POOL, TOPICS = 100_000, 500, 40  # papers in all, and of an edition
DAYS = 1_000  # with editions; the last have digests
Own = Mapping[str, str]  # SQL by column; what is not named is as in the copied row


def main(readers: int, digests: int) -> None:
    call_command("migrate", verbosity=0)
    if not Topic.objects.exists():
        make(Topic, TOPICS)
    open_editions()
    for model, (count, own) in kinds(readers).items():
        grow(model, count, own)
    plan(readers, digests)
    beside()
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    if not census.Census.objects.exists():
        census.take(timezone.now())
        for edition in Edition.objects.filter(date__gte=timezone.now().date() - timedelta(days=30)):
            census.count(edition, None, timezone.now())


def mixed(shares: Mapping[Any, int], number: str = "n") -> str:
    """One of some values, each with its share of a hundred thousand; the same number has the same one."""
    place, cases = 0, []
    for value, share in shares.items():
        place += share
        cases.append(f"WHEN ({number})::bigint * 2654435761 % 4294967291 % 100000 < {place} THEN '{value}'")
    return f"CASE {' '.join(cases)} END"


TYPES = mixed({"delivered": 99_500, "bounced": 450, "complained": 49, "rejected": 1}, "l.id")
ENDS = {
    "skipped": 9_000,
    "bounced": 400,
    "failed": 300,
    "expired": 250,
    "complained": 40,
    "cancelled": 9,
    "in_doubt": 1,
}


def past(days: int, number: str = "n") -> str:
    """A moment of the last days, the later the higher the number out of a million."""
    return f"now() - {days} * (1 - {number} % 1000000 / 1e6) * interval '1 day'"


def kinds(readers: int) -> dict[type[Model], tuple[int, Own]]:
    """How many rows of what, and what is a row's own; `n` is its number. Those that others hang on come first."""
    return {Subscriber: (readers, a_reader()), Paper: (PAPERS, A_PAPER), **of_papers(), **of_readers(readers)}


def a_reader() -> Own:
    often, seldom = {"active": 90_000, "pending": 3_000, "paused": 2_000, "unsubscribed": 4_000}, {"bounced": 990}
    status = mixed(often | seldom | {"complained": 10})
    return {
        "uid": "gen_random_uuid()",
        "email": "'person' || n || '@example.org'",
        "leave_key": "md5(n::text)",
        "status": status,
        "cadence": mixed({"daily": 80_000, "weekly": 19_000, "monthly": 1_000}, "n + 7"),
        "zone": f"(ARRAY{ZONES})[1 + n % {len(ZONES)}]",
        "next_digest_at": f"CASE WHEN {status} = 'active' THEN now() + n % 86400 * interval '1 second' END",
        "created_at": past(900),
        "confirmed_at": f"CASE WHEN {status} <> 'pending' THEN {past(900)} END",
        "status_changed_at": past(900),
    }


A_PAPER = {
    "title": "'Sparse attention over graphs of ' || md5(n::text) || ' robots'",
    "title_key": "'paper-' || n",
    "arxiv_id": "'2511.' || lpad(n::text, 6, '0')",
    "abstract": "repeat('We present a method that learns from large models and shows it. ', 15)",
    "listed_on": f"current_date - ({PAPERS} - n::int) / 100",
    "hot": "n / 1000.0 + n * 7919 % 1000 / 100.0",
    "created_at": "now() - interval '1 day'",
}


def of_papers() -> dict[type[Model], tuple[int, Own]]:
    topic = {
        "paper_id": "1 + n / 3",
        "topic_id": f"1 + (n / 3 * 7 + n % 3 * 5) % {TOPICS}",
        "strength": "0.3 + n * 7919 % 70 / 100.0",
        "source": mixed({"categories": 60_000, "text": 39_500, "editor": 500}),
        "hot": "n / 3000.0 + n / 3 * 7919 % 1000 / 100.0",
    }
    paper = f"1 + n % {PAPERS}"
    day = f"current_date - ({PAPERS} - (n::int - 1) % {PAPERS}) / 100 - n::int / {PAPERS}"
    return {
        PaperTopic: (3 * PAPERS, topic),
        Reading: (10 * PAPERS, {"paper_id": paper, "taken_at": "now() - n * interval '80 s'", "upvotes": "n % 300"}),
        Listing: (PAPERS + PAPERS // 5, {"paper_id": paper, "place": "1 + n % 100", "day": day}),
    }


def of_readers(readers: int) -> dict[type[Model], tuple[int, Own]]:
    who = {"subscriber_id": f"1 + n % {readers}"}
    letter = {
        "uid": "gen_random_uuid()",
        "requested_at": past(365),
        "kind": mixed({"confirmation": 49_000, "welcome": 49_000, "goodbye": 1_990, "move_to": 10}),
        "status": mixed({"sent": 99_990, "failed": 9, "owed": 1}, "n + 3"),
    }
    agreed = mixed({"asked": 49_000, "confirmed": 49_000, "withdrawn": 1_990, "returned": 10})
    suppressed = mixed({"bounced": 80_000, "complained": 19_990, "operator": 10})
    said = {"paper_id": f"1 + n % {PAPERS}", "kind": mixed({"more": 70_000, "less": 29_990, "saved": 10})}
    request = {
        "email": "'asker' || n || '@example.org'",
        "mailbox": "md5(n::text)",
        "at": past(14),
        "status": mixed({"held": 99_000, "waiting": 1_000}),
        "reason": mixed({"mailbox": 99_000, "broken": 1_000}),
    }
    on_record = {Subscriber: 60_000, Digest: 30_000, Paper: 9_000, Edition: 1_000}
    kinds = {ContentType.objects.get_for_model(model).pk: share for model, share in on_record.items()}
    entry = {"object_id": "(n % 5000)::text", "action_time": past(900), "content_type_id": f"({mixed(kinds)})::int"}
    parting = {"day": "current_date - n::int % 900", "reason": mixed({"no_time": 99_900, "other": 100})}
    hashes = "md5(n::text) || md5((n + 1)::text)"
    return {
        Letter: (readers, who | letter),
        Consent: (2 * readers, who | {"at": past(900), "action": agreed}),
        Suppression: (readers // 20, {"address_hash": hashes, "at": past(900), "reason": suppressed}),
        Feedback: (readers, who | said | {"at": past(365)}),
        Parting: (readers // 20, parting),
        SubscriptionRequest: (readers // 50, request),
        LogEntry: (readers, entry),
    }


def grow(model: type[Model], count: int, own: Own) -> None:
    """As many rows as that, like the first."""
    rows, table = model._default_manager, model._meta.db_table
    if not rows.exists():
        make(model, 1)
    there = rows.aggregate(most=Max("pk"))["most"]
    columns, values = copied(model, "l", own)
    run(
        f"INSERT INTO {table} ({columns}) SELECT {values} FROM generate_series({there + 1}::bigint, {count}) AS n, "
        f"(SELECT * FROM {table} ORDER BY id LIMIT 1) AS l ON CONFLICT DO NOTHING"
    )


def open_editions() -> None:
    """Of each day, week and month."""
    today = timezone.now().date()
    days = [today - timedelta(days=day) for day in range(DAYS)]
    kinds = [("daily", day) for day in days] + [("sample", day) for day in days[:30]]
    kinds += [("weekly", day) for day in days if day.weekday() == 0] + [
        ("monthly", day) for day in days if day.day == 1
    ]
    Edition.objects.bulk_create((Edition(kind=kind, date=day) for kind, day in kinds), ignore_conflicts=True)


def plan(readers: int, digests: int) -> None:
    """The latest editions get a digest for every reader, the oldest first; an edition at a time, to be gone on with."""
    status = mixed({"delivered": 80_000, "accepted": 10_000} | ENDS, "r.id + e.id")
    sent = "('delivered', 'accepted', 'bounced', 'complained')"
    own = {
        "uid": "gen_random_uuid()",
        "edition_id": "e.id",
        "subscriber_id": "r.id",
        "status": f"CASE WHEN e.date = current_date AND r.id % 5 = 0 THEN 'planned' ELSE {status} END",
        "reason": f"CASE WHEN {status} IN {sent} THEN '' ELSE 'a reason' END",
        **dict.fromkeys(["not_before", "planned_at", "submitted_at", "settled_at"], "e.date + interval '8 hours'"),
        "expires_at": "e.date + interval '20 hours'",
    }
    if not Digest.objects.exists():
        make(Digest, 1)
    columns, values = copied(Digest, "l", own)
    latest = list(Edition.objects.exclude(kind="sample").order_by("-date", "kind")[: -(-digests // readers)])
    for edition in reversed(latest):
        if not edition.digests.exists():
            run(
                f"INSERT INTO newsletter_digest ({columns}) SELECT {values} FROM newsletter_edition AS e, "
                "subscribers_subscriber AS r, (SELECT * FROM newsletter_digest ORDER BY id LIMIT 1) AS l "
                f"WHERE e.id = {edition.pk} ORDER BY r.id LIMIT {min(readers, digests)} ON CONFLICT DO NOTHING"
            )


def beside() -> None:
    """Five papers in each of the latest 200,000 digests, an event of a million, and what editions drew from."""
    if Event.objects.exists():
        return
    event = {"digest_uid": "l.uid", "key": "l.id::text", "received_at": "l.planned_at + interval '1 minute'"}
    columns, values = copied(Event, "e", event | {"type": TYPES, "applied_at": "l.settled_at"})
    make(Event, 1)
    latest = "(SELECT * FROM newsletter_digest ORDER BY id DESC LIMIT {})"
    run(
        f"INSERT INTO newsletter_event ({columns}) SELECT {values} "
        f"FROM {latest.format(1_000_000)} AS l, (SELECT * FROM newsletter_event LIMIT 1) AS e"
    )
    run(
        "INSERT INTO newsletter_digestpaper (digest_id, subscriber_id, paper_id, place, reason, outside, rising) "
        f"SELECT l.id, l.subscriber_id, {PAPERS} - (l.id + n) % {POOL}, n, 'Robotics', false, false "
        f"FROM {latest.format(200_000)} AS l, generate_series(1, 5) AS n ON CONFLICT DO NOTHING"
    )
    run(
        "INSERT INTO newsletter_editionpaper (edition_id, paper_id, hot, notice, choice, place, since) "
        f"SELECT e.id, p.id, p.hot, 1, 'pool', 0, 0 FROM "
        "(SELECT id FROM newsletter_edition ORDER BY date DESC LIMIT 30) AS e, "
        f"(SELECT * FROM papers_paper ORDER BY id DESC LIMIT {POOL}) AS p"
    )


def run(sql: str) -> None:
    started = time.monotonic()
    with connection.cursor() as cursor:
        cursor.execute(sql)
        print(f"{sql[:40]}… {cursor.rowcount:,} rows, {time.monotonic() - started:.0f} s", file=sys.stderr)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
