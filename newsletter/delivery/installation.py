"""Whether this is the database that mail was last sent from, or a copy of it: no copy ever mails by itself.

A restored dump holds people who have left since and digests that have gone out since. It is told from the original by
where it lies (a cluster's own number, the database's and the table's; on SQLite the file's), and by a count of ticks
that is kept in Redis too: a database that is behind what Redis remembers has gone back in time. A Redis that remembers
nothing is no evidence: it may have been flushed. What is found pulls the brake, until a person says that mail is meant
to go out from here.
"""

import logging
import os
import uuid
from datetime import datetime

import redis
from django.conf import settings
from django.db import connection, transaction
from django.db.models import F

from newsletter import audit
from newsletter.models import Brake, Digest, Installation
from subscribers import shared

log = logging.getLogger(__name__)

POSTGRES_PLACE = """
SELECT (SELECT oid FROM pg_database WHERE datname = current_database()), 'newsletter_installation'::regclass::oid"""


def renew(at: datetime) -> bool:
    """At each tick: check, and if all is well count it, here and in Redis."""
    if not check(at):
        return False
    Installation.objects.filter(pk=1).update(beat=F("beat") + 1, renewed_at=at)
    _remember(Installation.objects.get(pk=1))
    return True


def check(at: datetime) -> bool:
    """Whether mail may go out from this database; where not, the brake is pulled."""
    why = _why_not(at)
    if why:
        Brake.objects.pull(f"This database may be a copy: {why}.", Brake.Cause.RESTORED)
    return not why


def adopt(at: datetime, by: str) -> None:
    """A person says that mail is meant to go out from this database: it is another one from now on."""
    fresh = {"epoch": uuid.uuid4(), "place": place(), "renewed_at": at}
    with transaction.atomic():
        row, _ = Installation.objects.update_or_create(pk=1, defaults=fresh)
        Brake.objects.engaged().filter(cause=Brake.Cause.RESTORED).update(released_at=at)
        audit.note(by, [row], "adopt", {})
    _remember(row)


def place() -> str:
    """Where the database lies. A dump restored anywhere, also over the original, lies elsewhere."""
    if connection.vendor == "sqlite":
        name = str(connection.settings_dict["NAME"])
        return f"{name}, inode {os.stat(name).st_ino}" if os.path.exists(name) else name
    with connection.cursor() as cursor:
        cursor.execute("SELECT has_function_privilege('pg_control_system()', 'execute')")
        cluster = "unknown"
        if cursor.fetchone()[0]:
            cursor.execute("SELECT system_identifier FROM pg_control_system()")
            cluster = cursor.fetchone()[0]
        cursor.execute(POSTGRES_PLACE)
        database, table = cursor.fetchone()
    return f"cluster {cluster}, database {database}, table {table}"


def _why_not(at: datetime) -> str:
    if settings.DATABASE_IS_RESTORED:
        return "DATABASE_IS_RESTORED is set"
    # Redis first: what it is told is in the database already, and other workers' ticks may come between the two reads.
    remembered, row = _remembered(), Installation.objects.filter(pk=1).first()
    if row is not None:
        return _why_another(row, remembered)
    if remembered and Digest.objects.exists():
        return "it has never sent mail, and Redis knows one that has"
    Installation.objects.get_or_create(pk=1, defaults={"place": place(), "renewed_at": at})
    return ""


def _why_another(row: Installation, remembered: tuple[str, int] | None) -> str:
    if row.place != place():
        return "it lies elsewhere than the one that mail was last sent from"
    epoch, beat = remembered or (str(row.epoch), row.beat)
    if epoch != str(row.epoch):
        return "Redis knows another one"
    return "it has gone back in time" if beat > row.beat else ""


def _remembered() -> tuple[str, int] | None:
    """The database that Redis knows, and its count; None where Redis does not answer, or knows none."""
    try:
        known = shared.ask(lambda client: client.get(_key()))
    except redis.RedisError:
        return None
    epoch, _, beat = str(known or "").partition(" ")
    return (epoch, int(beat)) if beat.isdigit() else None


def _remember(row: Installation) -> None:
    try:
        shared.ask(lambda client: client.set(_key(), f"{row.epoch} {row.beat}"))
    except redis.RedisError:
        log.warning("Redis does not answer: it is told at the next tick")


def _key() -> str:
    return f"{settings.REDIS_PREFIX}:installation"
