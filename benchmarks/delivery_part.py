"""One process of the delivery benchmark: `python -m benchmarks.delivery_part fill|plan|deliver|loop|again [NUMBER]`.

Its settings come from the environment; what it measured goes to standard output as JSON.
"""

import json
import os
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from datetime import timedelta

import django

os.environ["DJANGO_SETTINGS_MODULE"] = "newsletter.settings"
django.setup()

from django.core.mail import get_connection  # noqa: E402 - the settings read the environment
from django.core.management import call_command  # noqa: E402
from django.db import connection  # noqa: E402
from django.utils import timezone  # noqa: E402

from newsletter import editions  # noqa: E402
from newsletter.delivery.carriers import carrier  # noqa: E402
from newsletter.delivery.sending import Batches, Chosen, deliver_batch  # noqa: E402
from newsletter.models import Digest, DigestPaper  # noqa: E402
from papers.models import Paper, PaperTopic, Reading, Topic  # noqa: E402
from subscribers.models import Subscriber  # noqa: E402

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


def plan(_: int) -> dict[str, object]:
    """Plan who is due."""
    started = time.monotonic()
    planned = editions.plan(timezone.now())
    return {"planned": planned, "seconds": time.monotonic() - started, "megabytes": megabytes()}


def again(_: int) -> dict[str, object]:
    """All digests are planned once more, and nobody has had any paper."""
    DigestPaper.objects.all()._raw_delete("default")
    Digest.objects.update(status="planned", lease_until=None, submitted_at=None, settled_at=None)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    return {}


def deliver(_: int) -> dict[str, object]:
    """Deliver until nothing is due; the clock starts when it is told to."""
    statements = Counter[str]()

    def count(execute, sql, parameters, many, context):  # type: ignore[no-untyped-def]
        statements["all"] += 1
        return execute(sql, parameters, many, context)

    warm_up()
    print("ready", flush=True)
    sys.stdin.readline()
    started, cpu, delivered = time.monotonic(), time.process_time(), 0
    with connection.execute_wrapper(count):
        while batch := deliver_batch(seconds=5):
            delivered += batch
    return {
        "delivered": delivered,
        "from": started,
        "to": time.monotonic(),
        "cpu": time.process_time() - cpu,
        "statements": statements["all"],
        "megabytes": megabytes(),
    }


def warm_up() -> None:
    """What a worker does once in its life, and once for an edition: pages are imported, an edition's cards rendered."""
    for one in batch(list(Digest.objects.select_related("edition", "subscriber")[:200])):
        one.renderer.message(one.digest, one.choices)


def loop(number: int) -> dict[str, object]:
    """The ordinary way: each message is built by Django and sent by its backend over one connection, its row saved.

    The same messages, with their cards rendered once as ours are: what differs is the way from there to the wire.
    """
    digests = Digest.objects.select_related("edition", "subscriber")[:number]
    chosen = batch(list(digests))
    mail = get_connection()
    mail.open()
    for one in chosen:  # what is rendered once is rendered before the clock runs, which only helps the loop
        one.renderer.message(one.digest, one.choices)
    started, cpu = time.monotonic(), time.process_time()
    for one in chosen:
        mail.send_messages([one.renderer.message(one.digest, one.choices)])
        one.digest.subject = "sent"
        one.digest.save(update_fields=["subject"])
    spent = {"rate": len(chosen) / (time.monotonic() - started), "cpu": (time.process_time() - cpu) / len(chosen) * 1e6}
    mail.close()
    return spent


def batch(digests: list[Digest]) -> list[Chosen]:
    with closing(carrier()) as by:
        return Batches(by, len(digests), 0)._choose(digests)


def megabytes() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    part = {"fill": fill, "plan": plan, "again": again, "deliver": deliver, "loop": loop}[sys.argv[1]]
    print(json.dumps(part(int(sys.argv[2]) if len(sys.argv) > 2 else 0)), flush=True)
