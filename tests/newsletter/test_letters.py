"""Letters that are owed are sent, and sent again where it is in doubt."""

import os
import socket
import threading
import time
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone
from pytest_django.fixtures import Settings

from newsletter import tasks
from newsletter.delivery.letters import LEASE, NEAR, RUN, lease, send_owed_letters
from newsletter.models import Brake
from subscribers import shared
from subscribers.leaving import leave
from subscribers.letters import owe
from subscribers.models import Letter, Subscriber, Suppression
from tests.conftest import NOW
from tests.provider_stubs import Answer, HttpProvider, serving
from tests.stubs import Api, Relay, Server, dns_server, smtp_server


@dataclass
class Dripping(Server):
    """Takes a message, and says so a byte at a time."""

    over: threading.Event = field(default_factory=threading.Event)

    def say(self, connection: socket.socket, reply: str, verb: str) -> None:
        words = f"250 {'.' * 400}" if verb == "." else reply
        for byte in f"{words}\r\n".encode():
            connection.sendall(bytes([byte]))
            if verb == "." and self.over.wait(0.1):
                raise ConnectionResetError("nobody waits")


def test_an_owed_confirmation_is_sent_once(bob: Subscriber, relay: Relay) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    assert send_owed_letters(NOW) == 1
    assert send_owed_letters(NOW) == 0
    assert relay.accepted[0]["Subject"] == "Confirm your subscription to Trending Papers"
    assert Letter.objects.get().status == Letter.Status.SENT


