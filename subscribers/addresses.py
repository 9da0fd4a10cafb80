"""What counts as an address, and when two are the same. Pure but for the key of the hashes."""

import hmac
import re

from disposable_email_domains import blocklist
from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext
from email_validator import EmailNotValidError, ValidatedEmail, validate_email
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne

# Far beyond RFC 5321's 254 octets: what is longer is not worth a closer look.
LONGEST_INPUT = 500
LIKE_AN_ADDRESS = re.compile(r"\S+@\S+")  # in free words
# Where most private mailboxes are, by size; none of these is ever questioned.
COMMON_DOMAINS = (
    "gmail.com", "yahoo.com", "hotmail.com", "outlook.com", "icloud.com", "qq.com", "163.com", "126.com", "aol.com",
    "live.com", "msn.com", "me.com", "mac.com", "googlemail.com", "proton.me", "protonmail.com", "pm.me", "mail.com",
    "email.com", "gmx.com", "gmx.de", "gmx.net", "gmx.at", "gmx.ch", "web.de", "t-online.de", "freenet.de", "posteo.de",
    "mailbox.org", "orange.fr", "free.fr", "wanadoo.fr", "laposte.net", "sfr.fr", "yahoo.fr", "yahoo.de", "yahoo.it",
    "yahoo.es", "yahoo.co.uk", "yahoo.co.jp", "yahoo.co.in", "yahoo.ca", "yahoo.com.br", "ymail.com", "rocketmail.com",
    "hotmail.co.uk", "hotmail.fr", "hotmail.de", "hotmail.it", "hotmail.es", "outlook.de", "outlook.fr", "live.co.uk",
    "live.fr", "btinternet.com", "comcast.net", "verizon.net", "att.net", "libero.it", "mail.ru", "yandex.ru",
    "yandex.com", "naver.com", "daum.net", "hanmail.net", "sina.com", "sohu.com", "foxmail.com", "rediffmail.com",
    "uol.com.br", "zoho.com", "fastmail.com", "hey.com", "tutanota.com",
)  # fmt: skip
# These are in most countries: `hotmail.se` is no slip of `hotmail.es`; but none of them is at `.cm` or `.co`.
WORLDWIDE, NOWHERE = {"yahoo", "hotmail", "outlook", "live", "gmx"}, {"cm", "co"}
# A short domain is one slip away from too many that exist: only these are ever proposed.
LIKELY_DOMAINS = tuple(domain for domain in COMMON_DOMAINS if len(domain) >= 9)


def clean_address(text: str) -> str:
    """One bare address in the form we store: NFC, lower case, the domain in Unicode, no dot at its end.

    Raises ValidationError, in the reader's words, for anything that is not exactly one address. Reserved
    domains (RFC 6761) are refused, but for `.test` in the demo; the example domains are nobody's, and stay.
    """
    if not text.isprintable() or len(text) > LONGEST_INPUT:
        raise no_address()
    try:
        found = parsed(text.strip().removesuffix("."))
    except EmailNotValidError as error:
        raise no_address(error) from error
    return found.normalized.lower()


def parsed(email: str) -> ValidatedEmail:
    """The parts of an address. Raises EmailNotValidError."""
    return validate_email(
        email,
        check_deliverability=False,
        test_environment=settings.DEMO,
        strict=True,  # the 64 octets before the @, too
        # Few servers take letters outside ASCII before the @ (RFC 6531), and ours could not tell
        # whether the next one does: better said now than lost later.
        allow_smtputf8=False,
    )


def meant(email: str) -> str | None:
    """The address with the common domain that it is one slip away from, or two where the domain is long.

    A slip is a letter too much, too few, another or two exchanged (optimal string alignment). None where the domain
    is common itself, or like none that is.
    """
    name, _, domain = email.rpartition("@")
    provider, *_, country = domain.split(".")
    if domain in COMMON_DOMAINS or (provider in WORLDWIDE and len(country) == 2 and country not in NOWHERE):
        return None
    found = extractOne(domain, LIKELY_DOMAINS, scorer=OSA.distance, score_cutoff=2 if len(domain) > 9 else 1)
    return f"{name}@{found[0]}" if found else None


def is_disposable(email: str) -> bool:
    """Whether the address is of a service that gives them out for minutes, or of a domain below one's."""
    labels = parsed(email).ascii_domain.split(".")
    return any(".".join(labels[start:]) in blocklist for start in range(len(labels) - 1))


def no_address(reason: Exception | None = None) -> ValidationError:
    """Says that it is none; and why, where the reader's language is the only one in which the library says it."""
    words = gettext("This does not look like an email address.")
    explained = f"{words} {reason}" if reason and (get_language() or "en").startswith("en") else words
    return ValidationError(explained, code="invalid")


def domain_of(email: str) -> str:
    """What follows the @; empty where there is none."""
    return email.rpartition("@")[2] if "@" in email else ""


def address_hash(email: str) -> str:
    """A keyed hash of an address: comparable with itself, useless without SUPPRESSION_KEY."""
    return keyed_hash(email.casefold())


def keyed_hash(text: str) -> str:
    """64 hexadecimal digits that nobody can guess the text from without SUPPRESSION_KEY."""
    return hmac.digest(settings.SUPPRESSION_KEY.encode(), text.encode(), "sha256").hex()
