"""One process of the delivery benchmark: `python -m benchmarks.delivery_part NAME [NUMBER]`.

Its settings come from the environment; what it measured goes to standard output as JSON.
"""

import json
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from datetime import date, timedelta
from functools import cache
from pathlib import Path

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.settings"
django.setup()

from django.conf import settings  # noqa: E402 - the settings read the environment
from django.core.mail import EmailMultiAlternatives, get_connection  # noqa: E402
from django.core.management import call_command  # noqa: E402
from django.db import connection, transaction  # noqa: E402
from django.db.models import Model  # noqa: E402
from django.utils import timezone  # noqa: E402

from newsletter import editions  # noqa: E402
from newsletter.delivery import ledger  # noqa: E402
from newsletter.delivery.feedback.events import apply_stored  # noqa: E402
from newsletter.delivery.pace import carrier  # noqa: E402
from newsletter.delivery.sending import Batches, Chosen, deliver_batch  # noqa: E402
from newsletter.delivery.wire.smtp_session import prepare  # noqa: E402
from newsletter.models import Digest, DigestPaper, Edition, Event  # noqa: E402
from newsletter.receivers import take_the_code_for_granted  # noqa: E402
from papers.models import Paper, PaperTopic, Reading, Topic  # noqa: E402
from subscribers.addresses import address_hash  # noqa: E402
from subscribers.models import Subscriber  # noqa: E402
from subscribers.styling import inlined  # noqa: E402
from tests.newsletter.plainly import contexts_of, plain_html, plain_text  # noqa: E402

TOPICS, PAPERS, FOLLOWED, SIZE = 40, 500, 4, 10
ZONES = ["UTC", "Europe/Berlin", "America/New_York", "Asia/Tokyo", "Asia/Kolkata", "Australia/Sydney"]
TEXT = (
    "we present a method that learns graph neural networks from large language models with sparse attention and shows "
    "that robust diffusion policies improve planning under uncertainty across benchmarks of vision speech and control"
)
WORDS = TEXT.split()


def fill(readers: int) -> dict[str, object]:
    """An empty database becomes one with papers of many topics, and readers who are due."""
    call_command("migrate", verbosity=0)
    chance, now = random.Random(1), timezone.now()
    topics = Topic.objects.bulk_create(
        Topic(slug=f"topic-{number}", name=f"Topic {number}", description="Of it.", field="ML")
        for number in range(TOPICS)
    )
    papers = Paper.objects.bulk_create(
        Paper(
            title=" ".join(chance.choices(WORDS, k=10)).capitalize(),
            title_key=f"paper-{number}",
            abstract=". ".join(" ".join(chance.choices(WORDS, k=20)).capitalize() for _ in range(9)) + ".",
            authors=[f"{chance.choice(WORDS).title()} {chance.choice(WORDS).title()}" for _ in range(6)],
            url=f"https://arxiv.org/abs/2511.{number:05}",
            pdf_url=f"https://arxiv.org/pdf/2511.{number:05}",
            listed_on=now.date(),
            hot=chance.random(),
            notice=3 * chance.random(),
        )
        for number in range(PAPERS)
    )
    PaperTopic.objects.bulk_create(
        PaperTopic(paper=paper, topic=topic, strength=chance.uniform(0.5, 1), source=PaperTopic.Source.TEXT)
        for paper in papers
        for topic in chance.sample(topics, 3)
    )
    Reading.objects.bulk_create(Reading(paper=paper, taken_at=now, upvotes=chance.randrange(300)) for paper in papers)
    for start in range(0, readers, 10_000):
        subscribe(range(start, min(start + 10_000, readers)), topics, chance)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")
    return {"readers": readers}


def subscribe(numbers: range, topics: Sequence[Topic], chance: random.Random) -> None:
    now = timezone.now()
    people = Subscriber.objects.bulk_create(
        Subscriber(
            email=f"reader{number}@example.org",
            status=Subscriber.Status.ACTIVE,
            zone=ZONES[number % len(ZONES)],
            digest_size=SIZE,
            confirmed_at=now - timedelta(days=30),
            next_digest_at=now - timedelta(minutes=number % 60 + 1),
        )
        for number in numbers
    )
    through = Subscriber.topics.through
    through.objects.bulk_create(
        through(subscriber_id=reader.pk, topic_id=topic.pk)
        for reader in people
        for topic in chance.sample(topics, FOLLOWED)
    )


