"""What the delivery benchmark runs beside itself: a PostgreSQL that keeps its word, postfix's test programs, peers."""

import atexit
import contextlib
import os
import shutil
import socket
import subprocess
import tempfile
import time
import venv
from collections.abc import Iterator, Sequence
from functools import cache

import psycopg
from psycopg import sql

from tests.servers import free_port, postgres_programs, unprivileged_user

PEERS = [
    "django==5.2.19",
    "django-post_office==3.12.0",
    "django-newsletter==1.2.1",
    "sorl-thumbnail",  # one of its two ways with pictures must be there
    "pillow",
    "psycopg[binary]==3.3.9",
]


@contextlib.contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL that keeps its word: what is committed is on the disk. Its URL."""
    programs, user, port = postgres_programs(), unprivileged_user(), free_port()
    assert programs, "PostgreSQL's server is not installed"
    with tempfile.TemporaryDirectory(prefix="tp-benchmark-") as folder:
        if user:
            shutil.chown(folder, user)
        initdb = [programs / "initdb", "-D", f"{folder}/data", "-U", "bench", "-A", "trust", "-E", "UTF8"]
        subprocess.run([*initdb, "--locale", "C"], check=True, user=user, cwd=folder, stdout=subprocess.DEVNULL)
        where = ["-D", f"{folder}/data", "-h", "127.0.0.1", "-p", str(port), "-k", folder]
        options = ["-c", "shared_buffers=512MB", "-c", "max_wal_size=4GB"]
        command = [str(programs / "postgres"), *where, *options]
        with running(command, port, user=user):
            time.sleep(1)
            yield f"postgres://bench@127.0.0.1:{port}/postgres"


def new_database(database: str, name: str) -> str:
    """Another database in the same PostgreSQL; its URL."""
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    return f"{database.rpartition('/')[0]}/{name}"


@cache
def environment_of_peers() -> str:
    """A Python that has other people's senders, and nothing of ours; it is gone when this process ends."""
    folder = tempfile.TemporaryDirectory(prefix="tp-peers-")
    atexit.register(folder.cleanup)
    venv.create(folder.name, with_pip=True)
    python = f"{folder.name}/bin/python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", *PEERS], check=True)
    return python


@contextlib.contextmanager
def sink(postfix: str) -> Iterator[int]:
    """Postfix's smtp-sink, which takes everything and forgets it; its port."""
    port = free_port()
    user = ["-u", str(unprivileged_user())] if os.geteuid() == 0 else []
    with running([*tool("smtp-sink", postfix), *user, f"127.0.0.1:{port}", "1000"], port, env=libraries(postfix)):
        yield port


def source(postfix: str, port: int, messages: int, size: int) -> float:
    """Messages a second of postfix's smtp-source over 20 kept connections, of `size` octets."""
    command = [*tool("smtp-source", postfix), "-d", "-s", "20", "-m", str(messages), "-l", str(size)]
    people = ["-f", "papers@papers.example", "-t", "reader@example.org"]
    started = time.monotonic()
    subprocess.run([*command, *people, f"127.0.0.1:{port}"], env=libraries(postfix), check=True)
    return messages / (time.monotonic() - started)


def tool(name: str, postfix: str) -> list[str]:
    """A program of Debian's package postfix, installed, or unpacked (dpkg -x) in the folder `postfix`."""
    found = shutil.which(name, path=os.pathsep.join([f"{postfix}/usr/sbin", "/usr/sbin", os.environ["PATH"]]))
    assert found, f"{name} is in Debian's package postfix: install it, or unpack it and say --postfix FOLDER"
    return [found]


def libraries(postfix: str) -> dict[str, str]:
    return {**os.environ, "LD_LIBRARY_PATH": f"{postfix}/usr/lib/postfix"}


@contextlib.contextmanager
def running(
    command: Sequence[str], port: int, user: str | None = None, env: dict[str, str] | None = None
) -> Iterator[None]:
    """A server, from when it listens to the end of the block."""
    quiet = subprocess.DEVNULL
    server = subprocess.Popen(command, user=user, env=env, cwd="/", stdout=quiet, stderr=quiet, start_new_session=True)
    try:
        deadline = time.monotonic() + 30
        while not listens(port):
            assert time.monotonic() < deadline, f"{command[0]} does not listen"
            time.sleep(0.1)
        yield
    finally:
        server.terminate()
        server.wait(60)


def listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False
