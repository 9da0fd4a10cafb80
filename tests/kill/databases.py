"""Databases of a scenario's own, which it may stop, fill up or cut off, in the place of the test's."""

import shutil
import socket
import sqlite3
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from django.db import connection

BEGINNING = b'"address_hash":'  # among what the statement is given that, as a transaction of its own, lets contents go
COMMITTED = b"Z\x00\x00\x00\x05I"  # PostgreSQL's ReadyForQuery, outside of any transaction


@contextmanager
def instead(**settings: object) -> Iterator[None]:
    """Let Django's connection, and the processes that a machine starts, use another database."""
    before = dict(connection.settings_dict)
    connection.close()
    connection.settings_dict.update(settings)
    try:
        yield
    finally:
        connection.close()
        connection.settings_dict.update(before)


def postgres_parts(url: str) -> dict[str, object]:
    """A URL as Django's settings have it."""
    parts = urlsplit(url)
    return {"HOST": parts.hostname, "PORT": parts.port, "USER": parts.username, "NAME": parts.path.strip("/")}


def sqlite_copy(path: Path) -> None:
    """The test's database, as it is, in another file."""
    with sqlite3.connect(connection.settings_dict["NAME"]) as original:
        original.execute("VACUUM INTO ?", [str(path)])
    original.close()


@contextmanager
def small_disk(megabytes: int) -> Iterator[Path]:
    """A disk of so few megabytes. Skips the test where none may be mounted."""
    with tempfile.TemporaryDirectory(prefix="tp-disk-") as folder:
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", folder]
        tried = subprocess.run(mount, check=False, capture_output=True, text=True)
        if tried.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {tried.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)


def fill(folder: Path) -> Path:
    """Leave no room on a disk; returns the file that takes it."""
    ballast = folder / "ballast"
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(64 * 1024))
    with suppress(OSError), ballast.open("ab", buffering=0) as file:
        while True:
            file.write(b"x")
    assert shutil.disk_usage(folder).free == 0
    return ballast


@dataclass
class Cutter:
    """Stands between the workers and PostgreSQL, and hangs up on a client when the server has committed, before the
    client is told."""

    server: int  # its port
    port: int = 0
    cut_at: set[int] = field(default_factory=set)  # which of the commits, by number
    commits: int = 0
    cuts: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def serve(self, client: socket.socket) -> None:
        with client, socket.create_connection(("127.0.0.1", self.server)) as server:
            doomed = threading.Event()
            back = threading.Thread(target=self._answers, args=(server, client, doomed), daemon=True)
            back.start()
            with suppress(OSError):
                while words := client.recv(1 << 20):
                    if BEGINNING in words and self._is_due():
                        doomed.set()
                    server.sendall(words)
            with suppress(OSError):
                server.shutdown(socket.SHUT_RDWR)
            back.join(5)

    def _is_due(self) -> bool:
        with self.lock:
            self.commits += 1
            return self.commits in self.cut_at

    def _answers(self, server: socket.socket, client: socket.socket, doomed: threading.Event) -> None:
        with suppress(OSError):
            while words := server.recv(1 << 20):
                if doomed.is_set():
                    if COMMITTED in words:
                        self.cuts += 1
                        break
                    continue
                client.sendall(words)
        for one in (client, server):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)


@contextmanager
def cutter(server: int, cut_at: set[int]) -> Iterator[Cutter]:
    """On a free port of this machine."""
    between = Cutter(server, cut_at=cut_at)
    with socket.create_server(("127.0.0.1", 0), backlog=100) as listener:
        between.port = listener.getsockname()[1]

        def accept() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    threading.Thread(target=between.serve, args=(client,), daemon=True).start()

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield between
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(5)
