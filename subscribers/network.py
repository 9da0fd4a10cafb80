"""Where a request came from, no more exactly than is needed."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.http import HttpRequest

PREFIX = {4: 24, 6: 56}


def client_network(request: HttpRequest) -> str:
    """The client's network, cut to /24 or /56; empty where it cannot be known.

    REMOTE_ADDR is the client's also behind proxies: newsletter/middleware/proxies.py.
    """
    address = parsed(request.META.get("REMOTE_ADDR", ""))
    return str(ip_network((address, PREFIX[address.version]), strict=False)) if address else ""


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
