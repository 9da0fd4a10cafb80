"""Providers that write down each acceptance the moment it happens, and misbehave as a scenario tells them."""

import json
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any
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
        """Write it down; returns the how many-th it is."""
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


@dataclass
class Postmark:
    """Postmark's call for one message."""

    port: int = 0
    log: Log = field(default_factory=Log)
    asked: int = 0
    # Of a call by its number and digest: what is answered, and whether the message was taken before that.
    answer: Callable[["Postmark", int, UUID], "Reply"] = lambda api, number, digest: Reply()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"

    def hear(self, message: dict[str, Any], connection: socket.socket, out: IO[bytes]) -> None:
        digest = UUID(message["Metadata"]["digest"])
        self.asked += 1
        reply = self.answer(self, self.asked, digest)
        if reply.takes:
            self.log.take(digest)
        if reply.how == "silence":
            threading.Event().wait(reply.seconds)
        elif reply.how == "reset":
            raise reset(connection)
        elif reply.how == "drip":
            drip(connection, reply.bytes_for(message["To"]))
        else:
            out.write(reply.bytes_for(message["To"]))


@dataclass(frozen=True)
class Reply:
    status: int = 200
    takes: bool = True
    how: str = ""  # silence, reset, drip or garbage
    seconds: float = 0  # of silence
    retry_after: int = 0

    def bytes_for(self, recipient: str) -> bytes:
        told = {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": recipient}
        body = b"<html>" if self.how == "garbage" else json.dumps(told if self.status == 200 else {}).encode()
        head = f"HTTP/1.0 {self.status} So\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n"
        wait = f"Retry-After: {self.retry_after}\r\n" if self.retry_after else ""
        return f"{head}{wait}\r\n".encode() + body


def reset(connection: socket.socket) -> ConnectionResetError:
    """When the last who uses it lets go of it, the other side gets a reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return ConnectionResetError("on purpose")


def drip(connection: socket.socket, words: bytes) -> None:
    for one in words:
        connection.sendall(bytes([one]))
        threading.Event().wait(DRIP)


@contextmanager
def postmark() -> Iterator[Postmark]:
    """On a free port of this machine."""
    api = Postmark()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            message = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            try:
                api.hear(message, self.connection, self.wfile)
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
