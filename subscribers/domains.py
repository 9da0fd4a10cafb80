"""What DNS says of an address's domain. Asked where a mail is about to go out, never while somebody waits."""

from functools import cache

from django.conf import settings
from dns.exception import DNSException
from dns.resolver import NXDOMAIN, LRUCache, NoAnswer, Resolver
from email_validator import EmailNotValidError, EmailUndeliverableError
from email_validator.deliverability import validate_email_deliverability

from subscribers.addresses import parsed

PATIENCE = 2  # seconds for all questions about one domain


def why_unreachable(email: str) -> str | None:
    """Why no mail can reach this address; None where some can, where DNS does not answer, and where we may not ask.

    Only an answer counts: no such domain, a null MX (RFC 7505), or nothing that could take mail (RFC 5321, 5.1).
    """
    if not settings.LOOK_UP_DOMAINS:
        return None
    try:
        found = parsed(email)
        validate_email_deliverability(found.ascii_domain, found.domain, dns_resolver=resolver(settings.DNS_SERVER))
    except EmailUndeliverableError as error:
        # The library calls its own troubles undeliverable, too.
        answered = error.__cause__ is None or isinstance(error.__cause__, NXDOMAIN | NoAnswer)
        return "its domain takes no mail, as DNS says" if answered else None
    except (EmailNotValidError, DNSException, OSError):
        return None
    return None


@cache
def resolver(server: str) -> Resolver:
    """Asks `server` (address:port), or whom this machine asks. Raises NoResolverConfiguration where it asks nobody."""
    found = Resolver(configure=not server)
    if server:
        address, _, port = server.rpartition(":")
        found.nameservers, found.port = [address], int(port)
    found.lifetime, found.cache = PATIENCE, LRUCache()
    return found
