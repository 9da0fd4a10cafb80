"""The calls that take many complete messages at once: Postmark's and Resend's.

anymail builds each message as the provider wants it; here they are put together, and each message's own answer is read.
What is wrong with a call as a whole is judged for all of them.
"""

import hashlib
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, ClassVar
from urllib.parse import urljoin

import requests
from anymail.backends.base_requests import AnymailRequestsBackend
from django.conf import settings
from django.core import mail
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery.wire.outcomes import (
    NOT_NOW,
    Kind,
    Outcome,
    by_http_status,
    by_postmark_code,
    in_words,
    on_http,
    without_addresses,
)
from newsletter.delivery.wire.payloads import Forms, Item, write_fast

GARBLED = Outcome(Kind.DOUBT, "the provider's answer makes no sense")


class BatchApi:
    """A provider's batch call. `most`, `most_bytes`: what it documents that one call may hold."""

    most: ClassVar[int]
    most_bytes: ClassVar[int]
    single: ClassVar[str]  # the endpoint for which anymail builds a message like those of a batch
    batch: ClassVar[str]
    is_repeatable = False  # whether the same call again is known as such, and answered as before

    def __init__(self) -> None:
        backend = mail.get_connection()
        assert isinstance(backend, AnymailRequestsBackend)  # noqa: S101 - by the settings it is
        write_fast(backend)
        self._backend = backend
        self._forms = Forms(self._written)

    def prepare(self, message: EmailMultiAlternatives) -> Item:
        """Raises anymail's errors, and ValueError, for what cannot be sent this way."""
        if len(message.recipients()) != 1:
            raise ValueError(f"A message has one recipient, this one has {len(message.recipients())}.")
        return self._forms.written(message)

    def _written(self, message: EmailMultiAlternatives) -> Item:
        payload = self._backend.build_message_payload(message, self._backend.send_defaults)
        if payload.get_api_endpoint() != self.single:
            raise ValueError(f"No message for {self.batch}: anymail would send it to {payload.get_api_endpoint()}.")
        request = payload.get_request_params(self._backend.api_url)
        body = request["data"]
        return Item(body.encode() if isinstance(body, str) else body, request["headers"])

    def session(self) -> requests.Session:
        session: requests.Session = self._backend.create_session()
        return session

    def submit(self, session: requests.Session, items: Sequence[Item], turn: Callable[[], bool]) -> list[Outcome]:
        """Hand these over; the caller has committed that it is about to. One outcome for each, whatever happens.

        Where a call is refused because of what it holds, its halves are tried: a poison message fails alone. Each of
        them is a call, for whose turn `turn` waits; it returns False once it has waited long enough.
        """
        body = b"[" + b",".join(item.body for item in items) + b"]"
        found = self._call(session, body, items)
        if self.is_repeatable and isinstance(found, Outcome) and found.kind is Kind.DOUBT:
            again = self._call(session, body, items)
            found = found if isinstance(again, Outcome) else again
        if not isinstance(found, Outcome):
            return found
        if found.kind is Kind.REFUSED and len(items) > 1:
            half = len(items) // 2
            halves = items[:half], items[half:]
            tried = (self.submit(session, part, turn) if turn() else [NOT_NOW] * len(part) for part in halves)
            return list(chain.from_iterable(tried))
        return [found] * len(items)

    def _call(self, session: requests.Session, body: bytes, items: Sequence[Item]) -> list[Outcome] | Outcome:
        """Each message's outcome, or one for all where the call had no such answer."""
        url, headers = urljoin(self._backend.api_url, self.batch), {**items[0].headers, **self.headers(body)}
        try:
            answer = session.post(url, body, headers=headers, timeout=self._backend.timeout, allow_redirects=False)
        except requests.RequestException as error:
            return on_http(error)
        except Exception as error:  # noqa: BLE001 - whatever it is, the call may have arrived
            return Outcome(Kind.DOUBT, in_words(error))
        if answer.status_code // 100 != 2:
            return by_http_status(answer, without_addresses(f"HTTP {answer.status_code}: {answer.text[:200]}"))
        try:
            found = self.read(answer.json())
        except Exception:  # noqa: BLE001 - garbage of any shape
            return GARBLED
        return found if len(found) == len(items) else GARBLED

    def headers(self, body: bytes) -> dict[str, str]:  # noqa: ARG002 - for subclasses that derive a key from it
        """The headers of a call with this body, in addition to the messages' own."""
        return {}

    def read(self, answer: Any) -> list[Outcome]:
        """Each message's outcome. Raises anything for an answer of another shape than is documented."""
        raise NotImplementedError


class Postmark(BatchApi):
    """postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails. It knows no idempotency keys."""

    most, most_bytes = 500, 50_000_000
    single, batch = "email", "email/batch"

    def read(self, answer: Any) -> list[Outcome]:
        return [self._one(each) for each in answer]

    def _one(self, said: Any) -> Outcome:
        code, words, name = said.get("ErrorCode", 0), str(said.get("Message", "")), said.get("MessageID")
        if code == 0:  # missing where Postmark itself is late, says anymail
            return Outcome(Kind.ACCEPTED, provider_id=name) if name and isinstance(name, str) else GARBLED
        return by_postmark_code(code, words, without_addresses(f"Postmark {int(code)}: {words}"))


class Resend(BatchApi):
    """resend.com/docs/api-reference/emails/send-batch-emails, each message validated by itself.

    resend.com/docs/dashboard/emails/idempotency-keys: the same key with the same bytes within 24 hours is answered as
    the first time, and nothing is sent again. So the key is made of the bytes.
    """

    most, most_bytes = 100, 40_000_000  # no documented size of a call: what one message may have
    single, batch = "emails", "emails/batch"
    is_repeatable = True

    def headers(self, body: bytes) -> dict[str, str]:
        return {"Idempotency-Key": hashlib.sha256(body).hexdigest(), "x-batch-validation": "permissive"}

    def read(self, answer: Any) -> list[Outcome]:
        """`data` holds those that it took, in order; `errors` the others, by their place in the call."""
        faults = {int(one["index"]): str(one["message"]) for one in answer.get("errors") or []}
        names = iter(one["id"] for one in answer["data"])
        return [
            Outcome(Kind.REFUSED, without_addresses(f"Resend: {faults[place]}"))
            if place in faults
            else Outcome(Kind.ACCEPTED, provider_id=str(next(names)))
            for place in range(len(answer["data"]) + len(faults))
        ]


APIS: dict[str, type[BatchApi]] = {
    "anymail.backends.postmark.EmailBackend": Postmark,
    "anymail.backends.resend.EmailBackend": Resend,
}


def batch_api() -> BatchApi | None:
    """The one of the provider in the settings, if it has one and we may use it."""
    return APIS[settings.EMAIL_BACKEND]() if takes_batches() else None


def takes_batches() -> bool:
    """Whether one call carries many digests."""
    kind = APIS.get(settings.EMAIL_BACKEND)
    return kind is not None and messages_a_call(kind) > 1


def messages_a_call(kind: type[BatchApi]) -> int:
    """How many, at most. Where a call cannot be repeated, one whose answer is lost leaves all that it held in doubt: at
    such a provider there are batches only where the settings ask for them.
    """
    wanted = settings.SUBMIT_BATCH
    if wanted is None:
        wanted = kind.most if kind.is_repeatable else 1
    return min(kind.most, wanted, settings.SUBMIT_SLICE // 2)
