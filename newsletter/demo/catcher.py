"""A local mail server that delivers nothing: it keeps every message in a Maildir.

python -m newsletter.demo.catcher HOST PORT FOLDER
"""

import asyncio
import signal
import sys
from mailbox import Maildir
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session


class Keep:
    """aiosmtpd's handler: what is handed over is on disk before it is accepted."""

    def __init__(self, folder: Path) -> None:
        folder.parent.mkdir(parents=True, exist_ok=True)
        self.mailbox = Maildir(folder)

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: ARG002, N802 - aiosmtpd's name and signature
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        recipients = ", ".join(envelope.rcpt_tos)
        # What a delivering server adds: who it was really for, whatever the To line says.
        trace = f"Return-Path: <{envelope.mail_from}>\nDelivered-To: {recipients}\n"
        self.mailbox.add(trace.encode() + content.replace(b"\r\n", b"\n"))
        return "250 kept"


async def serve(host: str, port: int, folder: Path) -> None:
    """Serve until SIGTERM or SIGINT."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    keep = Keep(folder)
    server = await loop.create_server(
        lambda: SMTP(keep, hostname="localhost", enable_SMTPUTF8=True, loop=loop), host, port
    )
    async with server:
        await stop.wait()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])))
