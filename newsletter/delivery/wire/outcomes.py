"""What became of one submission, as far as is known. Pure: an exception in, an Outcome out.

An exception does not mean "not sent": only what surely happened before the message left counts as unsent.
"""

import re
import smtplib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import Enum
from typing import Any

import requests
from anymail.exceptions import (
    AnymailAPIError,
    AnymailConfigurationError,
    AnymailError,
    AnymailRecipientsRefused,
)
from django.core.exceptions import ImproperlyConfigured
from urllib3.exceptions import NewConnectionError

RETRY_AFTER = timedelta(minutes=1)  # where nobody says when
ADDRESS = re.compile(r"[^\s<>]+@[^\s<>]+")
LONGEST_RETRY_AFTER = timedelta(hours=1)  # a provider's own word is believed up to here

INVALID = {"invalid"}  # anymail's word for an address that is none
ABOUT_MESSAGES = {400, 413, 422}  # HTTP's statuses that may be the fault of one message
# RFC 3463, 3.2: no such mailbox or domain, not valid, ambiguous, moved; RFC 7505: a domain that takes no mail.
NO_MAILBOX = re.compile(r"5\d\d 5\.1\.([12346]|10)\b")
# The same of servers that send no such codes: qmail puts them at the end, Exim and others have words (RFC 5321, 4.2.3:
# 550 may also be a policy, so the code alone says nothing).
NO_MAILBOX_IN_WORDS = re.compile(
    r"55[013] (?!\d\.\d\.\d|.*(sender verif|verification failed|callout)).*"
    r"(\(#5\.1\.[12346]\)|unrouteable address|(unknown|no such) (user|recipient|mailbox)"
    r"|(user|recipient|mailbox) (unknown|not found|does not exist))",
    re.IGNORECASE,
)
POSTMARK_OURS = {10, 400, 401, 405, 412, 413}
POSTMARK_NOT_NOW = {100, 429}
AMAZON_LATER = {"TooManyRequestsException", "Throttling", "ThrottlingException", "RequestLimitExceeded"}
# Our account, our sender, our keys: no other message would fare better.
AMAZON_HALT = {
    "AccountSuspendedException",
    "AccessDeniedException",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "LimitExceededException",
    "MailFromDomainNotVerifiedException",
    "NotAuthorized",
    "NotFoundException",
    "OptInRequired",
    "SendingPausedException",
    "UnrecognizedClientException",
}
AMAZON_UNSET = {"NoCredentialsError", "NoRegionError", "PartialCredentialsError", "ProfileNotFound"}
NEVER_AT_AMAZON = {"ConnectTimeoutError", "EndpointConnectionError", "SSLError"}


class Kind(Enum):
    ACCEPTED = "accepted"  # the provider has it
    REFUSED = "refused"  # this message or recipient will never be accepted
    LATER = "later"  # the provider asks to wait
    WAITS = "waits"  # for its turn: the provider was not asked
    UNSENT = "unsent"  # nothing left this machine
    DOUBT = "doubt"  # it may have been sent
    HALT = "halt"  # nothing of ours will be accepted until a person acts


@dataclass(frozen=True)
class Outcome:
    kind: Kind
    reason: str = ""
    provider_id: str = ""
    retry_after: timedelta | None = None  # as the provider said
    no_mailbox: bool = False  # REFUSED, and it blames the address

    @property
    def wait(self) -> timedelta:
        """Until it is worth to try again."""
        return RETRY_AFTER if self.retry_after is None else self.retry_after


LATE = Outcome(Kind.DOUBT, "no whole answer in time")
NOT_NOW = Outcome(Kind.WAITS, "waits for its turn", retry_after=timedelta(0))

# Of a message, by its sender's key: what became of it, or None when the provider waits for its content.
Report = tuple[int, Outcome | None]


