"""Many messages on their way at once, and what is written down when."""

import threading
import time
from collections.abc import Callable
from contextlib import closing
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test.utils import CaptureQueriesContext
from pytest_django.fixtures import Settings
from time_machine import Traveller

from newsletter import editions
from newsletter.delivery import decisions, flow, ledger
from newsletter.delivery.flow import DOUBTS, Flow
from newsletter.delivery.pace import carrier
from newsletter.delivery.sending import OVERTIME, Batches, deliver_batch
from newsletter.delivery.streak import REFUSALS
from newsletter.delivery.wire.provider import call_timeout
from newsletter.models import Brake, Digest, DigestPaper, Edition
from papers.models import Paper, Topic
from subscribers import suppressing
from subscribers.gate import why_not_mail
from subscribers.models import Subscriber, Suppression
from tests.conftest import NOW
from tests.newsletter.conftest import add_readers, planned_readers, statuses
from tests.stubs import Api, Server


@pytest.fixture
def readers(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    return planned_readers(30, graphs)


@pytest.mark.parametrize("width", [1, 4])
def test_never_more_are_in_flight_than_the_slice(
    readers: list[Subscriber], server: Server, settings: Settings, width: int
) -> None:
    settings.SUBMIT_SLICE, settings.SUBMIT_CONNECTIONS = width, 10
    lock, most = threading.Lock(), [0, 0]

    def answer(verb: str, recipient: str) -> None:
        if verb == ".":  # between a content and its reply
            with lock:
                most[0] += 1
                most[1] = max(most)
            threading.Event().wait(0.005)
            with lock:
                most[0] -= 1

    server.answer = answer
    assert deliver_batch() == 30
    assert statuses() == {"accepted": 30}
    assert 1 <= most[1] <= width


def test_a_digest_is_submitting_before_its_content_goes(readers: list[Subscriber], server: Server) -> None:
    with closing(carrier()) as by:
        flow = Flow(by, 5)
        batches = Batches(by, 30, time.monotonic())
        handed = []
        hand_over = by.hand_over

        def watched(key: int) -> None:
            handed.append(Digest.objects.get(pk=key).status)
            hand_over(key)

        by.hand_over = watched  # type: ignore[method-assign]
        flow.run(batches.copies())
    assert handed == ["submitting"] * 30


CHANGES: list[tuple[Callable[[], object], str, str]] = [
    (
        lambda: Subscriber.objects.update(status="unsubscribed", next_digest_at=None),
        "skipped",
        "the reader is unsubscribed",
    ),
    (lambda: Subscriber.objects.update(status="paused", next_digest_at=None), "skipped", "the reader is paused"),
    (lambda: Edition.objects.update(status="paused"), "planned", "its edition was stopped"),
    (lambda: Edition.objects.update(status="cancelled"), "planned", "its edition was stopped"),
    (lambda: Brake.objects.pull("by hand"), "planned", "all mail was stopped"),
    (
        lambda: [
            Suppression.objects.add(f"reader{one}@example.org", Suppression.Reason.COMPLAINED) for one in range(30)
        ],
        "skipped",
        "suppressed: marked as spam",
    ),
    (
        lambda: [
            Subscriber.objects.filter(pk=one.pk).update(email=f"new-{one.email}") for one in Subscriber.objects.all()
        ],
        "planned",
        "its reader has another address now",
    ),
]


@pytest.mark.parametrize(("change", "status", "reason"), CHANGES)
def test_what_changes_after_the_claim_is_seen_before_the_content_goes(
    readers: list[Subscriber], server: Server, change: Callable[[], object], status: str, reason: str
) -> None:
    with closing(carrier()) as by:
        built = list(Batches(by, 30, time.monotonic()).copies())
        change()
        Flow(by, 5).run(iter(built))
    assert server.accepted == []
    assert statuses() == {status: 30}
    assert set(Digest.objects.values_list("reason", flat=True)) == {reason}
    assert not DigestPaper.objects.exists()


def test_the_last_word_about_an_address_decides(readers: list[Subscriber], server: Server) -> None:
    """As at the gate: a suppression that was lifted keeps nothing back, one that came after does."""
    lifted, again = (str(one.email) for one in readers[:2])
    for email in (lifted, again):
        suppressing.suppress(email, "a slip", "olga")
        suppressing.lift(email, "it was a slip", "olga", NOW)
    Subscriber.objects.update(status="active")
    with closing(carrier()) as by:
        built = list(Batches(by, 30, time.monotonic()).copies())
        Suppression.objects.add(again, Suppression.Reason.COMPLAINED)
        Flow(by, 5).run(iter(built))
    assert statuses() == {"accepted": 29, "skipped": 1}
    assert Digest.objects.get(status="skipped").subscriber.email == again


def test_what_another_worker_has_claimed_since_is_left_to_it(
    readers: list[Subscriber], server: Server, settings: Settings
) -> None:
    with closing(carrier()) as by:
        built = list(Batches(by, 30, time.monotonic()).copies())
        later = NOW + settings.LEASE + timedelta(minutes=1)
        ledger.sweep(later)
        assert len(ledger.claim(later, 30)) == 30
        Flow(by, 5).run(iter(built))
    assert server.accepted == []
    assert set(Digest.objects.values_list("status", "attempts", "reason")) == {
        ("claimed", 2, "its worker did not finish")
    }


def test_the_condition_says_what_the_gate_says(readers: list[Subscriber], server: Server) -> None:
    with closing(carrier()) as by:
        built = list(Batches(by, 30, time.monotonic()).copies())
        for reader, status in zip(readers, Subscriber.Status.values, strict=False):
            email = None if status == "erased" else reader.email
            Subscriber.objects.filter(pk=reader.pk).update(status=status, email=email, next_digest_at=None)
        Suppression.objects.add("reader20@example.org", Suppression.Reason.OPERATOR)
        Flow(by, 5).run(iter(built))
    got = {recipient for recipient, _ in server.accepted}
    assert got == {str(reader.email) for reader in Subscriber.objects.all() if why_not_mail(reader) is None}


def test_a_refused_recipient_was_never_submitting(readers: list[Subscriber], server: Server) -> None:
    server.answer = lambda verb, recipient: "550 no such user" if verb == "RCPT" else None
    deliver_batch()
    assert statuses() == {"failed": 30}
    assert set(Digest.objects.values_list("submitted_at", flat=True)) == {None}


def with_many_domains() -> None:
    for reader in Subscriber.objects.all():
        reader.email = f"{reader.pk}@example.{('org', 'net', 'com')[reader.pk % 3]}"
        reader.save()


def test_a_provider_that_refuses_whatever_we_send_stops_all_mail(
    readers: list[Subscriber], server: Server, settings: Settings, clock: Traveller
) -> None:
    settings.SUBMIT_SLICE = settings.SUBMIT_CONNECTIONS = 2
    with_many_domains()
    server.answer = lambda verb, _: "554 5.7.1 Relay access denied" if verb == "RCPT" else None
    deliver_batch()
    assert REFUSALS <= statuses()["failed"] <= REFUSALS + 2
    assert not Brake.objects.exists(), "another worker may wait for an answer"
    clock.shift(timedelta(seconds=call_timeout()))
    deliver_batch()
    assert REFUSALS + 1 <= statuses()["failed"] <= REFUSALS + 3
    assert statuses()["failed"] + statuses()["planned"] == 30
    assert Brake.objects.get().reason.endswith(": 554 5.7.1 Relay access denied")


def test_one_that_takes_a_message_may_refuse_all_others(readers: list[Subscriber], server: Server) -> None:
    """Though it says so late: what is in flight is heard first."""
    with_many_domains()
    taken, refused = f"{readers[0].pk}@", threading.Semaphore(0)

    def answer(verb: str, to: str) -> str | None:
        if verb == "." and to.startswith(taken):
            for _ in range(REFUSALS):
                refused.acquire(timeout=10)
        if verb == "RCPT" and not to.startswith(taken):
            refused.release()
            return "550 no"
        return None

    server.answer = answer
    while deliver_batch():
        pass
    assert statuses() == {"accepted": 1, "failed": 29}
    assert not Brake.objects.exists()


def test_what_failed_and_is_tried_again_stops_nobodys_mail(readers: list[Subscriber], server: Server) -> None:
    with_many_domains()
    server.answer = lambda verb, _: "550 no such user" if verb == "RCPT" else None
    Digest.objects.update(status="failed", reason="550", settled_at=NOW)
    assert decisions.retry_failed(Digest.objects.all(), NOW) == 30
    deliver_batch()
    assert statuses() == {"failed": 30}
    assert not Brake.objects.exists()


def test_no_fault_beside_keeps_an_answer_from_being_written_down(readers: list[Subscriber], server: Server) -> None:
    server.answer = lambda verb, _: "550 5.7.1 denied" if verb == "RCPT" else None
    faults = []

    def broken(execute: Any, sql: str, *rest: Any) -> Any:
        if '"newsletter_digest"."subscriber_id" = ' in sql:
            faults.append(sql)
            raise OperationalError("canceling statement due to lock timeout")
        return execute(sql, *rest)

    with connection.execute_wrapper(broken):
        deliver_batch()
    assert faults
    assert statuses() == {"failed": 30}


def test_what_a_slow_relay_leaves_unbuilt_is_put_back(readers: list[Subscriber], server: Server) -> None:
    """Ticks and letters wait for a worker."""
    with closing(carrier()) as by:
        batches = Batches(by, 30, time.monotonic())
        built = []
        for copy in batches.copies():
            built.append(copy)
            batches._build_until -= OVERTIME / 10
        assert len(built) == 10
        assert batches.put_back("waits for its turn") == 20
    assert statuses() == {"planned": 20, "claimed": 10}


def test_a_session_that_dies_costs_one_doubt(readers: list[Subscriber], server: Server) -> None:
    contents = count()
    server.answer = lambda verb, _: "" if verb == "." and next(contents) == 7 else None
    deliver_batch()
    assert statuses() == {"accepted": 29, "in_doubt": 1}
    assert len(server.accepted) == 29


def test_a_provider_that_stops_everything_gets_no_further_message(
    readers: list[Subscriber], postmark: Api, settings: Settings
) -> None:
    settings.SUBMIT_SLICE = 3
    postmark.status, postmark.body = 401, '{"ErrorCode": 10, "Message": "bad token"}'
    assert deliver_batch() == 0
    assert len(postmark.requests) <= 3
    assert statuses() == {"planned": 30}


def test_a_provider_that_says_nothing_clear_leaves_few_in_doubt(
    readers: list[Subscriber], server: Server, settings: Settings
) -> None:
    settings.SUBMIT_SLICE = 3
    server.answer = lambda verb, _: "" if verb == "." else None
    deliver_batch()
    assert statuses() == {"in_doubt": 1, "planned": 29}
    server.answer = lambda verb, _: "" if verb == "." and len(server.accepted) >= 10 else None
    deliver_batch()
    # Of the three under way at once, two may be in doubt before the last clear answer, and two after the fifth doubt.
    assert DOUBTS < statuses()["in_doubt"] <= 1 + 2 + DOUBTS + 2
    assert statuses()["planned"] == 30 - 10 - statuses()["in_doubt"]


def test_an_answer_that_never_ends_is_not_waited_for(
    readers: list[Subscriber], postmark: Api, settings: Settings
) -> None:
    settings.SUBMIT_SLICE, settings.EMAIL_TIMEOUT = 3, 0.1
    settings.ANYMAIL |= {"REQUESTS_TIMEOUT": (10, 10)}  # as where each byte comes in time
    postmark.silent = threading.Event()
    deliver_batch()
    assert set(Digest.objects.values_list("status", "reason")) == {
        ("in_doubt", "no whole answer in time"),
        ("planned", "no whole answer in time"),
    }


def test_calls_to_a_provider_go_in_parallel(readers: list[Subscriber], postmark: Api, settings: Settings) -> None:
    settings.SUBMIT_SLICE = 5
    settings.ANYMAIL |= {"REQUESTS_TIMEOUT": (10, 10)}  # a busy machine's threads come late
    Digest.objects.filter(subscriber__in=readers[:4]).delete()
    postmark.together = threading.Barrier(5)  # for the 25 that come after the first
    assert deliver_batch() == 26
    assert statuses() == {"accepted": 26}


def test_a_message_costs_few_statements(
    papers: list[Paper], graphs: Topic, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flow, "PATIENCE", 1)  # second: a busy machine is no reason for a group of its own
    add_readers(200, graphs)
    editions.plan(NOW)
    with CaptureQueriesContext(connection) as statements:
        assert deliver_batch() == 200
    savepoints = sum("SAVEPOINT" in query["sql"] for query in statements)  # the test's own transaction asks for them
    assert len(statements) - savepoints <= 0.6 * 200  # SQLite's three for PostgreSQL's one


def test_further_batches_follow_while_there_is_time(readers: list[Subscriber], server: Server) -> None:
    calls: list[str] = []
    assert deliver_batch(size=10, seconds=60, more=lambda: calls.append("help")) == 30
    assert calls == ["help"]


def test_nobody_is_called_to_help_with_a_provider_that_takes_nothing(
    readers: list[Subscriber], settings: Settings
) -> None:
    settings.EMAIL_BACKEND, settings.EMAIL_PORT = "django.core.mail.backends.smtp.EmailBackend", 1
    calls: list[str] = []
    assert deliver_batch(size=10, seconds=60, more=lambda: calls.append("help")) == 0
    assert calls == []


def test_what_a_server_says_is_kept_whatever_it_is(readers: list[Subscriber], server: Server) -> None:
    server.answer = lambda verb, _: "554 \x00 \x07 no" if verb == "." else None
    deliver_batch()
    assert set(Digest.objects.values_list("status", "reason")) == {("failed", "554     no")}
