"""TLS and passwords at the relay: a real server with a certificate of its own, and what an eavesdropper would hear."""

import datetime
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from pytest_django import Settings

from newsletter.delivery.letters import send_owed_letters
from newsletter.delivery.sending import deliver_batch
from newsletter.delivery.wire.outcomes import Kind, Outcome
from newsletter.delivery.wire.smtp import SmtpSessions
from newsletter.delivery.wire.smtp_session import prepare
from newsletter.models import Brake, Digest
from papers.models import Paper, Topic
from subscribers.models import Letter, Subscriber
from tests.certificates import Certificate, certificate
from tests.conftest import NOW
from tests.newsletter.conftest import message_to, planned_readers, statuses
from tests.servers import free_port
from tests.stubs import Relay, Server, smtp_server

PEOPLE = [f"reader{number}@example.org" for number in range(6)]
pytestmark = pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")  # it knows STARTTLS only


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    return certificate(tmp_path_factory.mktemp("own"))


@dataclass
class SafeRelay(Relay):
    """A relay that takes mail from who has said the password, and notes over what."""

    ciphers: list[object] = field(default_factory=list)
    logins: int = 0

    def authenticate(self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any) -> AuthResult:
        self.logins += 1
        is_right = isinstance(data, LoginPassword) and data.password == b"right"
        return AuthResult(success=is_right, handled=False)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        assert server.transport is not None
        self.ciphers.append(server.transport.get_extra_info("cipher"))
        return await super().handle_DATA(server, session, envelope)


@contextmanager
def safe_relay(settings: Settings, mode: str, own: Certificate) -> Iterator[SafeRelay]:
    """With STARTTLS, or with TLS from the first byte on."""
    relay = SafeRelay(port=free_port())
    tls = (
        {"tls_context": own.context(), "require_starttls": True}
        if mode == "STARTTLS"
        else {"ssl_context": own.context(), "auth_require_tls": False}
    )
    controller = Controller(
        relay,
        "127.0.0.1",
        relay.port,
        authenticator=relay.authenticate,
        auth_required=True,
        auth_exclude_mechanism=["LOGIN"],
        **tls,
    )
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", relay.port, 5
    settings.EMAIL_USE_TLS, settings.EMAIL_USE_SSL = mode == "STARTTLS", mode != "STARTTLS"
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "right"
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()


@pytest.fixture(params=["STARTTLS", "TLS"])
def relay(request: pytest.FixtureRequest, settings: Settings, own: Certificate) -> Iterator[SafeRelay]:
    with safe_relay(settings, request.param, own) as relay:
        yield relay


@pytest.fixture
def trusted(own: Certificate, monkeypatch: pytest.MonkeyPatch) -> None:
    """As an operator does it whose relay has a certificate of their own house."""
    monkeypatch.setenv("SSL_CERT_FILE", str(own.certificate))


@pytest.fixture
def readers(papers: list[Paper], graphs: Topic) -> list[Subscriber]:
    return planned_readers(6, graphs)


def submit(*people: str, size: int = 0) -> dict[str, Outcome]:
    found: dict[str, Outcome] = {}
    with closing(SmtpSessions()) as sessions:
        for key, address in enumerate(people):
            message = message_to(address)
            message.body += "All work and no play.\n" * size
            sessions.offer(key, prepare(message))
        while len(found) < len(people):
            for key, outcome in sessions.step(0.1):
                if outcome is None:
                    sessions.hand_over(key)
                else:
                    found[people[key]] = outcome
    return found


def kinds(found: dict[str, Outcome]) -> set[Kind]:
    return {outcome.kind for outcome in found.values()}


@pytest.mark.usefixtures("trusted")
@pytest.mark.parametrize("size", [0, 40_000])
def test_mail_arrives_over_tls_after_the_password(relay: SafeRelay, size: int) -> None:
    assert kinds(submit(*PEOPLE, size=size)) == {Kind.ACCEPTED}
    assert sorted(relay.recipients) == PEOPLE
    assert all(relay.ciphers)
    assert {message.get_body(("plain",)).get_content().count("no play") for message in relay.accepted} == {size}


def test_a_certificate_that_nobody_vouches_for_gets_nothing(relay: SafeRelay, readers: list[Subscriber]) -> None:
    assert deliver_batch() == 0
    assert statuses() == {"planned": 6}
    assert (relay.logins, relay.accepted) == (0, [])
    assert any("CERTIFICATE_VERIFY_FAILED" in digest.reason for digest in Digest.objects.all())


@pytest.mark.parametrize(
    "wrong",
    [{"address": "192.0.2.1"}, {"valid_until": datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)}],
    ids=["another's", "expired"],
)
@pytest.mark.parametrize("mode", ["STARTTLS", "TLS"])
def test_a_wrong_certificate_gets_nothing_even_from_a_trusted_house(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, wrong: dict[str, Any], mode: str
) -> None:
    bad = certificate(tmp_path, **wrong)
    monkeypatch.setenv("SSL_CERT_FILE", str(bad.certificate))
    with safe_relay(settings, mode, bad) as relay:
        assert kinds(submit(*PEOPLE)) == {Kind.UNSENT}
    assert (relay.logins, relay.accepted) == (0, [])