def on_connect(error: Exception) -> Outcome:
    """What a failure to reach the provider means, before any message was handed over."""
    if isinstance(error, smtplib.SMTPAuthenticationError) and error.smtp_code < 500:  # RFC 4954, 4.7: not now
        return Outcome(Kind.UNSENT, in_words(error))
    if isinstance(error, (smtplib.SMTPAuthenticationError, smtplib.SMTPNotSupportedError, ImproperlyConfigured)):
        return Outcome(Kind.HALT, in_words(error))
    if type(error).__name__ in AMAZON_UNSET:
        return Outcome(Kind.HALT, in_words(error))
    return Outcome(Kind.UNSENT, in_words(error))


def on_submit(error: Exception, *, was_answered: bool = False) -> Outcome:
    """What an exception from the call that submits means. RFC 5321, section 4.2.1 for SMTP's codes.

    `was_answered`: the provider had said something. Before that, anymail's own errors are its refusals of the message;
    after it, they are about the answer, whose addresses it reads with the same functions.
    """
    for kinds, judge in JUDGES:
        if isinstance(error, kinds):
            return judge(error)
    is_refusal = isinstance(error, AnymailError) and not was_answered
    return Outcome(Kind.REFUSED if is_refusal else Kind.DOUBT, in_words(error))


def by_recipient(error: smtplib.SMTPRecipientsRefused) -> Outcome:
    """The only recipient was refused."""
    [(code, answer)] = error.recipients.values()
    return by_smtp_code(code, answer)


def by_sender(error: smtplib.SMTPSenderRefused) -> Outcome:
    """Our sender is every message's sender: where it is refused permanently, no other message would fare better."""
    return by_sender_code(error.smtp_code, error.smtp_error)


def by_sender_code(code: int, answer: bytes | str) -> Outcome:
    """The same; but for a message that is too large (552, RFC 1870), which speaks of that message alone."""
    outcome = by_smtp_code(code, answer)
    is_of_all = outcome.kind is Kind.REFUSED and code != 552
    return replace(outcome, kind=Kind.HALT, no_mailbox=False) if is_of_all else outcome


def on_http(error: requests.RequestException) -> Outcome:
    """An HTTP provider's answer, or its silence."""
    if error.response is not None:
        return by_http_status(error.response, in_words(error))
    cause = error.__cause__ if isinstance(error.__cause__, requests.RequestException) else error  # anymail wraps it
    if isinstance(cause, requests.ConnectTimeout) or never_connected(cause):
        return Outcome(Kind.UNSENT, in_words(error))
    return LATE if isinstance(cause, requests.ReadTimeout) else Outcome(Kind.DOUBT, in_words(error))


def by_recipient_status(error: AnymailRecipientsRefused) -> Outcome:
    """anymail takes an answer that names nobody for one that refuses everybody."""
    status = getattr(error.email_message, "anymail_status", None)
    if not (status and status.recipients):
        return Outcome(Kind.DOUBT, in_words(error))
    words, answer = in_words(error), getattr(error, "response", None)
    said = by_postmark(answer, words) if isinstance(answer, requests.Response) else None
    return Outcome(Kind.REFUSED, words, no_mailbox=status.status <= INVALID or bool(said and said.no_mailbox))


def by_http_status(response: requests.Response, reason: str) -> Outcome:
    """Few statuses can be about one message; with any other 4xx no other message would fare better."""
    status = response.status_code
    if status in {420, 429}:  # 420: SparkPost, past the account's limit
        return Outcome(Kind.LATER, reason, retry_after=retry_after(response.headers.get("Retry-After", "")))
    if status in ABOUT_MESSAGES:
        return by_postmark(response, reason) or Outcome(Kind.REFUSED, reason)
    # But 408: it did not arrive whole; 409: it is known already, or still being worked on.
    return Outcome(Kind.HALT if 400 <= status < 500 and status not in {408, 409} else Kind.DOUBT, reason)


def by_postmark(response: requests.Response, reason: str) -> Outcome | None:
    """Postmark answers 422 to whatever is wrong, and names it in a code; None for anybody else's answer."""
    try:
        said = response.json()
    except ValueError:
        return None
    if not isinstance(said, dict) or not isinstance(code := said.get("ErrorCode"), int):
        return None
    return by_postmark_code(code, str(said.get("Message", "")), reason)


