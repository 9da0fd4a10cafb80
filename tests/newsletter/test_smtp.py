"""Many sessions at once, with servers that misbehave: what is known of each message is exactly what is true."""

import time
from collections.abc import Iterator
from contextlib import closing
from email import message_from_bytes, policy
from threading import Event

import pytest
from pytest_django.fixtures import Settings

from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.smtp import SmtpSessions
from newsletter.delivery.wire.smtp_session import prepare
from tests.newsletter.conftest import message_to
from tests.stubs import Server, smtp_server

PEOPLE = [f"reader{number}@example.org" for number in range(6)]


@pytest.fixture
def server(settings: Settings) -> Iterator[Server]:
    settings.EMAIL_HOST, settings.EMAIL_TIMEOUT = "127.0.0.1", 5
    with smtp_server(Server()) as server:
        settings.EMAIL_PORT = server.port
        yield server


def submit(*people: str, held_back: tuple[str, ...] = ()) -> dict[str, Outcome]:
    """Offer a message to each, hand over what is ready but for those held back, and wait for the answers."""
    found: dict[str, Outcome] = {}
    deadline = time.monotonic() + 20
    with closing(SmtpSessions()) as sessions:
        for key, address in enumerate(people):
            sessions.offer(key, prepare(message_to(address)))
        while len(found) < len(people) - len(held_back):
            assert time.monotonic() < deadline, found
            for key, outcome in sessions.step(0.1):
                if outcome is not None:
                    assert people[key] not in found, "one message, one outcome"
                    found[people[key]] = outcome
                elif people[key] in held_back:
                    sessions.drop(key)
                else:
                    sessions.hand_over(key)
    return found


def kinds(found: dict[str, Outcome]) -> list[Kind]:
    return [found[address].kind for address in PEOPLE if address in found]


@pytest.mark.parametrize("extensions", [("PIPELINING", "SIZE 1000000"), (), ("8BITMIME",)])
def test_each_message_arrives_once_as_it_was(server: Server, settings: Settings, extensions: tuple[str, ...]) -> None:
    server.extensions, settings.SUBMIT_CONNECTIONS = extensions, 2
    assert kinds(submit(*PEOPLE)) == [Kind.ACCEPTED] * 6
    assert sorted(recipient for recipient, _ in server.accepted) == PEOPLE
    assert server.sessions == 2
    for recipient, content in server.accepted:
        message = message_from_bytes(content, policy=policy.default)
        assert message["To"] == recipient
        assert message.get_body(("plain",)).get_content().strip() == "Some papers."


def test_a_dot_that_begins_a_line_arrives(server: Server) -> None:
    message = message_to("alice@example.org")
    message.body = "One.\n.\n..two\n.three"
    with closing(SmtpSessions()) as sessions:
        sessions.offer(0, prepare(message))
        while not server.accepted:
            for key, outcome in sessions.step(0.1):
                if outcome is None:
                    sessions.hand_over(key)
    [(_, content)] = server.accepted
    [plain, _] = message_from_bytes(content, policy=policy.default).iter_parts()
    assert plain.get_content().splitlines() == ["One.", ".", "..two", ".three"]


def test_the_acceptance_is_known_by_our_own_id(server: Server) -> None:
    found = submit("alice@example.org")
    [(_, content)] = server.accepted
    assert found["alice@example.org"].provider_id == message_from_bytes(content)["Message-ID"]


@pytest.mark.parametrize(
    ("extensions", "asks_nobody"), [(("PIPELINING",), False), (("PIPELINING",), True), ((), False)]
)
@pytest.mark.parametrize(
    ("verb", "reply", "kind"),
    [
        ("MAIL", "550 not yours", Kind.HALT),
        ("MAIL", "451 not now", Kind.LATER),
        ("MAIL", "552 too large", Kind.REFUSED),
        ("RCPT", "550 no such user", Kind.REFUSED),
        ("RCPT", "450 greylisted", Kind.LATER),
        ("DATA", "554 no", Kind.REFUSED),
        ("DATA", "451 not now", Kind.LATER),
        (".", "554 spam", Kind.REFUSED),
        (".", "451 not now", Kind.LATER),
        (".", "354 what?", Kind.DOUBT),
    ],
)
def test_a_refusal_counts_for_its_own_message_alone(  # noqa: PLR0917 - pytest passes them by name
    server: Server,
    settings: Settings,
    extensions: tuple[str, ...],
    asks_nobody: bool,
    verb: str,
    reply: str,
    kind: Kind,
) -> None:
    settings.SUBMIT_CONNECTIONS, server.extensions, server.asks_nobody = 1, extensions, asks_nobody
    senders = iter([None, reply])  # MAIL does not say whose turn it is

    def answer(said: str, recipient: str) -> str | None:
        if said == verb == "MAIL":
            return next(senders, None)
        return reply if (said, recipient) == (verb, PEOPLE[1]) else None

    server.answer = answer
    assert kinds(submit(*PEOPLE[:3])) == [Kind.ACCEPTED, kind, Kind.ACCEPTED]
    assert [recipient for recipient, _ in server.accepted] == [PEOPLE[0], PEOPLE[2]]


