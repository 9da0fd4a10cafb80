"""Whatever carries many messages at once, behind one interface: the SMTP sessions, or a provider's calls."""

from collections.abc import Iterable
from typing import Any, Protocol

from anymail.backends.base_requests import AnymailRequestsBackend
from django.conf import settings
from django.core.mail import EmailMultiAlternatives
from django.utils.module_loading import import_string

from newsletter.delivery.wire.callers import Callers
from newsletter.delivery.wire.outcomes import Report
from newsletter.delivery.wire.provider import call_timeout, client
from newsletter.delivery.wire.switchboard import Switchboard

SMTP = "django.core.mail.backends.smtp.EmailBackend"


class Carrier(Protocol):
    """Takes messages in two steps. After `offer` it may say everything but the content; when it has reported a message
    as ready, and the caller has committed that it is submitting, `hand_over` lets the content go.

    Only the caller's thread calls it, and nothing here raises for what a provider does.
    """

    per_call: int  # messages that one call to the provider takes

    def prepare(self, message: EmailMultiAlternatives) -> Any:
        """The message as `offer` wants it. Raises what is wrong with the message itself."""

    def room(self) -> int:
        """How many more messages may be offered now."""

    def at_once(self) -> int:
        """How many messages can be ready or in flight at a time."""

    def offer(self, key: int, prepared: Any) -> None: ...

    def hand_over(self, key: int) -> None:
        """Send a message that was reported as ready."""

    def drop(self, key: int) -> None:
        """Forget a message that was offered and not handed over; nothing of it goes."""

    def step(self, seconds: float) -> Iterable[Report]:
        """What happened meanwhile; waits at most so long for something to happen."""

    def close(self) -> None: ...


class Calls:
    """A provider's own client, one message a call, as many calls at a time as there may be messages in flight: in one
    thread where it speaks HTTP through requests, otherwise in as many threads as calls.
    """

    per_call = 1

    def __init__(self) -> None:
        self._width = min(settings.SUBMIT_CONNECTIONS, settings.SUBMIT_SLICE)
        self._offered: dict[int, EmailMultiAlternatives] = {}
        self._new: list[Report] = []
        by_http = issubclass(import_string(settings.EMAIL_BACKEND), AnymailRequestsBackend)
        self._callers = Switchboard(client) if by_http else Callers(self._width, call_timeout(), client)

    def prepare(self, message: EmailMultiAlternatives) -> EmailMultiAlternatives:
        for part in ("body", "alternatives"):  # of a digest, joined now: one that cannot be fails alone
            getattr(message, part)
        return message

    def room(self) -> int:
        return self._width - len(self._offered)

    def at_once(self) -> int:
        return self._width

    def offer(self, key: int, prepared: EmailMultiAlternatives) -> None:
        self._offered[key] = prepared
        self._new.append((key, None))

    def hand_over(self, key: int) -> None:
        self._callers.call([key], self._offered.pop(key))

    def drop(self, key: int) -> None:
        self._offered.pop(key, None)

    def step(self, seconds: float) -> list[Report]:
        reports, self._new = self._new, []
        return reports + self._callers.answers(0 if reports else seconds)

    def close(self) -> None:
        self._callers.close()
