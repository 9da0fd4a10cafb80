"""What a setting may say. What it may not is refused at the start, in words, and not at the first mail."""

import idna
from environs import validate
from marshmallow import ValidationError

NOT_EMPTY = validate.Length(min=1, error="Must say something.")
AT_LEAST_ONE = validate.Range(min=1)
NOT_NEGATIVE = validate.Range(min=0)
PERCENT = validate.Range(min=0, min_inclusive=False, max=100)
CADENCES = validate.ContainsOnly(["daily", "weekly", "monthly"])
LEVEL = validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])


def outlasts(seconds: int) -> validate.Range:
    """For a lease: else a worker loses what it has in hand while it waits for the provider."""
    return validate.Range(min=seconds, min_inclusive=False, error="Must be more than EMAIL_TIMEOUT, which is {min}.")


def rates(text: str) -> dict[str, float]:
    """Mails a second, by recipient domain, as "example.org=5,*=100" says. Raises ValidationError for anything else."""
    found = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        name, _, rate = pair.partition("=")
        try:
            domain = domain_of_rate(name.strip())
            found[domain] = float(rate)
        except ValueError:
            raise ValidationError(f"{pair!r} is no domain with its rate, such as example.org=5 or *=100.") from None
        if not 0 <= found[domain] < 1e9:
            raise ValidationError(f"{pair!r} has a rate that is none: it must be 0, for no limit, or more.")
    return found


def domain_of_rate(name: str) -> str:
    """The domain as addresses are stored: in lower case and in Unicode. Raises ValueError where it is none."""
    return name if name == "*" else idna.decode(name.lower())  # whose error is a ValueError