def many(readers: int) -> dict[str, object]:
    """So many more readers who are due, like the first one but for their zones, made by the database. No topics: who is
    only planned needs none."""
    number = "n + (SELECT max(id) FROM subscribers_subscriber)"
    own = {
        "uid": "gen_random_uuid()",
        "email": f"'many' || {number} || '@example.org'",
        "leave_key": f"substr(md5('many' || {number}), 1, 22)",
        "zone": f"(ARRAY{ZONES})[1 + n %% {len(ZONES)}]",
        "next_digest_at": "now() - (1 + n %% 60) * interval '1 minute'",
    }
    columns, values = copied(Subscriber, "s", own)
    like = "(SELECT * FROM subscribers_subscriber ORDER BY id LIMIT 1) AS s"
    with connection.cursor() as cursor:
        cursor.execute(
            f"INSERT INTO subscribers_subscriber ({columns}) SELECT {values} FROM generate_series(1, %s) AS n, {like}",
            [readers],
        )
        cursor.execute("VACUUM ANALYZE")
    return {"readers": readers}


def plan(_: int) -> dict[str, object]:
    """Plan who is due; the clock starts when it is told to."""
    return measured(lambda: editions.plan(timezone.now()))


def claim(_: int) -> dict[str, object]:
    """How long a claim takes, and by which way: nothing of it stays."""
    times, now = [], timezone.now()
    for _ in range(20):
        with transaction.atomic():
            started = time.monotonic()
            claimed = ledger.claim(now, settings.CLAIM_SIZE)
            times.append(time.monotonic() - started)
            transaction.set_rollback(True)
    due = Digest.objects.claimable(now).values_list("pk", flat=True)[: settings.CLAIM_SIZE]
    with transaction.atomic():
        ledger.sort_nothing()  # as a claim does
        plan = due.explain()
    ways = [line.split(" on ")[0].strip(" ->") for line in plan.splitlines() if " on " in line]
    rows = Digest.objects.count()
    return {"rows": rows, "claimed": len(claimed), "milliseconds": sorted(times)[10] * 1e3, "ways": ways}