def test_a_session_that_dies_after_the_content_leaves_that_message_in_doubt_and_no_other(
    server: Server, settings: Settings
) -> None:
    settings.SUBMIT_CONNECTIONS = 1
    server.answer = lambda verb, recipient: "" if (verb, recipient) == (".", PEOPLE[2]) else None
    assert kinds(submit(*PEOPLE)) == [Kind.ACCEPTED] * 2 + [Kind.DOUBT] + [Kind.ACCEPTED] * 3
    assert server.sessions == 2


def test_a_session_that_dies_before_the_content_costs_a_message_nothing(server: Server, settings: Settings) -> None:
    settings.SUBMIT_CONNECTIONS = 1
    deaths = [True, True]
    server.answer = lambda verb, _: (
        "" if verb == "RCPT" and len(server.accepted) == 1 and deaths and deaths.pop() else None
    )
    assert kinds(submit(*PEOPLE[:3])) == [Kind.ACCEPTED] * 3
    assert server.sessions == 3


def test_a_server_that_always_hangs_up_before_the_content_was_sent_nothing(server: Server) -> None:
    server.answer = lambda verb, _: "" if verb == "MAIL" else None
    assert kinds(submit(*PEOPLE[:2])) == [Kind.UNSENT] * 2


def test_a_server_that_goes_while_a_message_is_ready_was_sent_nothing(server: Server) -> None:
    server.answer = lambda verb, _: "354 go on\r\n421 no, I leave" if verb == "DATA" else None
    assert kinds(submit(PEOPLE[0])) == [Kind.UNSENT]


@pytest.mark.parametrize("words", ["garbage", "25", "999999 what", "250-a\r\n" * 20_000])
def test_garbage_after_the_content_is_doubt(server: Server, words: str) -> None:
    server.answer = lambda verb, _: words if verb == "." else None
    assert kinds(submit(PEOPLE[0])) == [Kind.DOUBT]


def test_a_server_that_never_answers_the_content_leaves_doubt(server: Server, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    silence = Event()
    server.answer = lambda verb, _: str(silence.wait(3)) and "" if verb == "." else None
    assert kinds(submit(PEOPLE[0])) == [Kind.DOUBT]
    silence.set()


def test_a_server_that_never_answers_the_envelope_was_sent_nothing(server: Server, settings: Settings) -> None:
    settings.EMAIL_TIMEOUT = 0.3
    silence = Event()
    server.answer = lambda verb, _: str(silence.wait(3)) and "" if verb == "RCPT" else None
    assert kinds(submit(PEOPLE[0])) == [Kind.UNSENT]
    silence.set()


def test_a_server_of_few_connections_is_sent_all_over_those(server: Server) -> None:
    server.most = 2
    assert kinds(submit(*PEOPLE)) == [Kind.ACCEPTED] * 6


def test_a_server_that_is_not_there_was_sent_nothing(settings: Settings) -> None:
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 1
    assert kinds(submit(*PEOPLE)) == [Kind.UNSENT] * 6


def test_a_password_that_is_refused_stops_everything(server: Server, settings: Settings) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "wrong"
    server.extensions = ("AUTH PLAIN",)
    server.answer = lambda verb, _: "535 no" if verb == "AUTH" else None
    assert kinds(submit(PEOPLE[0])) == [Kind.HALT]


def test_what_is_dropped_when_it_is_ready_never_arrives(server: Server, settings: Settings) -> None:
    settings.SUBMIT_CONNECTIONS = 1
    found = submit(*PEOPLE[:3], held_back=(PEOPLE[1],))
    assert kinds(found) == [Kind.ACCEPTED] * 2
    assert [recipient for recipient, _ in server.accepted] == [PEOPLE[0], PEOPLE[2]]


def test_what_was_dropped_is_begun_in_no_other_session(server: Server, settings: Settings) -> None:
    settings.SUBMIT_CONNECTIONS = 1
    with closing(SmtpSessions()) as sessions:
        sessions.offer(0, prepare(message_to(PEOPLE[0])))
        deadline = time.monotonic() + 20
        while not sessions._begun:
            assert time.monotonic() < deadline
            sessions.step(0.1)
        sessions.drop(0)  # before the server has said that it waits for the content
        sessions._lose(sessions._sessions[0], OSError("lost"))
        assert not sessions._waiting


def test_an_address_cannot_become_a_command() -> None:
    message = message_to("alice@example.org")
    message.to = ["alice@example.org> BODY=8BITMIME"]
    with pytest.raises(ValueError, match="command"):
        prepare(message)
