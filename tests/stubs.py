"""Real servers on loopback in the place of providers, told how to behave."""

import json
import socket
import socketserver
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import IO, Any, TypeVar

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from tests.servers import free_port, listening


@dataclass
class Relay:
    """An SMTP relay: what it accepted, and what it answers instead where told so."""

    port: int = 0
    accepted: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)  # recipient -> answer to RCPT
    answer: str = "250 OK"  # to the message itself
    hang_up: bool = False  # take the message, answer nothing, close

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address in self.refuse:
            return self.refuse[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.hang_up:
            server.transport.abort()
        if self.hang_up or self.answer.startswith("250"):
            assert isinstance(envelope.content, bytes)
            self.accepted.append(message_from_bytes(envelope.content, policy=policy.default))
            self.recipients += envelope.rcpt_tos
        return self.answer


R = TypeVar("R", bound="Relay")


@contextmanager
def smtp_relay(relay: R) -> Iterator[R]:
    """A relay on a free port of this machine."""
    relay.port = free_port()
    controller = Controller(relay, hostname="127.0.0.1", port=relay.port)
    controller.start()
    try:
        yield relay
    finally:
        controller.stop()


@dataclass
class Server:
    """An SMTP server that takes commands in a row (RFC 2920), and misbehaves as its `answer` says."""

    port: int = 0
    extensions: tuple[str, ...] = ("PIPELINING", "SIZE 1000000", "8BITMIME")
    most: int = 1000  # connections at once
    delay: float = 0  # seconds before each reply
    asks_nobody: bool = False  # answers DATA with 354 even where no recipient was taken
    # From a verb ("MAIL", "RCPT", "DATA", or "." for the content) and the recipient to a reply other than the usual;
    # an empty one hangs up, None leaves the usual one.
    answer: Callable[[str, str], str | None] = lambda verb, recipient: None
    accepted: list[tuple[str, bytes]] = field(default_factory=list)  # recipient, content
    heard: list[bytes] = field(default_factory=list)  # the commands of all connections
    sessions: int = 0
    open: int = 0

    def serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            self.sessions += 1
            if self.open >= self.most:
                connection.sendall(b"421 too many connections\r\n")
                return
            self.open += 1
            try:
                self._talk(connection, lines)
            except OSError:
                pass
            finally:
                self.open -= 1

    def _talk(self, connection: socket.socket, lines: IO[bytes]) -> None:
        recipient, taken = "", set[str]()
        connection.sendall(b"220 stub\r\n")
        while line := lines.readline():
            self.heard.append(line.strip())
            verb = line[:4].decode().strip().upper()
            if verb == "RCPT":
                recipient = line.decode().partition("<")[2].partition(">")[0]
            for step in (verb, ".") if verb == "DATA" else (verb,):
                content = self._content(lines) if step == "." else b""
                reply = self.answer(step, recipient)
                reply = self._usual(step, taken) if reply is None else reply
                if not reply:
                    return
                if reply.startswith("2"):
                    taken.add(step)
                if step == "." and reply.startswith("2"):
                    self.accepted.append((recipient, content))
                if step in {".", "RSET"}:
                    taken.clear()
                time.sleep(self.delay)
                self.say(connection, reply, step)
                if step == "QUIT" or not reply.startswith(("2", "3")):
                    break

    def say(self, connection: socket.socket, reply: str, verb: str) -> None:
        """Answer a command."""
        connection.sendall(reply.encode() + b"\r\n")

    def _content(self, lines: IO[bytes]) -> bytes:
        content = b""
        while (line := lines.readline()) != b".\r\n":
            if not line:
                raise ConnectionResetError("no more")
            content += line.removeprefix(b".") if line.startswith(b"..") else line
        return content

    def _usual(self, verb: str, taken: set[str]) -> str:
        if verb == "EHLO":
            return "\r\n".join([*(f"250-{name}" for name in ("stub", *self.extensions)), "250 HELP"])
        if verb == "MAIL" and "MAIL" in taken:
            return "503 nested MAIL"
        if verb == "RCPT" and "MAIL" not in taken:
            return "503 whose?"
        if "RCPT" not in taken and (verb == "." or (verb == "DATA" and not self.asks_nobody)):
            return "554 no valid recipients"
        return {"DATA": "354 go on", "QUIT": "221 bye"}.get(verb, "250 OK")


S = TypeVar("S", bound=Server)


@contextmanager
def smtp_server(server: S) -> Iterator[S]:
    """On a free port of this machine, a thread for each connection."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            server.serve(self.request)

    class Threads(socketserver.ThreadingTCPServer):
        daemon_threads, block_on_close, request_queue_size = False, True, 200

    with listening(Threads(("127.0.0.1", 0), Handler)) as server.port:
        yield server


@dataclass
class Api:
    """An HTTP provider: what it was asked, and what it answers."""

    port: int = 0
    requests: list[dict[str, Any]] = field(default_factory=list)
    status: int = 200
    body: str = ""  # where empty: Postmark's answer to a message that it takes
    headers: dict[str, str] = field(default_factory=dict)
    silent: threading.Event | None = None  # take the request, answer only when this is set
    together: threading.Barrier | None = None  # after the first request: answer only when so many are there

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def http_api() -> Iterator[Api]:
    """An HTTP provider on a free port of this machine."""
    api = Api()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            api.requests.append(asked)
            if api.silent:
                api.silent.wait(10)
            if api.together and len(api.requests) > 1:
                api.together.wait(10)
            self.send_response(api.status)
            for name, value in api.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            taken = {"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": asked["To"]}
            self.wfile.write((api.body or json.dumps(taken)).encode())

        def log_message(self, *_: object) -> None:
            """Quiet."""

    with listening(ThreadingHTTPServer(("127.0.0.1", 0), Handler)) as api.port:
        try:
            yield api
        finally:
            if api.silent:
                api.silent.set()


@dataclass
class Names:
    """A DNS server: the records it knows, and how often it was asked. A domain without any does not exist."""

    port: int = 0
    records: dict[str, list[str]] = field(default_factory=dict)  # "lab.test." -> ["MX 10 mail.lab.test."]
    silent: bool = False
    asked: int = 0

    def answer(self, question: bytes) -> bytes:
        query = dns.message.from_wire(question)
        asked = query.question[0]
        answer = dns.message.make_response(query)
        answer.flags |= dns.flags.RA
        known = self.records.get(str(asked.name))
        if known is None:
            answer.set_rcode(dns.rcode.NXDOMAIN)
        for kind, _, data in (record.partition(" ") for record in known or ()):
            if dns.rdatatype.from_text(kind) == asked.rdtype:
                answer.answer.append(dns.rrset.from_text(asked.name, 60, "IN", kind, data))
        return answer.to_wire()


@contextmanager
def dns_server() -> Iterator[Names]:
    """A DNS server on a free port of this machine."""
    names = Names()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            question, socket = self.request
            names.asked += 1
            if not names.silent:
                socket.sendto(names.answer(question), self.client_address)

    with listening(socketserver.ThreadingUDPServer(("127.0.0.1", 0), Handler)) as names.port:
        yield names
