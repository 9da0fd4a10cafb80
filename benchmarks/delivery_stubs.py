"""Providers that take their time, cheap enough to stand beside what is measured: `python -m benchmarks.delivery_stubs`.

smtp PORT MILLISECONDS    a relay that answers each command after so long, one after the other, PIPELINING offered
http PORT MILLISECONDS    Postmark's calls for one message and for many, answered after so long
"""

import asyncio
import re
import sys
from collections import deque

TAKEN = b'{"ErrorCode": 0, "Message": "OK", "MessageID": "b7bc2f4a", "To": "%s"}'
RECIPIENT = re.compile(rb'"To": ?"([^"]*)"')
LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"


class Slow(asyncio.Protocol):
    """Answers in order, each answer so long after the one before or after the question."""

    def __init__(self, seconds: float) -> None:
        self.seconds, self.answers, self.rest = seconds, deque[bytes](), b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.greet()

    def greet(self) -> None:
        """Nothing, where the client speaks first."""

    def answer(self, words: bytes) -> None:
        self.answers.append(words)
        if len(self.answers) == 1:
            asyncio.get_running_loop().call_later(self.seconds, self.say)

    def say(self) -> None:
        if not self.transport.is_closing():
            self.transport.write(self.answers.popleft())
            if self.answers:
                asyncio.get_running_loop().call_later(self.seconds, self.say)


class Smtp(Slow):
    in_content = False

    def greet(self) -> None:
        self.answer(b"220 slow\r\n")

    def data_received(self, data: bytes) -> None:
        self.rest += data
        while True:
            end = b"\r\n.\r\n" if self.in_content else b"\r\n"
            words, found, rest = self.rest.partition(end)
            if not found:
                return
            self.rest = rest
            verb = b"." if self.in_content else words[:4].upper()
            self.in_content = verb == b"DATA"
            self.answer(
                {b"EHLO": b"250-slow\r\n250 PIPELINING\r\n", b"DATA": b"354 go on\r\n"}.get(verb, b"250 OK\r\n")
            )


class Http(Slow):
    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)
        self.call, self.octets = bytearray(), 0  # of which it has so many, where that is known

    def data_received(self, data: bytes) -> None:
        self.call += data
        if not self.octets and (end := self.call.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.call, 0, end)
            assert length
            self.octets = end + 4 + int(length[1])
        if self.octets and len(self.call) >= self.octets:
            is_batch = self.call.find(b"/batch ", 0, 100) >= 0
            taken = [TAKEN % to for to in RECIPIENT.findall(self.call)]
            words = b"[%s]" % b",".join(taken) if is_batch else taken[0]
            self.answer(OK % (len(words), words))
            del self.call[: self.octets]
            self.octets = 0


async def serve(kind: str, port: int, milliseconds: int) -> None:
    stub = {"smtp": Smtp, "http": Http}[kind]
    server = await asyncio.get_running_loop().create_server(lambda: stub(milliseconds / 1000), "127.0.0.1", port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
