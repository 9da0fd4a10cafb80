"""Whether the demo may open the ports that it wants: asked before anything starts."""

import errno
import socket

HOST = "127.0.0.1"


class PortUnavailableError(Exception):
    """A port cannot be opened; the message says why and what to do."""


def check(wanted: dict[str, int]) -> None:
    """Raise PortUnavailableError for the first port that cannot be opened here.

    `wanted` maps the name of the setting that chooses a port to the port.
    """
    if len(set(wanted.values())) < len(wanted):
        raise PortUnavailableError(f"{' and '.join(wanted)} are the same: give each its own.")
    for setting, port in wanted.items():
        if not 1 <= port <= 65535:
            raise PortUnavailableError(f"{setting}={port} is not a port: choose a number from 1024 to 65535.")
        _check_one(setting, port)


def _check_one(setting: str, port: int) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As servers do, so that connections still fading from an earlier run do not count as taken.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except OSError as error:
            raise PortUnavailableError(_words(error, setting, port)) from error


def _words(error: OSError, setting: str, port: int) -> str:
    other = f"choose another: make demo {setting}={port + 80 if 1024 <= port <= 65000 else 8080}"
    if error.errno == errno.EADDRINUSE:
        return f"Port {port} is taken by another program. Stop it, or {other}"
    if error.errno == errno.EACCES:
        return f"Port {port} is kept for the system. Please {other}"
    return f"Port {port} cannot be opened ({error.strerror}). Please {other}"
