"""Idempotency keys: a provider asked twice under one key takes the mail once, and says so.

A key belongs to one attempt at one digest or letter, and to one account at a provider. What was surely not sent goes
under a new key at its next attempt, because no provider says whether it remembers the key of a call that it refused;
what is in doubt is asked about under the old one. Of the providers that anymail reaches, Brevo and Resend document
keys.
"""

import hashlib
import re
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID, uuid5

import requests
from django.conf import settings
from django.core.mail import EmailMultiAlternatives

from newsletter.delivery.wire.batch_apis import takes_batches
from newsletter.delivery.wire.outcomes import Kind, Outcome

KNOWN = Outcome(Kind.ACCEPTED, "the provider had it already, by its key")
UNDER_WAY = Outcome(Kind.DOUBT, "the provider still works at a call under this key")
FAILURE = re.compile(r"\bAPI response 5\d\d\b")  # anymail's words for it


class Keys:
    """How a provider is told a key, and says that it knows one. `lifetime`: for how long it surely does."""

    lifetime: ClassVar[timedelta]

    def tell(self, key: str, message: EmailMultiAlternatives, connection: Any) -> None:
        """Put the key where the provider looks for it; an empty one is none."""
        raise NotImplementedError

    def judge(self, error: Exception) -> Outcome | None:
        """What an answer that speaks of the key means; None for all others."""
        answer = getattr(error, "response", None)
        if not isinstance(answer, requests.Response):
            return None
        try:
            said = answer.json()
        except ValueError:
            return None
        return self.read(answer.status_code, said) if isinstance(said, dict) else None

    def read(self, status: int, said: dict[str, Any]) -> Outcome | None:
        raise NotImplementedError


class Brevo(Keys):
    """developers.brevo.com/docs/heterogenous-versions-batch-emails: a UUID among the headers of the message, known for
    30 minutes; the changelog that announced it says 15, and so do we. A second call is not carried out, and answered
    with an error of its own.
    """

    lifetime = timedelta(minutes=15)

    def tell(self, key: str, message: EmailMultiAlternatives, connection: Any) -> None:  # noqa: ARG002 - for Resend
        if key:
            message.extra_headers["idempotencyKey"] = key

    def read(self, status: int, said: dict[str, Any]) -> Outcome | None:
        return KNOWN if status == 400 and said.get("code") == "duplicate_parameter" else None


class Resend(Keys):
    """resend.com/docs/dashboard/emails/idempotency-keys: a header of the call, known for 24 hours. A second call with
    the same content is answered as the first was, one with another content by 409.
    """

    lifetime = timedelta(hours=24)

    def tell(self, key: str, message: EmailMultiAlternatives, connection: Any) -> None:  # noqa: ARG002 - for Brevo
        connection.session.headers["Idempotency-Key"] = key or None  # which requests leaves out

    def read(self, status: int, said: dict[str, Any]) -> Outcome | None:
        if status != 409:
            return None
        return KNOWN if said.get("name") == "invalid_idempotent_request" else UNDER_WAY


KEYS: dict[str, Keys] = {
    "anymail.backends.brevo.EmailBackend": Brevo(),
    "anymail.backends.resend.EmailBackend": Resend(),
}


def of_provider() -> Keys | None:
    """Those of the provider in the settings, if it has any."""
    return KEYS.get(settings.EMAIL_BACKEND)


def mark(message: EmailMultiAlternatives, key: str) -> None:
    """Let the message go under this key."""
    message.idempotency_key = key  # type: ignore[attr-defined]


def mark_of(message: EmailMultiAlternatives) -> str:
    return getattr(message, "idempotency_key", "")


def key_of(uid: UUID, attempt: int) -> str:
    """The key of an attempt at a digest or letter, at the account that sends mail now; empty where it has no keys."""
    if of_provider() is None:
        return ""
    return str(uuid5(uid, f"{account()} {attempt}"))


def account() -> str:
    """The account at the provider that sends mail now; hashed, because its secrets are part of it."""
    words = f"{settings.EMAIL_BACKEND} {sorted(settings.ANYMAIL.items(), key=str)}"
    return hashlib.sha256(words.encode()).hexdigest()


def key_of_digest(uid: UUID, attempt: int) -> str:
    """The same for a digest; empty where a call holds many, because it has one key for all of them."""
    return "" if takes_batches() else key_of(uid, attempt)


def known_since(at: datetime) -> datetime | None:
    """Since when the provider remembers keys at this moment."""
    keys = of_provider()
    return None if keys is None else at - keys.lifetime


def settled(first: Outcome, again: Outcome) -> Outcome:
    """What is known after a doubt has been asked about once more. Only a yes says anything about the first call.

    A provider that failed at the first call may know its key all the same, and may have sent nothing.
    """
    if again.kind is not Kind.ACCEPTED or (again is KNOWN and FAILURE.search(first.reason)):
        return first
    return again
