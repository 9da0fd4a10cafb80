"""Connections that cannot lead into a private network, nor last beyond a deadline."""

import socket
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from ssl import SSLContext
from time import monotonic
from typing import Any

import httpcore2

# An IPv4 address in an IPv6 one, by NAT64 (RFC 6052).
_NAT64 = IPv6Network("64:ff9b::/96")


class RefusedAddressError(Exception):
    """The host's address is one that we never connect to."""


class GuardedBackend(httpcore2.NetworkBackend):
    """Resolves a name once, refuses it if any of its addresses is not public, and connects to what it checked.

    `deadline` is an instant of the monotonic clock: a server that sends a byte now and then is cut off too.
    """

    def __init__(self, deadline: float, *, loopback: bool = False) -> None:
        self._deadline = deadline
        self._loopback = loopback
        self._plain = httpcore2.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore2.ConnectError(f"no address for {host}") from error
        addresses = list(dict.fromkeys(str(one[4][0]) for one in found))
        for address in addresses:
            if not is_public(address) and not (self._loopback and ip_address(address).is_loopback):
                raise RefusedAddressError(f"{host} leads to {address}, which is not a public address.")
        return self._connect_first(addresses, port, timeout, local_address, socket_options)

    def connect_unix_socket(
        self,
        path: str,
        timeout: float | None = None,  # noqa: ARG002 - httpcore2's signature
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,  # noqa: ARG002
    ) -> httpcore2.NetworkStream:
        raise RefusedAddressError(f"{path} is a socket of this machine.")

    def _connect_first(self, addresses: list[str], port: int, timeout: float | None, *rest: Any) -> "_TimedStream":
        """The first address that answers: a host may have IPv6 where we have none."""
        for address in addresses[:-1]:
            try:
                return self._connect(address, port, timeout, *rest)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout):
                continue
        return self._connect(addresses[-1], port, timeout, *rest)

    def _connect(self, address: str, port: int, timeout: float | None, *rest: Any) -> "_TimedStream":
        stream = self._plain.connect_tcp(address, port, _left(self._deadline, timeout), *rest)
        return _TimedStream(stream, self._deadline)


class _TimedStream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream, deadline: float) -> None:
        self._stream = stream
        self._deadline = deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(self._deadline, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(self._deadline, timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self, ssl_context: SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> "_TimedStream":
        stream = self._stream.start_tls(ssl_context, server_hostname, _left(self._deadline, timeout))
        return _TimedStream(stream, self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


def is_public(text: str) -> bool:
    """Whether an address is one of the public internet; an IPv6 address is no better than the IPv4 within it."""
    address = ip_address(text.partition("%")[0])
    inner = _embedded(address) if isinstance(address, IPv6Address) else None
    address = inner or address
    return address.is_global and not address.is_multicast and not address.is_reserved


def _embedded(address: IPv6Address) -> IPv4Address | None:
    if address in _NAT64:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address.sixtofour or (address.teredo[1] if address.teredo else None)


def _left(deadline: float, timeout: float | None) -> float:
    """Seconds that an operation may take. Raises ReadTimeout past the deadline."""
    remaining = deadline - monotonic()
    if remaining <= 0:
        raise httpcore2.ReadTimeout("it takes too long")
    return remaining if timeout is None else min(timeout, remaining)
