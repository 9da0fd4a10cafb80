"""A digest's message as the bytes that go over SMTP: encoded pieces joined, not built and folded again each time.

Both parts are quoted-printable (RFC 2045, 6.7): seven bits and short lines, so no relay on the way has a reason to
encode the message again, which would break its signature (RFC 6376, 5.3). Two encoded pieces join by a soft line break,
so what all copies share is encoded once.
"""

from datetime import UTC, datetime
from email.utils import format_datetime
from functools import lru_cache
from typing import cast

import idna
from django.core.mail import EmailMultiAlternatives

from newsletter.digest.quoting import quoted
from newsletter.digest.rendering import DigestMail
from subscribers.emails import LINE, encoded_words

BOUNDARY = "=_digest"  # no quoted-printable text can hold "=_": RFC 2045, 6.7, the note on boundaries
PREAMBLE = (
    f'MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary="{BOUNDARY}"\r\n\r\n'
    f'--{BOUNDARY}\r\nContent-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n'
).encode()
BETWEEN = (
    f'\r\n--{BOUNDARY}\r\nContent-Type: text/html; charset="utf-8"\r\n'
    "Content-Transfer-Encoding: quoted-printable\r\n\r\n"
).encode()
END = f"\r\n--{BOUNDARY}--\r\n.\r\n".encode()


def as_data(message: EmailMultiAlternatives, at: datetime) -> bytes:
    """The message, dated `at`, as it follows DATA (RFC 5321, 4.5.2): CRLF line ends, dots stuffed, the final one last.

    Raises ValueError for a message that is not a text with its HTML to one person, and for a header that holds a line
    break or cannot be said in ASCII.
    """
    if len(message.recipients()) != 1 or message.attachments:
        raise ValueError("Not a text with its HTML to one person.")
    text, html = quoted_parts(message)
    headers = {
        "Subject": str(message.subject),
        "From": message.from_email,
        "To": ascii_address(message.to[0]),
        "Date": dated(at.replace(microsecond=0)),
        **message.extra_headers,
    }
    return b"".join(
        [
            *(header(name, value) for name, value in headers.items()),
            PREAMBLE,
            *text,
            BETWEEN,
            *html,
            END,
        ]
    )


def quoted_parts(message: EmailMultiAlternatives) -> tuple[list[bytes], list[bytes]]:
    if isinstance(message, DigestMail) and not message.is_joined:
        return message.encoded(quoted)
    if len(message.alternatives) != 1:
        raise ValueError("Not a text with its HTML to one person.")
    return [quoted(cast(str, message.body))], [quoted(cast(str, message.alternatives[0][0]))]


@lru_cache(maxsize=256)  # senders, lists and subjects are those of many; what is one reader's own falls out again
def header(name: str, value: str) -> bytes:
    """One header, folded where it is long; what is not ASCII as RFC 2047 has it."""
    if len(name) + len(value) + 2 <= LINE and value.isascii() and value.isprintable():
        return f"{name}: {value}\r\n".encode("ascii")
    if "\r" in value or "\n" in value:
        raise ValueError(f"The header {name} holds a line break.")
    if not value.isascii():
        value = encoded_words(name, value)
    # By hand: the standard library takes an address that fills a line for text, and encodes it (List-Unsubscribe).
    lines, last = [], f"{name}:"
    for word in value.split(" "):
        if len(last) + 1 + len(word) > LINE and last.strip() and last != f"{name}:":
            lines.append(last)
            last = ""
        last += f" {word}"
    return "\r\n".join([*lines, last, ""]).encode("ascii")


@lru_cache(maxsize=8)  # mails of the same second share it
def dated(at: datetime) -> str:
    return format_datetime(at.astimezone(UTC))


def ascii_address(email: str) -> str:
    """The address with its domain as the DNS has it (IDNA 2008). Raises ValueError where there is none."""
    if email.isascii():
        return email
    local, _, domain = email.rpartition("@")
    return f"{local}@{idna.encode(domain, uts46=True).decode()}"
