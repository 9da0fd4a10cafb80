"""The edge to whoever carries the mail: an anymail provider, an SMTP relay or the local catcher.

One message, one recipient, one Outcome. Nothing here raises for what a provider does.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from types import TracebackType
from typing import Any, Self

import requests
from anymail.backends.base_requests import AnymailRequestsBackend
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives
from django.utils import timezone
from requests.adapters import BaseAdapter

from newsletter.delivery.wire import keys
from newsletter.delivery.wire.callers import Submit, one_at_a_time
from newsletter.delivery.wire.outcomes import INVALID, Kind, Outcome, in_words, on_connect, on_submit
from newsletter.delivery.wire.payloads import write_fast
from newsletter.delivery.wire.rerouting import OutsideProductionError, reroute
from newsletter.delivery.wire.switchboard import mount

# They know no metadata, and anymail refuses a message that has any: their events name the mail by the provider's id.
WITHOUT_METADATA = {"anymail.backends.mailersend.EmailBackend", "anymail.backends.postal.EmailBackend"}
AMAZON = "anymail.backends.amazon_ses.EmailBackend"
REFUSED = {"failed", "invalid", "rejected"}  # anymail's words for a recipient that was not mailed


class Provider:
    """A connection kept open over several messages and opened again where it was lost.

    Use as a context manager; `submit` answers with an Outcome whatever happens.
    """

    def __init__(self, adapter: BaseAdapter | None = None) -> None:
        """`adapter` where calls over HTTP are to go another way than requests' own."""
        self._connection: Any = None
        self._adapter = adapter
        self._keys = keys.of_provider()
        self._was_answered = False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._close()

    def submit(self, message: EmailMultiAlternatives) -> Outcome:
        """Hand one message over. The caller has committed that it is about to."""
        if len(message.recipients()) != 1:
            raise ValueError(f"A message has one recipient, this one has {len(message.recipients())}.")
        try:
            reroute(message)
        except OutsideProductionError as error:
            return Outcome(Kind.REFUSED, in_words(error))
        if settings.EMAIL_BACKEND in WITHOUT_METADATA:
            message.metadata = None  # type: ignore[attr-defined]
        asked = timezone.now()
        outcome = self._hand_over(message)
        if outcome.kind is Kind.DOUBT and keys.mark_of(message):
            known = keys.known_since(timezone.now())
            if known and asked > known:  # no longer, where the machine slept meanwhile
                return keys.settled(outcome, self._hand_over(message))
        return outcome

    def _hand_over(self, message: EmailMultiAlternatives) -> Outcome:
        try:
            if self._connection is None:
                self._connection = opened(self._adapter)
                if isinstance(self._connection, AnymailRequestsBackend):
                    self._connection.session.hooks["response"].append(self._note)
            if self._keys:
                self._keys.tell(keys.mark_of(message), message, self._connection)
        except Exception as error:  # noqa: BLE001 - whatever it is, no message was handed over
            self._close()
            return on_connect(error)
        self._was_answered = False
        try:
            self._connection.send_messages([message])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is classified and kept in the ledger
            outcome = (self._keys and self._keys.judge(error)) or on_submit(error, was_answered=self._was_answered)
            if outcome.kind in {Kind.DOUBT, Kind.LATER, Kind.UNSENT}:
                self._close()  # the session may be out of step
            return outcome
        return by_status(message)

    def _note(self, _: requests.Response, **__: Any) -> None:
        self._was_answered = True

    def _close(self) -> None:
        connection, self._connection = self._connection, None
        with suppress(Exception):  # what was sent was answered before this; a dying connection may fail
            if connection:
                connection.close()


def opened(adapter: BaseAdapter | None = None) -> Any:
    """A connection, as anymail or Django know it. Raises whatever keeps it from being made."""
    connection = mail.get_connection(**(for_amazon() if settings.EMAIL_BACKEND == AMAZON else {}))
    try:
        connection.open()
    except Exception:
        with suppress(Exception):
            connection.close()  # half a session, after a password that is wrong
        raise
    if isinstance(connection, AnymailRequestsBackend):
        connection.session.max_redirects = 0  # nobody documents any, and a mail may have been taken with one
        look_around_once(connection.session, connection.api_url)
        write_fast(connection)
        if adapter:
            mount(connection.session, adapter)
    return connection


def look_around_once(session: requests.Session, url: str) -> None:
    """Keep what the environment says of proxies and certificates: requests would look it up again for each call, which
    takes a fifth of the call.
    """
    found = session.merge_environment_settings(url, {}, None, None, None)
    session.proxies, session.verify, session.trust_env = found["proxies"], found["verify"], False


def for_amazon() -> dict[str, Any]:
    """What boto3 must be told: left alone, it repeats a call whose answer is lost, and the mail goes out twice."""
    given: Any = settings.ANYMAIL.get("AMAZON_SES_CLIENT_PARAMS", {})
    given = json.loads(given) if isinstance(given, str) else given  # from the environment
    patient = {"connect_timeout": min(10, settings.EMAIL_TIMEOUT), "read_timeout": settings.EMAIL_TIMEOUT}
    config = {**given.get("config", {}), **patient, "retries": {"total_max_attempts": 1}}
    return {"client_params": {**given, "config": config}}


def call_timeout() -> float:
    """Seconds, at most, that a message may take: to connect and to answer, and once more where it is repeated."""
    return float(settings.EMAIL_TIMEOUT * (2 if keys.of_provider() is None else 4))


@contextmanager
def client(adapter: BaseAdapter | None = None) -> Iterator[Submit]:
    """A provider for one message a call, and one call at a time."""
    with Provider(adapter) as provider:

        def submit(message: EmailMultiAlternatives) -> Sequence[Outcome]:
            return [provider.submit(message)]

        yield submit


@contextmanager
def in_time() -> Iterator[Callable[[EmailMultiAlternatives], Outcome]]:
    """Hands over one message after the other, and waits for no answer longer than `call_timeout()`."""
    with one_at_a_time(call_timeout(), client) as submit:
        yield lambda message: submit(message)[0]


def by_status(message: EmailMultiAlternatives) -> Outcome:
    """What a call that raised nothing means, according to what anymail found in its answer; over SMTP it found none."""
    status = getattr(getattr(message, "anymail_status", None), "status", None)
    if status is not None and status <= REFUSED:
        words = f"the provider says: {', '.join(sorted(status))}"
        return Outcome(Kind.REFUSED, words, no_mailbox=status <= INVALID)
    if status is not None and "unknown" in status:
        return Outcome(Kind.DOUBT, "the provider's answer does not say what became of it")
    return Outcome(Kind.ACCEPTED, provider_id=provider_id(message))


def provider_id(message: EmailMultiAlternatives) -> str:
    """The id under which the provider will speak of the message; over SMTP our own Message-ID."""
    status = getattr(message, "anymail_status", None)
    return str(getattr(status, "message_id", None) or message.extra_headers.get("Message-ID", ""))