def settled(rows: int) -> dict[str, object]:
    """A ledger with so many old rows: digests of years, accepted long ago, of editions of their own."""
    own = {
        "uid": "gen_random_uuid()",
        "edition_id": "e.id",
        "subscriber_id": "r.id",
        "status": "'accepted'",
        "lease_until": "NULL",
        "submitted_at": "d.not_before",
        "settled_at": "d.not_before",
    }
    columns, values = copied(Digest, "d", own)
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM subscribers_subscriber")
        [(readers,)] = cursor.fetchall()
        days = -(-rows // readers)
        Edition.objects.bulk_create(
            Edition(kind="daily", date=date(2020, 1, 1) + timedelta(days=day)) for day in range(days)
        )
        cursor.execute("SET session_replication_role = replica")  # their readers are there: no need to look for each
        cursor.execute(
            f"INSERT INTO newsletter_digest ({columns}) SELECT {values} FROM "
            "(SELECT * FROM newsletter_edition WHERE date < '2025-01-01') AS e, subscribers_subscriber AS r, "
            "(SELECT * FROM newsletter_digest ORDER BY id LIMIT 1) AS d LIMIT %s",
            [rows],
        )
        cursor.execute("VACUUM ANALYZE newsletter_digest")
    return {"rows": rows}


def copied(model: type[Model], like: str, own: Mapping[str, str]) -> tuple[str, str]:
    """The columns of a row, and what they get: their own, or as in the row named `like`."""
    columns = [field.column for field in model._meta.concrete_fields if not field.primary_key]
    return ", ".join(columns), ", ".join(own.get(column, f"{like}.{column}") for column in columns)


def again(_: int) -> dict[str, object]:
    """All digests are planned once more, and nobody has had any paper."""
    DigestPaper.objects.all()._raw_delete("default")
    Digest.objects.update(status="planned", lease_until=None, submitted_at=None, settled_at=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {}


def deliver(_: int) -> dict[str, object]:
    """Deliver until nothing is due; the clock starts when it is told to."""

    def all_of_them() -> int:
        delivered = 0
        while batch := deliver_batch(seconds=settings.DELIVER_SECONDS):
            delivered += batch
        return delivered

    take_the_code_for_granted()  # as a worker does
    warm_up()
    return measured(all_of_them)


def warm_up() -> None:
    """What a worker does once in its life, and once for an edition: pages are imported, an edition's cards rendered."""
    for one in batch(list(Digest.objects.select_related("edition", "subscriber")[:200])):
        one.renderer.message(one.digest, one.choices)


def measured(work: Callable[[], int]) -> dict[str, object]:
    """What it cost to do this, from when all processes are to start; it says how much it has done."""
    statements = Counter[str]()

    def count(execute, sql, parameters, many, context):  # type: ignore[no-untyped-def]
        statements["all"] += 1
        return execute(sql, parameters, many, context)

    connection.ensure_connection()
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu = time.monotonic(), time.process_time()
    with connection.execute_wrapper(count):
        done = work()
    return {
        "done": done,
        "from": started,
        "to": time.monotonic(),
        "cpu": time.process_time() - cpu,
        "statements": statements["all"],
        "megabytes": megabytes(),
    }


def accepted(since: int) -> dict[str, object]:
    """When the digests were accepted, in seconds after that second of the clock."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT percentile_cont(ARRAY[0.5, 0.99, 1.0]) WITHIN GROUP "
            "(ORDER BY extract(epoch FROM settled_at) - %s), "
            "count(*) FROM newsletter_digest WHERE status = 'accepted'",
            [since],
        )
        [(percentiles, count)] = cursor.fetchall()
    return {"seconds": percentiles, "count": count}


def told(percent: int) -> dict[str, object]:
    """Of each digest the provider has told that it arrived, or of so many of a hundred that they came back for good."""
    now, events = timezone.now(), list[Event]()
    Digest.objects.update(status="accepted", submitted_at=now, settled_at=now)
    Event.objects.all()._raw_delete("default")
    for number, (uid, email) in enumerate(Digest.objects.values_list("uid", "subscriber__email")):
        hard = number % 100 < percent
        own = {"provider": "Postmark", "key": str(number), "type": "bounced" if hard else "delivered", "hard": hard}
        events.append(Event(**own, digest_uid=uid, recipient_hash=address_hash(email), happened_at=now))
    Event.objects.bulk_create(events, batch_size=1000)
    return {}


def hear(_: int) -> dict[str, object]:
    """Apply what was told; the clock starts when it is told to."""
    return measured(lambda: sum(iter(lambda: apply_stored(timezone.now()), 0)))


def export(number: int) -> dict[str, object]:
    """So many of our messages in a file, for the peers, and how large they are on the wire."""
    messages, octets = [], 0
    for one in batch(list(Digest.objects.select_related("edition", "subscriber")[:number])):
        mail = one.renderer.message(one.digest, one.choices)
        octets += len(prepare(mail).content)
        messages.append(
            {
                "from": mail.from_email,
                "to": mail.to[0],
                "subject": mail.subject,
                "text": mail.body,
                "html": mail.alternatives[0][0],
                "headers": mail.extra_headers,
            }
        )
    Path(os.environ["MESSAGES"]).write_text(json.dumps(messages))
    return {"octets": octets / len(messages), "count": len(messages)}


def ready_made(number: int) -> dict[str, object]:
    """The ordinary way, but that the messages are written before the clock runs."""
    return loop(number, [one.renderer.message(one.digest, one.choices) for one in some(number)].__getitem__)


def rendered(number: int) -> dict[str, object]:
    """The ordinary way: Django's templates rendered for each reader, the styles put inline. The same octets as ours."""
    chosen = some(number)
    papers = contexts_of([choice for one in chosen for choice in one.choices])

    def build(place: int) -> EmailMultiAlternatives:
        one = chosen[place]
        mail = one.renderer.message(one.digest, one.choices[:1])  # its headers
        mail.body = plain_text(one.renderer, one.digest, one.choices, papers)
        html = inlined(plain_html(one.renderer, one.digest, one.choices, papers))
        mail.alternatives.clear()
        mail.attach_alternative(html, "text/html")
        return mail

    return loop(number, build)


def loop(number: int, build: Callable[[int], EmailMultiAlternatives]) -> dict[str, object]:
    """Each message is sent by Django's backend over one connection, its row saved."""
    digests = [one.digest for one in some(number)]
    mail = get_connection()
    mail.open()
    started, cpu = time.monotonic(), time.process_time()
    for place, digest in enumerate(digests):
        mail.send_messages([build(place)])
        digest.subject = "sent"
        digest.save(update_fields=["subject"])
    seconds, spent = time.monotonic() - started, time.process_time() - cpu
    mail.close()
    return {"rate": len(digests) / seconds, "cpu": spent / len(digests) * 1e6, "megabytes": megabytes()}


@cache
def some(number: int) -> list[Chosen]:
    return batch(list(Digest.objects.select_related("edition", "subscriber").order_by("pk")[:number]))


def batch(digests: list[Digest]) -> list[Chosen]:
    with closing(carrier()) as by:
        return Batches(by, len(digests), time.monotonic())._choose(digests)


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


PARTS = (fill, many, settled, plan, claim, deliver, accepted, again, told, hear, export, ready_made, rendered)

if __name__ == "__main__":
    part = {part.__name__: part for part in PARTS}[sys.argv[1]]
    print(json.dumps(part(int(sys.argv[2]) if len(sys.argv) > 2 else 0)), flush=True)