def by_postmark_code(code: int, words: str, reason: str) -> Outcome:
    """postmarkapp.com/developer/api/overview#error-codes: the token, the sender and the account are ours."""
    if code in POSTMARK_OURS or (code == 300 and "'From'" in words):
        return Outcome(Kind.HALT, reason)
    if code in POSTMARK_NOT_NOW:
        return Outcome(Kind.LATER, reason)
    return Outcome(Kind.REFUSED, reason, no_mailbox=code == 406 or (code == 300 and "'To'" in words))


def by_api_error(error: AnymailAPIError) -> Outcome:
    """An answer that anymail cannot read, or one of Amazon's, which come as a dictionary of botocore's."""
    answer = getattr(error, "response", None)
    if isinstance(answer, dict):
        return by_amazon(answer, in_words(error))
    cause = type(error.__cause__).__name__  # by name: botocore is not always installed
    if cause in AMAZON_UNSET:
        return Outcome(Kind.HALT, in_words(error))
    return Outcome(Kind.UNSENT if cause in NEVER_AT_AMAZON else Kind.DOUBT, in_words(error))


def by_amazon(answer: dict[str, Any], reason: str) -> Outcome:
    """docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html and /CommonErrors.html: the code says more
    than the status, which is 400 for most.
    """
    code, about = str(answer.get("Error", {}).get("Code", "")), answer.get("ResponseMetadata", {})
    wait = retry_after(about.get("HTTPHeaders", {}).get("retry-after", ""))
    status = about.get("HTTPStatusCode", 0)
    if status == 429 or code in AMAZON_LATER:
        return Outcome(Kind.LATER, reason, retry_after=wait)
    if status in {401, 403} or code in AMAZON_HALT:
        return Outcome(Kind.HALT, reason)
    return Outcome(Kind.REFUSED if 400 <= status < 500 else Kind.DOUBT, reason)


def by_smtp_code(code: int, answer: bytes | str) -> Outcome:
    text = answer.decode("utf-8", "replace") if isinstance(answer, bytes) else answer
    words = without_addresses(f"{code} {text}")
    no_mailbox = bool(NO_MAILBOX.match(words) or NO_MAILBOX_IN_WORDS.match(words))
    return Outcome(Kind.REFUSED if code >= 500 else Kind.LATER, words, no_mailbox=no_mailbox)


def retry_after(header: str) -> timedelta | None:
    """Retry-After in seconds (RFC 9110, section 10.2.3), within reason; its other form, a date, is not read."""
    if not (header.isascii() and header.isdigit() and len(header) < 10):
        return None
    return min(timedelta(seconds=int(header)), LONGEST_RETRY_AFTER)


def never_connected(error: BaseException) -> bool:
    """DNS, connect or TLS failed: no byte of the message left."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return isinstance(error, requests.exceptions.SSLError) or isinstance(reason, NewConnectionError)


def in_words(error: Exception) -> str:
    """A reason for the ledger: the error's kind and its first words, without anybody's address."""
    return without_addresses(f"{type(error).__name__}: {error}")


def without_addresses(text: str) -> str:
    return printable(ADDRESS.sub("(address)", text))[:200]


def printable(text: str) -> str:
    """Others' words, without the characters that PostgreSQL keeps in no text, or that show as nothing."""
    return text if text.isprintable() else "".join(one if one.isprintable() else " " for one in text)


# Tried in turn: the particular before the general.
JUDGES: list[tuple[type[Exception] | tuple[type[Exception], ...], Callable[[Any], Outcome]]] = [
    (smtplib.SMTPRecipientsRefused, by_recipient),
    (smtplib.SMTPSenderRefused, by_sender),
    (smtplib.SMTPResponseException, lambda error: by_smtp_code(error.smtp_code, error.smtp_error)),
    # An international address and a server without SMTPUTF8: smtplib says so before MAIL.
    (smtplib.SMTPNotSupportedError, lambda error: Outcome(Kind.REFUSED, in_words(error))),
    (AnymailConfigurationError, lambda error: Outcome(Kind.HALT, in_words(error))),
    (AnymailRecipientsRefused, by_recipient_status),
    (requests.RequestException, on_http),
    (AnymailAPIError, by_api_error),
]
