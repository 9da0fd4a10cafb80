"""One SMTP session as its client sees it: what was said, what is still to be answered, and what each reply means.

A message's envelope goes first, together with the end of the message before where the server takes commands in a row
(RFC 2920); its content goes when the caller says so. Each reply is counted against its own command, so that when a
session dies it is known what may have arrived: a message whose content was begun, and no other.
"""

import smtplib
import socket
import ssl
import time
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from email.utils import parseaddr
from enum import Enum
from functools import lru_cache

from django.core.mail import EmailMultiAlternatives
from django.utils import timezone

from newsletter.delivery.wire.mime import as_data, ascii_address
from newsletter.delivery.wire.outcomes import Kind, Outcome, by_sender_code, by_smtp_code

LONGEST_REPLY = 65_536  # octets; a server that says more says nothing
AT_ONCE = 65_536  # octets read
NOT_YET = (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError)


class Garbled(Exception):  # noqa: N818 - named for what the server's words were
    """A server said what no server should."""


class Step(Enum):
    MAIL = "MAIL"
    RCPT = "RCPT"
    DATA = "DATA"
    CONTENT = "the content"
    RESET = "RSET"


@dataclass(frozen=True)
class Prepared:
    """An envelope, and what goes after DATA, the final dot included."""

    sender: str
    recipient: str
    content: bytes
    message_id: str


@dataclass
class Transaction:
    """One message on its way."""

    key: int
    prepared: Prepared
    tries: int = 0
    refusal: Outcome | None = None  # by a reply before the content
    is_ready: bool = False  # the server waits for the content
    is_dropped: bool = False  # and waits in vain

    def afresh(self) -> "Transaction":
        """The same message for another session."""
        return Transaction(self.key, self.prepared, self.tries + 1)


# What a reply settles: a message with its outcome, or with None when it is ready.
Heard = tuple[Transaction, Outcome | None]


def prepare(message: EmailMultiAlternatives) -> Prepared:
    """Raises ValueError for what cannot be sent."""
    sender, recipient = sender_address(message.from_email), ascii_address(message.to[0])
    if any(character in sender + recipient for character in "<> \r\n"):
        raise ValueError("An address would become a command.")
    content = as_data(message, timezone.now())
    return Prepared(sender, recipient, content, message.extra_headers.get("Message-ID", ""))


@lru_cache(maxsize=8)
def sender_address(header: str) -> str:
    return ascii_address(parseaddr(header)[1])


