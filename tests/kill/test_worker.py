"""After a kill nobody is forgotten and nobody is mailed twice."""

from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
import redis
from django.utils import timezone

from newsletter.models import Digest, Edition
from papers.models import Topic
from subscribers.models import Subscriber
from tests.kill.conftest import HoldingRelay, Machine, kill, until
from tests.newsletter.conftest import make_paper

pytestmark = pytest.mark.kill

READERS = 40
SLICE = 5


@pytest.fixture
def readers(transactional_db: None) -> list[Subscriber]:
    """Forty who are due now, and papers for them."""
    now = timezone.now()
    topic = Topic.objects.create(slug="graphs", name="Graphs", description="On graphs.", field="ML")
    for number in range(1, 7):
        make_paper(number, topic, listed_on=now.date())
    readers = Subscriber.objects.bulk_create(
        Subscriber(
            email=f"reader{number}@example.org",
            status=Subscriber.Status.ACTIVE,
            next_digest_at=now - timedelta(seconds=1),
        )
        for number in range(READERS)
    )
    for reader in readers:
        reader.topics.add(topic)
    return readers


def states() -> Counter[str]:
    return Counter(Digest.objects.values_list("status", flat=True))


def settled() -> bool:
    return sum(states().values()) == READERS and not set(states()) & set(Digest.Status.unsettled())


def assert_complete(relay: HoldingRelay) -> None:
    """Each planned reader: accepted once, or in doubt and counted; the equation holds."""
    received = Counter(relay.recipients)
    assert max(received.values()) == 1
    for digest in Digest.objects.exclude(status="in_doubt").select_related("subscriber"):
        assert digest.status == "accepted"
        assert received[str(digest.subscriber.email)] == 1
    assert sum(Edition.objects.get().accounts().values()) == READERS


@pytest.mark.parametrize("moment", [1, 7, 23, READERS])
def test_a_worker_killed_while_the_relay_has_the_message_forgets_nobody_and_repeats_nobody(
    machine: Machine, relay: HoldingRelay, readers: list[Subscriber], tmp_path: Path, moment: int
) -> None:
    relay.hold_at = moment
    with machine.beat(tmp_path / "beat"):
        with machine.worker() as worker:
            assert relay.holding.wait(60)
            kill(worker)
        relay.go.set()
        with machine.worker():
            until(settled)
    assert states()["in_doubt"] <= 2 * SLICE
    assert states()["accepted"] >= READERS - 2 * SLICE
    assert_complete(relay)


def test_a_worker_that_is_asked_to_stop_leaves_no_doubt(
    machine: Machine, relay: HoldingRelay, readers: list[Subscriber], tmp_path: Path
) -> None:
    relay.hold_at = 7
    with machine.beat(tmp_path / "beat"):
        with machine.worker() as worker:
            assert relay.holding.wait(60)
            worker.terminate()
            relay.go.set()
            worker.wait(30)
        with machine.worker():
            until(settled)
    assert states() == {"accepted": READERS}
    assert_complete(relay)


def test_a_flushed_redis_loses_nothing(
    machine: Machine, relay: HoldingRelay, readers: list[Subscriber], redis_url: str, tmp_path: Path
) -> None:
    relay.hold_at = 7
    with machine.beat(tmp_path / "beat"), machine.worker():
        assert relay.holding.wait(60)
        redis.Redis.from_url(redis_url).flushall()
        relay.go.set()
        until(settled)
    assert states() == {"accepted": READERS}
    assert_complete(relay)


def test_two_workers_on_one_edition_send_each_digest_once(
    machine: Machine, relay: HoldingRelay, readers: list[Subscriber], tmp_path: Path
) -> None:
    with machine.beat(tmp_path / "beat"), machine.worker(), machine.worker():
        until(settled)
    assert states() == {"accepted": READERS}
    assert_complete(relay)
