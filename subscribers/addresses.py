"""What counts as an address, and when two are the same. Pure but for the key of the hashes."""

import hmac
from hashlib import sha256

from django.conf import settings
from django.core.exceptions import ValidationError
from email_validator import EmailNotValidError, validate_email


def clean_address(text: str) -> str:
    """One bare address in the form we store: NFC, lower case, the domain in Unicode, no dot at its end.

    Raises ValidationError, in the reader's words, for anything that is not exactly one address.
    """
    try:
        found = validate_email(
            text.strip().rstrip("."), check_deliverability=False, test_environment=settings.DEMO
        )
    except EmailNotValidError as error:
        raise ValidationError(f"This does not look like an email address: {error}", code="invalid") from error
    return found.normalized.lower()


def address_hash(email: str) -> str:
    """A keyed hash of an address: comparable with itself, useless without SUPPRESSION_KEY."""
    return hmac.new(settings.SUPPRESSION_KEY.encode(), email.casefold().encode(), sha256).hexdigest()
