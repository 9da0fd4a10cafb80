"""Providers that write down each acceptance the moment it happens, and misbehave as a scenario tells them."""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, TypeVar
from uuid import UUID

from tests.servers import listening
from tests.stubs import Server

DIGEST = re.compile(rb"^Message-ID: <([0-9a-f-]{36})@", re.MULTILINE)
DRIP = 1.0  # seconds between two bytes
SILENCE = 20.0  # seconds, far beyond anybody's patience


@dataclass
class Log:
    """The digests that a provider took, in order."""

    taken: list[UUID] = field(default_factory=list)
    hold_at: int = 0  # at the message with this number …
    holding: threading.Event = field(default_factory=threading.Event)  # … it says that it has it,
    go: threading.Event = field(default_factory=threading.Event)  # and answers only then
    lock: threading.Lock = field(default_factory=threading.Lock)

    def take(self, digest: UUID) -> int:
        """Write it down; returns its number."""
        with self.lock:
            self.taken.append(digest)
            number = len(self.taken)
        if number == self.hold_at:
            self.holding.set()
            self.go.wait(60)
        return number

    def hold(self, after: int) -> None:
        """Hold still once so many more have been taken."""
        self.holding.clear()
        self.go.clear()
        self.hold_at = len(self.taken) + after


@dataclass
class Relay(Server):
    """An SMTP relay: what reaches it whole, it has. It may keep the answer to itself, or spoil it."""

    log: Log = field(default_factory=Log)
    spoil: Callable[[int], str] = lambda number: ""  # of a message by its number: "", or how its answer goes wrong
    latest: threading.local = field(default_factory=threading.local)  # each connection has a thread

    def _content(self, lines: IO[bytes]) -> bytes:
        content = super()._content(lines)
        found = DIGEST.search(content)
        assert found, "a message without a digest's name"
        if b"\nAuto-Submitted:" not in content:  # which letters have
            self.latest.number = self.log.take(UUID(found[1].decode()))
        return content

    def say(self, connection: socket.socket, reply: str, verb: str) -> None:
        how = self.spoil(self.latest.number) if verb == "." else ""
        if how == "reset":
            raise reset(connection)
        if how == "silence":  # of the whole session: an answer to a later command would be taken for this one
            threading.Event().wait(SILENCE)
            raise reset(connection)
        if how == "drip":
            drip(connection, reply.encode() + b"\r\n")
        else:
            super().say(connection, {"garbage": "what?", "": reply}[how], verb)


@dataclass(frozen=True)
class Request:
    message: Any  # or many of them
    headers: Mapping[str, str]


@dataclass
class Postmark:
    """Postmark's call for one message."""

    port: int = 0
    log: Log = field(default_factory=Log)
    asked: int = 0
    # Of a call by its number and (first) digest: what is answered, and whether it was taken before that.
    answer: Callable[["Postmark", int, UUID], "Reply"] = lambda api, number, digest: Reply()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def hear(self, call: Request, connection: socket.socket, out: IO[bytes]) -> None:
        self.asked += 1
        reply = self.answer(self, self.asked, self.digests(call)[0])
        if reply.takes:
            reply = self.take(call, reply)
        if reply.how == "silence":
            threading.Event().wait(reply.seconds)
        elif reply.how == "reset":
            raise reset(connection)
        elif reply.how == "drip":
            drip(connection, reply.as_bytes())
        else:
            out.write(reply.as_bytes())

    def digests(self, call: Request) -> list[UUID]:
        return [UUID(call.message["Metadata"]["digest"])]

    def take(self, call: Request, reply: "Reply") -> "Reply":
        for digest in self.digests(call):
            self.log.take(digest)
        return replace(reply, told={"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": call.message["To"]})


@dataclass
class Keyed(Postmark):
    """A provider with idempotency keys: what comes again under one that it knows is not taken again."""

    known: set[str] = field(default_factory=set)

    def take(self, call: Request, reply: "Reply") -> "Reply":
        key = self.key(call)
        with self.log.lock:
            is_known = key in self.known
            self.known.add(key)
        if not is_known:
            super().take(call, reply)
        return self.said(call, reply, is_known)

    def key(self, call: Request) -> str:
        raise NotImplementedError

    def said(self, call: Request, reply: "Reply", is_known: bool) -> "Reply":
        raise NotImplementedError


@dataclass
class Brevo(Keyed):
    """Its key stands among the message's headers; a call under a known one is an error."""

    def digests(self, call: Request) -> list[UUID]:
        return [UUID(json.loads(call.message["headers"]["X-Mailin-custom"])["digest"])]

    def key(self, call: Request) -> str:
        return str(call.message["headers"]["idempotencyKey"])

    def said(self, call: Request, reply: "Reply", is_known: bool) -> "Reply":
        if is_known:
            return replace(reply, status=400, told={"code": "duplicate_parameter"})
        return replace(reply, status=201, told={"messageId": "b7bc2f4a"})


@dataclass
class Resend(Keyed):
    """Its key is a header of the call, of one message or many; under a known one the answer is what the first was."""

    def digests(self, call: Request) -> list[UUID]:
        messages = call.message if isinstance(call.message, list) else [call.message]
        return [UUID(json.loads(message["headers"]["X-Metadata"])["digest"]) for message in messages]

    def key(self, call: Request) -> str:
        return call.headers["Idempotency-Key"]

    def said(self, call: Request, reply: "Reply", is_known: bool) -> "Reply":
        one = {"id": "b7bc2f4a"}
        return replace(reply, told={"data": [one] * len(call.message)} if isinstance(call.message, list) else one)


@dataclass(frozen=True)
class Reply:
    status: int = 200
    takes: bool = True
    how: str = ""  # silence, reset, drip or garbage
    seconds: float = 0  # of silence
    retry_after: int = 0

    told: Mapping[str, Any] = field(default_factory=dict)

    def as_bytes(self) -> bytes:
        status, body = self.status, json.dumps(self.told).encode()
        if self.how == "garbage":  # where it would have said no, too
            status, body = 200, b"<html>"
        head = f"HTTP/1.0 {status} So\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        wait = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
        return f"{head}{wait}\r\n".encode() + body


def reset(connection: socket.socket) -> ConnectionResetError:
    """Once its last user closes it, the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return ConnectionResetError("on purpose")


def drip(connection: socket.socket, words: bytes) -> None:
    for one in words:
        connection.sendall(bytes([one]))
        threading.Event().wait(DRIP)


A = TypeVar("A", bound=Postmark)


@contextmanager
def calling(api: A) -> Iterator[A]:
    """On a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                api.hear(Request(message, self.headers), self.connection, self.wfile)
            except OSError:
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):  # it was reset
                return

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Threads(ThreadingHTTPServer):
        daemon_threads, block_on_close, request_queue_size = True, False, 200

    with listening(Threads(("127.0.0.1", 0), Handler)) as api.port:
        try:
            yield api
        finally:
            api.log.go.set()