def no_tls(verb: str, _: str) -> str | None:
    return "454 TLS not available" if verb == "STAR" else None


@pytest.mark.parametrize(
    ("extensions", "answer", "kind"),
    [
        (("PIPELINING", "AUTH PLAIN"), lambda *_: None, Kind.HALT),  # not offered, or taken out on the way
        (("PIPELINING", "AUTH PLAIN", "STARTTLS"), no_tls, Kind.UNSENT),
        (("PIPELINING", "AUTH PLAIN", "STARTTLS"), lambda *_: None, Kind.UNSENT),  # says yes, and speaks no TLS
    ],
)
def test_where_tls_was_asked_for_nothing_is_said_in_clear(
    settings: Settings, extensions: tuple[str, ...], answer: Callable[[str, str], str | None], kind: Kind
) -> None:
    settings.EMAIL_USE_TLS, settings.EMAIL_TIMEOUT = True, 1
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "right"
    with smtp_server(Server(extensions=extensions, answer=answer)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert kinds(submit(*PEOPLE)) == {kind}
    assert {line[:8].upper() for line in server.heard if line.isascii() and line.isalnum()} <= {b"STARTTLS", b"QUIT"}
    assert not any(line[:4].upper() in {b"AUTH", b"MAIL", b"RCPT", b"DATA"} for line in server.heard)
    assert server.accepted == []


def test_a_server_without_tls_hears_no_password_where_tls_is_from_the_first_byte_on(settings: Settings) -> None:
    settings.EMAIL_USE_SSL, settings.EMAIL_TIMEOUT = True, 1
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "right"
    with smtp_server(Server(extensions=("AUTH PLAIN",))) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert kinds(submit(*PEOPLE)) == {Kind.UNSENT}
    assert not any(line[:4].upper() in {b"EHLO", b"AUTH", b"MAIL"} for line in server.heard)


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_is_said_once_and_stops_all_mail(
    relay: SafeRelay, readers: list[Subscriber], settings: Settings
) -> None:
    settings.EMAIL_HOST_PASSWORD = "wrong"
    assert deliver_batch() == 0
    assert relay.logins == 1
    assert statuses() == {"planned": 6}
    assert "535" in Brake.objects.engaged().get().reason
    assert deliver_batch() == 0
    assert relay.logins == 1
    Brake.objects.update(released_at=NOW)
    settings.EMAIL_HOST_PASSWORD = "right"
    Digest.objects.update(not_before=NOW)
    assert deliver_batch() == 6


@pytest.mark.parametrize(
    ("reply", "kind"), [("535 no", Kind.HALT), ("534 no", Kind.HALT), ("454 not now", Kind.UNSENT)]
)
def test_a_password_that_cannot_be_checked_now_is_no_wrong_one(settings: Settings, reply: str, kind: Kind) -> None:
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = "us", "right"
    answer = lambda verb, _: reply if verb == "AUTH" else None  # noqa: E731
    with smtp_server(Server(extensions=("AUTH PLAIN",), answer=answer)) as server:
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", server.port
        assert kinds(submit(*PEOPLE)) == {kind}


def test_settings_that_contradict_each_other_stop_all_mail(settings: Settings) -> None:
    settings.EMAIL_USE_TLS = settings.EMAIL_USE_SSL = True
    assert kinds(submit(*PEOPLE)) == {Kind.HALT}


@pytest.mark.usefixtures("trusted")
def test_a_letter_goes_over_tls_after_the_password(relay: SafeRelay, bob: Subscriber) -> None:
    Letter.objects.create(subscriber=bob, kind="confirmation", not_before=NOW)
    send_owed_letters(NOW)
    assert Letter.objects.get().status == "sent"
    assert all(relay.ciphers)


def test_letters_too_go_to_no_server_whose_certificate_is_bad(
    relay: SafeRelay, alice: Subscriber, bob: Subscriber
) -> None:
    for reader, kind in ((alice, "preferences"), (bob, "confirmation")):
        Letter.objects.create(subscriber=reader, kind=kind, not_before=NOW)
    send_owed_letters(NOW)
    assert set(Letter.objects.values_list("status", flat=True)) == {"owed"}
    assert (relay.logins, relay.accepted) == (0, [])


@pytest.mark.usefixtures("trusted")
def test_a_wrong_password_for_a_letter_stops_all_mail_too(
    relay: SafeRelay, bob: Subscriber, settings: Settings
) -> None:
    settings.EMAIL_HOST_PASSWORD = "wrong"
    Letter.objects.create(subscriber=bob, kind="confirmation", not_before=NOW)
    send_owed_letters(NOW)
    assert Letter.objects.get().status == "owed"
    assert "535" in Brake.objects.engaged().get().reason