class Session:
    """A connection that was opened and greeted. `patience`: seconds that the server has to answer."""

    def __init__(self, connection: smtplib.SMTP, patience: float) -> None:
        assert connection.sock is not None  # noqa: S101 - it was opened
        self.socket: socket.socket = connection.sock
        self.socket.setblocking(False)
        with suppress(OSError):  # not TCP
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if connection.file is not None:
            connection.file.close()
        self.pipelines = connection.has_extn("pipelining")
        self.takes_size = connection.has_extn("size")
        self.patience = patience
        self.deadline: float | None = None
        self.out = bytearray()
        self.is_watched_for_writing = False  # by whoever selects
        self.ready: Transaction | None = None  # the server waits for its content, and takes nothing else
        self._awaited: deque[tuple[Step, Transaction]] = deque()
        self._unsaid: deque[tuple[Step, Transaction, bytes]] = deque()  # where a command waits for the reply before
        self._in = b""
        self._lines: list[bytes] = []

    @property
    def is_idle(self) -> bool:
        return not (self._awaited or self._unsaid or self.ready)

    @property
    def may_begin(self) -> bool:
        """Whether the next message's envelope can be said now."""
        if self.is_idle:
            return True
        return self.pipelines and len(self._awaited) == 1 and self._awaited[0][0] is Step.CONTENT

    @property
    def submitted(self) -> list[Transaction]:
        """The messages whose content was begun and not answered."""
        return [transaction for step, transaction in self._awaited if step is Step.CONTENT]

    def begin(self, transaction: Transaction) -> None:
        """Say the envelope."""
        letter = transaction.prepared
        size = f" SIZE={len(letter.content)}" if self.takes_size else ""
        self._say(Step.MAIL, transaction, f"MAIL FROM:<{letter.sender}>{size}\r\n".encode("ascii"))
        self._say(Step.RCPT, transaction, f"RCPT TO:<{letter.recipient}>\r\n".encode("ascii"))
        self._say(Step.DATA, transaction, b"DATA\r\n")

    def hand_over(self, transaction: Transaction) -> None:
        """Send the content of a message that is ready."""
        self.ready = None
        self._say(Step.CONTENT, transaction, transaction.prepared.content)

    def write(self) -> None:
        """Send as much as goes. Raises OSError."""
        while self.out:
            try:
                sent = self.socket.send(self.out)
            except NOT_YET:
                return
            del self.out[:sent]

    def read(self) -> Iterator[Heard]:
        """What the replies that have come settle. Raises OSError, EOFError at the end, and Garbled; after all else."""
        while received := self._received():
            self._in += received
            *lines, self._in = self._in.split(b"\n")
            for line in lines:
                yield from self._line(line)
            if len(self._in) + sum(map(len, self._lines)) > LONGEST_REPLY:
                raise Garbled("the server's reply has no end")
            if len(received) < AT_ONCE and not isinstance(self.socket, ssl.SSLSocket):
                return  # there is no more; but no selector tells of what TLS holds back

    def _received(self) -> bytes:
        try:
            received = self.socket.recv(AT_ONCE)
        except NOT_YET:
            return b""
        if not received:
            raise EOFError("the server hung up")
        return received

    def _line(self, line: bytes) -> Iterator[Heard]:
        line = line.rstrip()
        code, mark, text = line[:3], line[3:4], line[4:]
        if not (len(code) == 3 and code.isdigit() and mark in {b" ", b"-", b""}):
            raise Garbled(f"the server said {line[:80]!r}")
        self._lines.append(text)
        if mark == b"-":
            return
        whole, self._lines = b" ".join(self._lines), []
        yield from self._reply(int(code), whole)

    def _reply(self, code: int, text: bytes) -> Iterator[Heard]:
        if not self._awaited:
            raise EOFError(f"the server said {code} and goes")  # 421, mostly: it was idle for too long
        step, transaction = self._awaited.popleft()
        if step is Step.CONTENT:
            yield transaction, by_content(code, text, transaction)
        elif step is not Step.RESET:
            yield from self._envelope(step, transaction, code, text)
        if self._unsaid and not self._awaited:
            self._send(*self._unsaid.popleft())
        if not self._awaited:
            self.deadline = None

    def _envelope(self, step: Step, transaction: Transaction, code: int, text: bytes) -> Iterator[Heard]:
        expected = 3 if step is Step.DATA else 2
        if code // 100 != expected and transaction.refusal is None:
            by_code = by_sender_code if step is Step.MAIL else by_smtp_code
            transaction.refusal = by_code(code, text)
        if transaction.refusal is None:
            if step is Step.DATA:
                transaction.is_ready, self.ready = True, transaction
                yield transaction, None
        elif step is Step.DATA or self._unsaid:
            self._unsaid.clear()
            # DATA was taken although the recipient was not: a dot alone (RFC 2920, 3.1). Else leave the transaction.
            self._say(Step.RESET, transaction, b".\r\n" if step is Step.DATA and code // 100 == 3 else b"RSET\r\n")
            yield transaction, transaction.refusal

    def _say(self, step: Step, transaction: Transaction, words: bytes) -> None:
        if self.pipelines or not (self._awaited or self._unsaid):
            self._send(step, transaction, words)
        else:
            self._unsaid.append((step, transaction, words))

    def _send(self, step: Step, transaction: Transaction, words: bytes) -> None:
        self._awaited.append((step, transaction))
        self.deadline = time.monotonic() + self.patience
        self.out += words


def by_content(code: int, text: bytes, transaction: Transaction) -> Outcome:
    """What the reply to the final dot means."""
    if code // 100 == 2:
        return Outcome(Kind.ACCEPTED, provider_id=transaction.prepared.message_id)
    if code // 100 in {4, 5}:
        return by_smtp_code(code, text)
    return Outcome(Kind.DOUBT, f"the server said {code}")
