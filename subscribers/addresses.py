"""What counts as an address, and when two are the same. Pure but for the key of the hashes."""

import hmac
from hashlib import sha256

from django.conf import settings
from django.core.exceptions import ValidationError
from django.utils.translation import get_language, gettext
from email_validator import EmailNotValidError, validate_email

# Far beyond RFC 5321's 254 octets: what is longer is not worth a closer look.
LONGEST_INPUT = 500


def clean_address(text: str) -> str:
    """One bare address in the form we store: NFC, lower case, the domain in Unicode, no dot at its end.

    Raises ValidationError, in the reader's words, for anything that is not exactly one address. Reserved
    domains (RFC 6761) are refused, but for `.test` in the demo; the example domains are nobody's, and stay.
    """
    if not text.isprintable() or len(text) > LONGEST_INPUT:
        raise no_address()
    try:
        found = validate_email(
            text.strip().removesuffix("."),
            check_deliverability=False,
            test_environment=settings.DEMO,
            strict=True,  # the 64 octets before the @, too
            # Few servers take letters outside ASCII before the @ (RFC 6531), and ours could not tell
            # whether the next one does: better said now than lost later.
            allow_smtputf8=False,
        )
    except EmailNotValidError as error:
        raise no_address(error) from error
    return found.normalized.lower()


def no_address(reason: Exception | None = None) -> ValidationError:
    """Says that it is none; and why, where the reader's language is the only one in which the library says it."""
    words = gettext("This does not look like an email address.")
    explained = f"{words} {reason}" if reason and (get_language() or "en").startswith("en") else words
    return ValidationError(explained, code="invalid")


def address_hash(email: str) -> str:
    """A keyed hash of an address: comparable with itself, useless without SUPPRESSION_KEY."""
    return keyed_hash(email.casefold())


def keyed_hash(text: str) -> str:
    """64 hexadecimal digits that nobody can guess the text from without SUPPRESSION_KEY."""
    return hmac.new(settings.SUPPRESSION_KEY.encode(), text.encode(), sha256).hexdigest()
