"""What DNS says of the domain that mail comes from. Large mailbox providers ask bulk senders for all three:
https://support.google.com/a/answer/81126. Only advice: no mail waits for it.
"""

import time
from collections.abc import Iterator

from django.conf import settings
from dns.exception import DNSException
from dns.rdtypes.ANY.TXT import TXT
from dns.resolver import NXDOMAIN, NoAnswer
from email_validator import EmailNotValidError

from newsletter.desk.checks import Check
from subscribers.addresses import domain_of, parsed
from subscribers.domains import resolver

PATIENCE = 2.0  # seconds for all questions together

# Domains that are nobody's (RFC 2606, RFC 6761).
NOWHERE = (".example", ".invalid", ".localhost", ".test", "example.com", "example.net", "example.org")


class SilentError(Exception):
    """DNS does not answer, or there is nobody to ask."""


def checks() -> Iterator[Check]:
    """The domain of MAIL_FROM, and its SPF, DKIM and DMARC where DNS may be asked."""
    domain = domain_of(settings.MAIL_FROM)
    if domain.endswith(NOWHERE):
        yield Check(False, f"Mail cannot come from {domain}: set MAIL_FROM to an address of your domain.")
        return
    yield Check(True, f"Mail comes from {domain}.")
    if not settings.LOOK_UP_DOMAINS:
        yield Check(True, "SPF, DKIM and DMARC were not looked up: LOOK_UP_DOMAINS is off.")
        return
    until = time.monotonic() + PATIENCE
    try:
        name = parsed(settings.MAIL_FROM).ascii_domain
        yield spf(texts(name, until), domain)
        yield dkim([texts(f"{selector}._domainkey.{name}", until) for selector in settings.DKIM_SELECTORS])
        yield dmarc([texts(f"_dmarc.{parent}", until) for parent in with_parents(name)], domain)
    except (SilentError, EmailNotValidError):
        yield Check(False, "DNS does not answer: what it says of the sender's domain is not known.")


def texts(name: str, until: float) -> list[str]:
    """The TXT records of a name; none where it has none. Raises SilentError."""
    try:
        left = until - time.monotonic()
        if left <= 0:
            raise SilentError
        answer = resolver(settings.DNS_SERVER).resolve(name, "TXT", lifetime=left)
    except (NXDOMAIN, NoAnswer):
        return []
    except (DNSException, OSError) as error:
        raise SilentError from error
    return [b"".join(record.strings).decode("ascii", "replace") for record in answer if isinstance(record, TXT)]


def with_parents(domain: str) -> list[str]:
    """A domain and those above it, but the top (RFC 7489, 6.6.3, without its list of public suffixes)."""
    labels = domain.split(".")
    return [".".join(labels[start:]) for start in range(max(1, len(labels) - 1))]


def spf(records: list[str], domain: str) -> Check:
    """There may be one (RFC 7208, 4.5)."""
    number = sum(text == "v=spf1" or text.startswith("v=spf1 ") for text in records)
    if number == 1:
        return Check(True, f"SPF: {domain} says who may send for it.")
    return Check(False, f"SPF: {domain} has {number} records, and should have one (TXT “v=spf1 …”).")


def dkim(selectors: list[list[str]]) -> Check:
    """A key at each selector (RFC 6376, 3.6.1); an empty one is revoked."""
    if not selectors:
        return Check(False, "DKIM: name your provider's selectors in DKIM_SELECTORS, and their keys are looked up.")
    names = zip(settings.DKIM_SELECTORS, selectors, strict=True)
    missing = [name for name, records in names if not any(has_key(text) for text in records)]
    if missing:
        return Check(False, f"DKIM: no key is published for {', '.join(missing)}.")
    return Check(True, f"DKIM: a key is published for {', '.join(settings.DKIM_SELECTORS)}.")


def has_key(record: str) -> bool:
    tags = dict(tag.strip().split("=", 1) for tag in record.split(";") if "=" in tag)
    return bool(tags.get("p", "").strip())


def dmarc(names: list[list[str]], domain: str) -> Check:
    """The domain's own policy, or that of one above it."""
    if any(text.startswith("v=DMARC1") for records in names for text in records):
        return Check(True, f"DMARC: {domain} has a policy.")
    return Check(False, f"DMARC: {domain} has no policy (TXT at _dmarc.{domain}).")
