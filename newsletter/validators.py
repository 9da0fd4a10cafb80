"""What a setting may say. What it may not is refused at the start, in words, and not at the first mail."""

from environs import validate
from marshmallow import ValidationError

NOT_EMPTY = validate.Length(min=1, error="Must say something.")
AT_LEAST_ONE = validate.Range(min=1)
NOT_NEGATIVE = validate.Range(min=0)
PERCENT = validate.Range(min=0, min_inclusive=False, max=100)
CADENCES = validate.ContainsOnly(["daily", "weekly", "monthly"])
LEVEL = validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])


def rates(text: str) -> dict[str, float]:
    """Mails a second, by recipient domain: "example.org=5,*=100". Raises ValidationError for anything else."""
    found = {}
    for pair in filter(None, map(str.strip, text.split(","))):
        domain, _, rate = pair.partition("=")
        try:
            found[domain.strip()] = float(rate)
        except ValueError:
            raise ValidationError(f"{pair!r} is no domain with its rate, such as example.org=5 or *=100.") from None
        if not 0 <= found[domain.strip()] < 1e9:
            raise ValidationError(f"{pair!r} has a rate that is none: it must be 0, for no limit, or more.")
    return found
