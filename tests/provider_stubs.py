"""Providers with an HTTP interface, on loopback: they check what is documented of a request, and obey."""

import json
import ssl
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tests.servers import listening


@dataclass(frozen=True)
class Call:
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Answer:
    status: int = 200
    body: Any = ""  # text and octets as they are, all else as JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    is_late: bool = False  # comes when nobody waits for it any more
    drips: bool = False  # a byte at a time
    hangs_up: bool = False  # without having said so
    adds: bytes = b""  # octets that nobody asked for, as soon as there is `leisure`

    def as_bytes(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@dataclass
class HttpProvider:
    """What it was asked, and how it answers."""

    answer: Callable[[Call], Answer]
    calls: list[Call] = field(default_factory=list)
    port: int = 0
    patience: threading.Event = field(default_factory=threading.Event)
    hung_up: threading.Event = field(default_factory=threading.Event)
    leisure: threading.Event = field(default_factory=threading.Event)
    added: threading.Event = field(default_factory=threading.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/"


@contextmanager
def serving(provider: HttpProvider, tls: ssl.SSLContext | None = None) -> Iterator[HttpProvider]:
    """On a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            call = Call(self.path, dict(self.headers), body)
            provider.calls.append(call)
            answer = provider.answer(call)
            if answer.is_late:
                provider.patience.wait(10)
            content = answer.as_bytes()
            self.send_response(answer.status)
            for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            for piece in pieces(content) if answer.drips else [content]:
                self.wfile.write(piece)
                provider.patience.wait(0.05 if answer.drips else 0)
            if answer.adds:
                provider.leisure.wait(10)
                self.wfile.write(answer.adds)
                provider.added.set()
            self.close_connection = answer.hangs_up

        def log_message(self, *_: object) -> None:
            """Quiet."""

    class Server(ThreadingHTTPServer):
        daemon_threads, request_queue_size = True, 200

        def shutdown_request(self, request: Any) -> None:
            super().shutdown_request(request)
            provider.hung_up.set()

        def handle_error(self, *_: object) -> None:
            """Who does not wait for a late answer has hung up."""

    server = Server(("127.0.0.1", 0), Handler)
    if tls:
        server.socket = tls.wrap_socket(server.socket, server_side=True)
    with listening(server) as provider.port:
        try:
            yield provider
        finally:
            provider.patience.set()


def pieces(content: bytes) -> Iterator[bytes]:
    return (content[place : place + 1] for place in range(len(content)))


@dataclass
class Batches:
    """A batch call as it is documented. `instead` may answer a call before it is looked at, `after` once it was taken;
    `refuse` makes of a recipient what the provider says of that message.
    """

    accepted: list[dict[str, Any]] = field(default_factory=list)
    instead: Callable[[Call], Answer | None] = lambda call: None
    after: Callable[[Call], Answer | None] = lambda call: None
    refuse: dict[str, Any] = field(default_factory=dict)

    def __call__(self, call: Call) -> Answer:
        if early := self.instead(call):
            return early
        if faults := self.faults(call):
            return Answer(422, {"ErrorCode": 403, "Message": "; ".join(faults), "message": "; ".join(faults)})
        answer = self.take(call)
        return self.after(call) or answer

    def faults(self, call: Call) -> list[str]:
        raise NotImplementedError

    def take(self, call: Call) -> Answer:
        raise NotImplementedError


class PostmarkBatches(Batches):
    """postmarkapp.com/developer/user-guide/send-email-with-api/batch-emails; fields by /developer/api/email-api."""

    KNOWN = frozenset(
        [
            "From",
            "To",
            "Cc",
            "Bcc",
            "Subject",
            "Tag",
            "HtmlBody",
            "TextBody",
            "ReplyTo",
            "Headers",
            "TrackOpens",
            "TrackLinks",
            "Attachments",
            "Metadata",
            "MessageStream",
        ]
    )

    def faults(self, call: Call) -> list[str]:
        headers = {name.lower(): value for name, value in call.headers.items()}
        rules = {
            "path": call.path == "/email/batch",
            "token": headers.get("x-postmark-server-token") == "token",
            "types": headers["content-type"] == headers["accept"] == "application/json",
            "500 messages": isinstance(call.json, list) and 0 < len(call.json) <= 500,
            "50 MB": len(call.body) <= 50_000_000,
            "messages": all(self.is_message(one) for one in call.json),
        }
        return [name for name, is_kept in rules.items() if not is_kept]

    def is_message(self, one: dict[str, Any]) -> bool:
        metadata = one.get("Metadata", {})
        return (
            one.keys() <= self.KNOWN
            and all(isinstance(one[name], str) and one[name] for name in ("From", "To", "Subject", "HtmlBody"))
            and all(header.keys() == {"Name", "Value"} for header in one.get("Headers", []))
            and all(len(name) <= 20 and len(value) <= 80 for name, value in metadata.items())
        )

    def take(self, call: Call) -> Answer:
        return Answer(body=[self.one(message) for message in call.json])

    def one(self, message: dict[str, Any]) -> Any:
        if message["To"] in self.refuse:
            return self.refuse[message["To"]]
        self.accepted.append(message)
        return {
            "ErrorCode": 0,
            "Message": "OK",
            "MessageID": str(uuid.uuid4()),
            "SubmittedAt": "2026-03-20T09:00:00Z",
            "To": message["To"],
        }


class ResendBatches(Batches):
    """resend.com/docs/api-reference/emails/send-batch-emails and /docs/dashboard/emails/idempotency-keys."""

    KNOWN = frozenset(
        {
            "from",
            "to",
            "cc",
            "bcc",
            "reply_to",
            "subject",
            "html",
            "text",
            "headers",
            "tags",
        }
    )  # no attachments, no schedule

    def __init__(self) -> None:
        super().__init__()
        self.known: dict[str, tuple[bytes, Answer]] = {}

    def faults(self, call: Call) -> list[str]:
        headers = {name.lower(): value for name, value in call.headers.items()}
        rules = {
            "path": call.path == "/emails/batch",
            "token": headers.get("authorization") == "Bearer token",
            "type": headers["content-type"] == "application/json",
            "key of 1 to 256 characters": 0 < len(headers.get("idempotency-key", "")) <= 256,
            "validation": headers.get("x-batch-validation") in {"strict", "permissive"},
            "100 messages": isinstance(call.json, list) and 0 < len(call.json) <= 100,
            "messages": all(self.is_message(one) for one in call.json),
        }
        return [name for name, is_kept in rules.items() if not is_kept]

    def is_message(self, one: dict[str, Any]) -> bool:
        return (
            one.keys() <= self.KNOWN
            and all(isinstance(one[name], str) and one[name] for name in ("from", "subject", "html", "text"))
            and isinstance(one["to"], list)
            and 0 < len(one["to"]) <= 50
            and all(isinstance(value, str) for value in one.get("headers", {}).values())
        )

    def take(self, call: Call) -> Answer:
        key = {name.lower(): value for name, value in call.headers.items()}["idempotency-key"]
        if key in self.known:
            body, answer = self.known[key]
            return answer if body == call.body else Answer(409, {"name": "invalid_idempotent_request"})
        taken = [one for one in call.json if one["to"][0] not in self.refuse]
        self.accepted += taken
        faults = [
            {"index": place, "message": self.refuse[one["to"][0]]}
            for place, one in enumerate(call.json)
            if one["to"][0] in self.refuse
        ]
        answer = Answer(body={"data": [{"id": str(uuid.uuid4())} for _ in taken], "errors": faults})
        self.known[key] = call.body, answer
        return answer


class ResendCalls(ResendBatches):
    """resend.com/docs/api-reference/emails/send-email: one message a call, under a key of its own."""

    def faults(self, call: Call) -> list[str]:
        headers = {name.lower(): value for name, value in call.headers.items()}
        rules = {
            "path": call.path == "/emails",
            "token": headers.get("authorization") == "Bearer token",
            "key of 1 to 256 characters": 0 < len(headers.get("idempotency-key", "")) <= 256,
            "message": self.is_message(call.json),
        }
        return [name for name, is_kept in rules.items() if not is_kept]

    def take(self, call: Call) -> Answer:
        key = self.key(call)
        if key not in self.known:
            self.accepted.append(call.json)
            self.known[key] = call.body, Answer(body={"id": str(uuid.uuid4())})
        body, answer = self.known[key]
        return answer if body == call.body else Answer(409, {"name": "invalid_idempotent_request"})

    def key(self, call: Call) -> str:
        return {name.lower(): value for name, value in call.headers.items()}["idempotency-key"]

    def recipient(self, message: dict[str, Any]) -> str:
        return str(message["to"][0])


class BrevoCalls(Batches):
    """developers.brevo.com/reference/sendtransacemail and /docs/heterogenous-versions-batch-emails (of the key)."""

    def __init__(self) -> None:
        super().__init__()
        self.known: set[str] = set()

    def faults(self, call: Call) -> list[str]:
        headers = {name.lower(): value for name, value in call.headers.items()}
        rules = {
            "path": call.path == "/smtp/email",
            "token": headers.get("api-key") == "token",
            "key": str(uuid.UUID(self.key(call))) == self.key(call),
            "message": all(call.json.get(part) for part in ("sender", "to", "subject", "htmlContent", "textContent")),
        }
        return [name for name, is_kept in rules.items() if not is_kept]

    def take(self, call: Call) -> Answer:
        if self.key(call) in self.known:
            return Answer(400, {"code": "duplicate_parameter", "message": "idempotencyKey was used before"})
        self.known.add(self.key(call))
        self.accepted.append(call.json)
        return Answer(201, {"messageId": f"<{uuid.uuid4()}@smtp-relay.mailin.fr>"})

    def key(self, call: Call) -> str:
        return str(call.json["headers"]["idempotencyKey"])

    def recipient(self, message: dict[str, Any]) -> str:
        return str(message["to"][0]["email"])
