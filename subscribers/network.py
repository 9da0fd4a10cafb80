"""Where a request came from, no more exactly than is needed."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

PREFIX = {4: 24, 6: 56}


def client_network(request: HttpRequest) -> str:
    """The client's network, cut to /24 or /56; empty where it cannot be known."""
    address = client_address(request)
    return str(ip_network((address, PREFIX[address.version]), strict=False)) if address else ""


def client_address(request: HttpRequest) -> IPv4Address | IPv6Address | None:
    """The address that the outermost of our PROXY_HOPS proxies saw.

    Each proxy adds one entry at the right of X-Forwarded-For; what stands further left, the client may
    have written itself.
    """
    hops = settings.PROXY_HOPS
    if not hops:
        return parsed(request.META.get("REMOTE_ADDR", ""))
    entries = request.headers.get("X-Forwarded-For", "").split(",")
    return parsed(entries[-hops]) if len(entries) >= hops else None


def parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text.strip().partition("%")[0])
    except ValueError:
        return None
    return getattr(address, "ipv4_mapped", None) or address