def test_a_burst_waits_for_its_turns_without_using_up_attempts(
    db: None, relay: Relay, settings: Settings, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.SEND_PER_SECOND, settings.WORKER_PROCESSES = 2, 1
    monkeypatch.setattr(time, "sleep", clock.shift)
    for number in range(20):
        owe(Subscriber.objects.create(email=f"{number}@{number}.example"), Letter.Kind.CONFIRMATION, NOW)
    assert send_owed_letters(NOW) == 20
    assert set(Letter.objects.values_list("status", "attempts")) == {("sent", 1)}
    assert timezone.now() > NOW + timedelta(seconds=8)


def test_who_only_waits_is_not_given_up(
    db: None, postmark: Api, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At a provider whose quota of the day is used up: it is asked once an hour, and all others wait."""
    monkeypatch.setattr(time, "sleep", clock.shift)
    postmark.status, postmark.headers = 429, {"Retry-After": "3600"}
    for number in range(10):
        owe(Subscriber.objects.create(email=f"{number}@{number}.example"), Letter.Kind.CONFIRMATION, NOW)
    for minute in range(0, 20 * 60, 15):
        clock.move_to(NOW + timedelta(minutes=minute))
        send_owed_letters(timezone.now())
    assert len(postmark.requests) <= 20
    assert set(Letter.objects.values_list("status", flat=True)) == {"owed"}
    assert sum(Letter.objects.values_list("attempts", flat=True)) == len(postmark.requests)


def test_one_busy_domain_holds_up_nobody_elses(
    alice: Subscriber, relay: Relay, settings: Settings, clock: time_machine.Traveller, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DOMAINS_PER_SECOND, settings.WORKER_PROCESSES = {"evil.example": "1"}, 1
    monkeypatch.setattr(time, "sleep", clock.shift)
    for number in range(30):
        owe(Subscriber.objects.create(email=f"{number}@evil.example"), Letter.Kind.CONFIRMATION, NOW)
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    send_owed_letters(NOW)
    assert relay.recipients == ["0@evil.example", "alice@example.org"]
    assert timezone.now() == NOW
    for _ in range(30):
        clock.shift(timedelta(seconds=1))
        send_owed_letters(timezone.now())
    assert len(set(relay.recipients)) == 31
    assert set(Letter.objects.values_list("status", "attempts")) == {("sent", 1)}


CLOSED = "554 5.7.1 Relay access denied"


def test_what_a_closed_relay_refused_goes_out_when_it_is_open(alice: Subscriber, bob: Subscriber, relay: Relay) -> None:
    relay.refuse = {"alice@example.org": CLOSED, "bob@example.org": "550 5.1.1 No such user"}
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    send_owed_letters(NOW)
    assert set(Letter.objects.values_list("status", "subscriber__email")) == {
        ("owed", "alice@example.org"),
        ("failed", "bob@example.org"),
    }
    relay.refuse = {}
    with time_machine.travel(NOW + timedelta(minutes=2), tick=False):
        send_owed_letters(NOW + timedelta(minutes=2))
    assert relay.recipients == ["alice@example.org"]


def test_a_closed_relay_after_an_outage_loses_no_letter(
    alice: Subscriber, relay: Relay, settings: Settings, clock: time_machine.Traveller
) -> None:
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    settings.EMAIL_PORT, relay.refuse = 1, {"alice@example.org": CLOSED}
    for _ in range(60):  # five hours
        send_owed_letters(timezone.now())
        clock.shift(timedelta(minutes=5))
    settings.EMAIL_PORT = relay.port
    for _ in range(20):
        send_owed_letters(timezone.now())
        clock.shift(timedelta(minutes=5))
    assert Letter.objects.values_list("status", "reason").get() == ("owed", CLOSED)


def test_what_is_refused_for_hours_is_given_up(alice: Subscriber, relay: Relay, clock: time_machine.Traveller) -> None:
    relay.refuse = {"alice@example.org": CLOSED}
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    for _ in range(60):
        send_owed_letters(timezone.now())
        clock.shift(timedelta(minutes=5))
    letter = Letter.objects.get()
    assert (letter.status, letter.attempts, letter.reason) == ("failed", 8, CLOSED)


def test_one_run_waits_for_whoever_calls(at_once: None, alice: Subscriber, bob: Subscriber, relay: Relay) -> None:
    if "TEST_REDIS_URL" not in os.environ:
        pytest.skip("no Redis: make test starts one")
    assert shared.mark(tasks.CALLED, 60), "nobody has called"
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    tasks.call_for_letters()
    assert relay.recipients == []
    tasks.send_letters()  # the tick's own, which takes no mark away
    assert not shared.mark(tasks.CALLED, 60)
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    tasks.send_letters(tasks.CALLED)
    assert relay.recipients == ["alice@example.org", "bob@example.org"]
    assert shared.mark(tasks.CALLED, 60)


@pytest.mark.parametrize("rate", ["0.1", "2"])
def test_a_busy_domain_gets_its_letters_at_its_rate(
    db: None, relay: Relay, settings: Settings, clock: time_machine.Traveller, rate: str
) -> None:
    settings.DOMAINS_PER_SECOND, settings.WORKER_PROCESSES = {"uni.example": rate}, 1
    for number in range(20):
        owe(Subscriber.objects.create(email=f"{number}@uni.example"), Letter.Kind.CONFIRMATION, NOW)
    while Letter.objects.open().exists():
        send_owed_letters(timezone.now())
        clock.shift(min(Letter.objects.wait(timezone.now()), timedelta(minutes=1)))
    assert len(relay.recipients) == 20
    assert timezone.now() - NOW < timedelta(minutes=1) + timedelta(seconds=20 / float(rate))


def test_without_redis_whoever_calls_is_heard(
    at_once: None, alice: Subscriber, relay: Relay, settings: Settings
) -> None:
    settings.REDIS_URL = "redis://127.0.0.1:1"
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    tasks.call_for_letters()
    assert relay.recipients == ["alice@example.org"]


def test_words_that_no_database_holds_keep_no_letter(bob: Subscriber, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    odd = Server(answer=lambda verb, _: "550 5.1.1 no\0body" if verb == "RCPT" else None)
    with smtp_server(odd) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        send_owed_letters(NOW)
    assert Letter.objects.values_list("status", "reason").get() == ("failed", "550 5.1.1 no body")


def test_a_letter_in_doubt_is_sent_again(bob: Subscriber, relay: Relay) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    relay.hang_up = True
    send_owed_letters(NOW)
    relay.hang_up = False
    with time_machine.travel(NOW + timedelta(minutes=10), tick=False):
        assert send_owed_letters(NOW + timedelta(minutes=10)) == 1
    assert Letter.objects.get().status == Letter.Status.SENT


def test_a_letter_may_arrive_three_times_at_most(bob: Subscriber, relay: Relay, clock: time_machine.Traveller) -> None:
    """At a relay that takes it, and answers too late: whoever signed a stranger up would mail them for a day."""
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    relay.hang_up = True
    for _ in range(60):
        send_owed_letters(timezone.now())
        clock.shift(timedelta(minutes=5))
    assert relay.recipients == ["bob@example.org"] * 3
    assert Letter.objects.get().status == "failed"


def test_a_bad_hour_of_the_providers_loses_no_letter(
    bob: Subscriber, relay: Relay, clock: time_machine.Traveller
) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    relay.hang_up = True
    for minute in range(0, 180, 5):
        relay.hang_up = minute < 60
        send_owed_letters(timezone.now())
        clock.shift(timedelta(minutes=5))
    assert Letter.objects.get().status == "sent"


def test_an_answer_that_drips_holds_up_no_letter_for_long(
    alice: Subscriber, bob: Subscriber, settings: Settings
) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    taken = {"ErrorCode": 0, "Message": "OK", "MessageID": "1", "To": "alice@example.org"}
    answers = iter([Answer(body=" " * 1000, drips=True), Answer(body=taken)])
    settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = "anymail.backends.postmark.EmailBackend", 0.5
    with serving(HttpProvider(lambda _: next(answers))) as http:
        settings.ANYMAIL = {"POSTMARK_SERVER_TOKEN": "token", "POSTMARK_API_URL": http.url}
        assert send_owed_letters(NOW) == 1
    assert set(Letter.objects.values_list("status", "reason")) == {("owed", "no whole answer in time"), ("sent", "")}


def test_a_relay_that_drips_holds_up_no_letter_for_long(bob: Subscriber, settings: Settings) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    settings.EMAIL_BACKEND, settings.EMAIL_TIMEOUT = "django.core.mail.backends.smtp.EmailBackend", 0.5
    with smtp_server(Dripping()) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        send_owed_letters(NOW)
        server.over.set()
    assert Letter.objects.values_list("status", "reason").get() == ("owed", "no whole answer in time")


def test_of_letters_that_reach_nobody_one_is_tried(
    alice: Subscriber, bob: Subscriber, relay: Relay, settings: Settings
) -> None:
    settings.EMAIL_PORT = 1
    for reader in (alice, bob):
        owe(reader, Letter.Kind.PREFERENCES, NOW)
    assert send_owed_letters(NOW) == 0
    assert sorted(Letter.objects.values_list("attempts", flat=True)) == [0, 1]


def test_of_letters_that_nobody_answers_two_are_tried(db: None, postmark: Api, settings: Settings) -> None:
    postmark.silent, settings.EMAIL_TIMEOUT = threading.Event(), 0.2
    for number in range(4):
        owe(Subscriber.objects.create(email=f"{number}@example.org"), Letter.Kind.CONFIRMATION, NOW)
    assert send_owed_letters(NOW) == 0
    postmark.silent.set()
    assert sorted(Letter.objects.values_list("attempts", flat=True)) == [0, 0, 1, 1]


@pytest.mark.parametrize("timeout", [5, 30, 200])
def test_a_lease_outlasts_whatever_a_run_may_need(settings: Settings, timeout: int) -> None:
    settings.EMAIL_TIMEOUT = timeout
    assert lease() >= max(LEASE, timedelta(seconds=RUN + NEAR + 2 * timeout))  # to connect, and to answer


def test_a_provider_that_may_take_longer_than_a_lease_gets_letters_too(
    bob: Subscriber, relay: Relay, settings: Settings
) -> None:
    settings.EMAIL_TIMEOUT = 200
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    assert send_owed_letters(NOW) == 1
    assert relay.recipients == ["bob@example.org"]


def test_a_letter_outlasts_an_outage_of_hours(bob: Subscriber, relay: Relay, settings: Settings) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    settings.EMAIL_PORT = 1
    for minute in range(0, 6 * 60, 5):
        with time_machine.travel(NOW + timedelta(minutes=minute), tick=False):
            send_owed_letters(NOW + timedelta(minutes=minute))
    settings.EMAIL_PORT = relay.port
    with time_machine.travel(NOW + timedelta(hours=7), tick=False):
        send_owed_letters(NOW + timedelta(hours=7))
    assert relay.recipients == ["bob@example.org"]


def test_a_letter_whose_sender_died_is_taken_up_again(bob: Subscriber, relay: Relay) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    Letter.objects.claim(NOW, timedelta(minutes=5), 10)
    assert send_owed_letters(NOW + timedelta(minutes=4)) == 0
    assert send_owed_letters(NOW + timedelta(minutes=5)) == 1


def test_a_letter_in_doubt_is_not_sent_again_to_who_has_left(alice: Subscriber, relay: Relay) -> None:
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    Letter.objects.claim(NOW, timedelta(minutes=5), 10)
    leave(alice, NOW, page="leave", goodbye=False)
    send_owed_letters(NOW + timedelta(minutes=5))
    letter = Letter.objects.get()
    assert (letter.status, letter.reason, relay.accepted) == ("failed", "the reader is unsubscribed", [])


def test_a_suppressed_address_gets_no_letter(bob: Subscriber, relay: Relay) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    Suppression.objects.add("bob@example.org", Suppression.Reason.OPERATOR)
    send_owed_letters(NOW)
    assert relay.accepted == []
    assert Letter.objects.get().status == Letter.Status.FAILED


def test_refused_credentials_stop_the_letters_too(alice: Subscriber, bob: Subscriber, postmark: Api) -> None:
    postmark.status, postmark.body = 401, '{"ErrorCode": 10, "Message": "bad token"}'
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    send_owed_letters(NOW)
    assert Brake.objects.engaged().exists()
    assert len(postmark.requests) == 1
    assert Letter.objects.open().count() == 2
    assert send_owed_letters(NOW + timedelta(hours=1)) == 0


def test_a_confirmation_to_a_domain_without_mail_fails_with_the_reason(
    bob: Subscriber, relay: Relay, settings: Settings
) -> None:
    owe(bob, Letter.Kind.CONFIRMATION, NOW)
    with dns_server() as names:
        settings.LOOK_UP_DOMAINS, settings.DNS_SERVER = True, f"127.0.0.1:{names.port}"
        send_owed_letters(NOW)
    letter = Letter.objects.get()
    assert (letter.status, letter.reason) == ("failed", "its domain takes no mail, as DNS says")
    assert relay.accepted == []


def test_who_has_confirmed_is_written_to_without_asking_dns(
    alice: Subscriber, relay: Relay, settings: Settings
) -> None:
    owe(alice, Letter.Kind.PREFERENCES, NOW)
    with dns_server() as names:
        settings.LOOK_UP_DOMAINS, settings.DNS_SERVER = True, f"127.0.0.1:{names.port}"
        send_owed_letters(NOW)
    assert (relay.recipients, names.asked) == (["alice@example.org"], 0)
