"""From claim to settled, through a real relay."""

import gc
import time
from contextlib import closing
from datetime import timedelta

import pytest
import time_machine
from celery.signals import worker_process_init
from pytest_django.fixtures import DjangoAssertNumQueries, Settings

from newsletter import editions
from newsletter.delivery import ledger
from newsletter.delivery.pace import carrier
from newsletter.delivery.sending import Batches, deliver_batch
from newsletter.models import Brake, Digest, DigestPaper, Edition
from papers.merging import merge
from papers.models import Paper, Topic
from subscribers.models import Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned_readers, statuses
from tests.stubs import Api, Relay

Status = Digest.Status
MINUTE = timedelta(minutes=1)


@pytest.fixture
def readers(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    """Three who follow graphs, planned and due."""
    return planned_readers(3, graphs)


def test_each_reader_gets_one_mail(readers: list[Subscriber], relay: Relay) -> None:
    assert deliver_batch() == 3
    assert sorted(relay.recipients) == [reader.email for reader in readers]
    assert statuses() == {"accepted": 3}
    assert deliver_batch() == 0


def test_the_mail_has_papers_of_the_readers_topics_with_reasons(readers: list[Subscriber], relay: Relay) -> None:
    deliver_batch()
    text = relay.accepted[0].get_body(("plain",)).get_content()
    assert "Graph neural networks paper 1" in text
    assert "Why: Graph neural networks · no. 1 in the trends of 20 March" in text
    assert relay.accepted[0]["Subject"] == "Graph neural networks paper 1"


def test_nobody_gets_the_same_paper_twice(readers: list[Subscriber], relay: Relay) -> None:
    deliver_batch()
    Subscriber.objects.update(next_digest_at=NOW + timedelta(days=1))
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        editions.plan(NOW + timedelta(days=1))
        deliver_batch()
    sent = list(DigestPaper.objects.filter(subscriber=readers[0]).values_list("paper", flat=True))
    assert len(sent) == len(set(sent)) == 5


def test_a_quiet_day_is_skipped_and_recorded(readers: list[Subscriber], graphs: Topic, relay: Relay) -> None:
    Edition.objects.get().pool.filter(paper__topics=graphs).delete()
    deliver_batch()
    assert statuses() == {"skipped": 3}
    assert Digest.objects.first().reason == "nothing new that fits"
    assert relay.accepted == []


def test_who_left_after_planning_gets_nothing(readers: list[Subscriber], relay: Relay) -> None:
    Subscriber.objects.filter(pk=readers[0].pk).update(status="unsubscribed", next_digest_at=None)
    deliver_batch()
    assert readers[0].email not in relay.recipients
    assert statuses() == {"accepted": 2, "skipped": 1}


def test_who_is_suppressed_gets_nothing(readers: list[Subscriber], relay: Relay) -> None:
    Suppression.objects.add("reader1@example.org", Suppression.Reason.COMPLAINED)
    deliver_batch()
    assert "reader1@example.org" not in relay.recipients
    assert "spam" in Digest.objects.get(subscriber=readers[1]).reason


def test_a_refused_recipient_fails_alone(readers: list[Subscriber], relay: Relay) -> None:
    relay.refuse = {"reader1@example.org": "550 no such user"}
    deliver_batch()
    assert statuses() == {"accepted": 2, "failed": 1}


def test_papers_that_a_reader_never_got_may_come_another_day(readers: list[Subscriber], relay: Relay) -> None:
    relay.answer = "554 no"
    deliver_batch()
    assert statuses() == {"failed": 3}
    assert not DigestPaper.objects.exists()
    relay.answer = "250 OK"
    Subscriber.objects.update(next_digest_at=NOW + timedelta(days=1))
    with time_machine.travel(NOW + timedelta(days=1), tick=False):
        editions.plan(NOW + timedelta(days=1))
        deliver_batch()
    assert relay.accepted[0]["Subject"] == "Graph neural networks paper 1"


def test_a_busy_relay_is_tried_again_later(readers: list[Subscriber], relay: Relay) -> None:
    relay.answer = "451 try again later"
    deliver_batch()
    assert statuses() == {"planned": 3}
    relay.answer = "250 OK"
    assert deliver_batch() == 0
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        deliver_batch()
    assert statuses() == {"accepted": 3}


def test_what_is_in_doubt_is_not_sent_again(readers: list[Subscriber], relay: Relay) -> None:
    relay.hang_up = True
    deliver_batch()
    relay.hang_up = False
    assert statuses() == {"in_doubt": 1, "planned": 2}
    with time_machine.travel(NOW + timedelta(hours=1), tick=False):
        ledger.sweep(NOW + timedelta(hours=1))
        assert deliver_batch() == 2
    assert statuses() == {"in_doubt": 1, "accepted": 2}
    assert len(relay.accepted) == 3


def test_a_relay_that_is_gone_loses_nothing(readers: list[Subscriber], relay: Relay, settings: Settings) -> None:
    settings.EMAIL_PORT = 1
    deliver_batch()
    assert statuses() == {"planned": 3}
    assert not DigestPaper.objects.exists()


def test_an_unreachable_relay_is_tried_once_a_batch(
    readers: list[Subscriber], relay: Relay, settings: Settings
) -> None:
    settings.EMAIL_PORT = 1
    assert deliver_batch() == 0
    assert statuses() == {"planned": 3}
    settings.EMAIL_PORT = relay.port
    with time_machine.travel(NOW + timedelta(minutes=1), tick=False):
        assert deliver_batch() == 3


def test_refused_credentials_stop_all_mail_loudly(readers: list[Subscriber], postmark: Api, settings: Settings) -> None:
    settings.SUBMIT_SLICE = 1  # what is in flight already cannot be called back
    postmark.status, postmark.body = 401, '{"ErrorCode": 10, "Message": "bad token"}'
    deliver_batch()
    assert len(postmark.requests) == 1
    assert statuses() == {"planned": 3}
    assert "401" in Brake.objects.engaged().get().reason
    assert deliver_batch() == 0


def test_a_released_brake_lets_mail_go(readers: list[Subscriber], relay: Relay) -> None:
    Brake.objects.pull("by hand")
    assert deliver_batch() == 0
    Brake.objects.update(released_at=NOW)
    assert deliver_batch() == 3


def test_a_poison_paper_fails_only_those_who_would_get_it(
    readers: list[Subscriber], relay: Relay, robot_papers: list[Paper], robots: Topic
) -> None:
    Paper.objects.filter(pk=robot_papers[-1].pk).update(authors=[{"not": "a name"}])
    readers[0].topics.set([robots])
    deliver_batch()
    assert Digest.objects.get(subscriber=readers[0]).status == Status.FAILED
    assert sorted(relay.recipients) == [reader.email for reader in readers[1:]]


def test_the_provider_is_told_the_digests_id(readers: list[Subscriber], postmark: Api) -> None:
    deliver_batch()
    told = {request["Metadata"]["digest"] for request in postmark.requests}
    assert told == {str(uid) for uid in Digest.objects.values_list("uid", flat=True)}


def test_the_cost_per_digest_is_a_few_queries(
    papers: list[Paper], graphs: Topic, relay: Relay, django_assert_max_num_queries: DjangoAssertNumQueries
) -> None:
    add_readers(60, graphs)
    editions.plan(NOW)
    with django_assert_max_num_queries(60 * 2 + 60):
        deliver_batch()
    assert statuses() == {"accepted": 60}


def test_a_worker_takes_its_code_for_granted() -> None:
    gc.unfreeze()
    try:
        worker_process_init.send(None)
        assert gc.get_freeze_count() > 10_000
    finally:
        gc.unfreeze()


def test_a_paper_that_was_merged_since_the_pool_was_read_is_not_chosen(
    papers: list[Paper], graphs: Topic, robots: Topic, relay: Relay
) -> None:
    for reader, topic in zip(add_readers(2, digest_size=2), (graphs, robots), strict=True):
        reader.topics.set([topic])
    editions.plan(NOW)
    with closing(carrier(5)) as by:
        copies = Batches(by, 1, time.monotonic() + 5).copies()
        assert [choice.paper for choice in next(copies).choices] == [paper.pk for paper in papers[:2]]
        keep, drop = papers[4], papers[5]  # the first two on robots, which the second reader would get
        merge(keep.pk, drop.pk, NOW, "a test")
        assert drop.pk not in [choice.paper for choice in next(copies).choices]
    assert statuses() == {"claimed": 2}
