"""The edge to whoever carries the mail: an anymail provider, an SMTP relay or the local catcher.

One message, one recipient, one Outcome. Nothing here raises for what a provider does.
"""

from types import TracebackType
from typing import Self

from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery.outcomes import Kind, Outcome, in_words, on_connect, on_submit
from newsletter.delivery.rerouting import OutsideProductionError, reroute

# They know no metadata, and anymail refuses a message that has any: their events name the mail by their own id of it.
WITHOUT_METADATA = {"anymail.backends.mailersend.EmailBackend", "anymail.backends.postal.EmailBackend"}
REFUSED = {"failed", "invalid", "rejected"}  # anymail's words for a recipient that was not mailed


class Provider:
    """A connection kept open over several messages and opened again where it was lost.

    Use as a context manager; `submit` answers with an Outcome whatever happens.
    """

    def __init__(self) -> None:
        self._connection = mail.get_connection()
        self._open = False

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
        try:
            if not self._open:
                self._connection.open()
                self._open = True
        except Exception as error:  # noqa: BLE001 - whatever it is, no message was handed over
            return on_connect(error)
        try:
            self._connection.send_messages([message])
        except Exception as error:  # noqa: BLE001 - whatever it is, it is classified and kept in the ledger
            outcome = on_submit(error)
            if outcome.kind in {Kind.DOUBT, Kind.LATER, Kind.UNSENT}:
                self._close()  # the session may be out of step
            return outcome
        return by_status(message)

    def _close(self) -> None:
        self._open = False
        try:
            self._connection.close()
        except Exception:  # noqa: BLE001 - what was sent was answered before this; a dying connection may fail
            self._connection = mail.get_connection()


def by_status(message: EmailMultiAlternatives) -> Outcome:
    """What a call that raised nothing means, by what anymail found in its answer; over SMTP there is none."""
    status = getattr(getattr(message, "anymail_status", None), "status", None)
    if status is not None and status <= REFUSED:
        return Outcome(Kind.REFUSED, f"the provider says: {', '.join(sorted(status))}")
    if status is not None and "unknown" in status:
        return Outcome(Kind.DOUBT, "the provider's answer does not say what became of it")
    return Outcome(Kind.ACCEPTED, provider_id=provider_id(message))


def provider_id(message: EmailMultiAlternatives) -> str:
    """The id under which the provider will speak of the message; over SMTP our own Message-ID."""
    status = getattr(message, "anymail_status", None)
    return str(getattr(status, "message_id", None) or message.extra_headers.get("Message-ID", ""))
