"""What a setting may say. What it may not is refused at the start, in words, and not at the first mail."""

import os
from collections.abc import Callable, Iterable
from importlib.util import find_spec

import idna
from environs import ValidationError, validate

NOT_EMPTY = validate.Regexp(r"\s*\S", error="Must say something.")
AT_LEAST_ONE = validate.Range(min=1)
NOT_NEGATIVE = validate.Range(min=0)
PERCENT = validate.Range(min=0, min_inclusive=False, max=100)
CADENCES = validate.ContainsOnly(["daily", "weekly", "monthly"])
ADDRESS = validate.Regexp(
    r"[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+$", error="{input} is no bare address, such as ada@example.org."
)
SITE = validate.Regexp(
    r"https?://[^/\s?#@]+/?$", error="Must be scheme and host alone, such as https://papers.example."
)
DOMAIN = validate.Regexp(r"[^\s@/:]+$", error="{input} is no bare domain, such as example.org.")
HOST = validate.ContainsNoneOf("/ ", error="Must be a name or an IP address alone.")
PORT = validate.Range(min=1, max=65_535)
REDIS = validate.Regexp(r"(rediss?|unix)://.", error="Must begin with redis://, rediss:// or unix://.")
MUTE = {f"anymail.backends.{name}.EmailBackend" for name in ("console", "scaleway", "test")}  # they tell nothing later
LEVEL = validate.OneOf(["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"])


def outlasts(seconds: int) -> validate.Range:
    """For a lease: else a worker loses what it has in hand while it waits for the provider."""
    return validate.Range(min=seconds, min_inclusive=False, error="Must be more than EMAIL_TIMEOUT, which is {min}.")


def each(check: Callable[[str], object]) -> Callable[[Iterable[str]], None]:
    """For a list."""

    def of_all(found: Iterable[str]) -> None:
        for one in found:
            check(one)

    return of_all


def if_any(check: Callable[[str], object]) -> Callable[[str], None]:
    """For what may be left empty."""
    return lambda text: each(check)(filter(None, [text]))


def backend(path: str) -> None:
    """Raises ValidationError where there is no such module of a backend, which is not imported, because it reads the
    settings; and where it is a provider's whose events nobody could tell from a stranger's.
    """
    module, _, name = path.rpartition(".")
    try:
        is_there = bool(name and module and find_spec(module))
    except ImportError:
        is_there = False
    if not is_there:
        raise ValidationError(f"There is no backend {path!r}.")
    if path.startswith("anymail.") and path not in MUTE and not os.environ.get("ANYMAIL_WEBHOOK_SECRET"):
        raise ValidationError(
            "Needs ANYMAIL_WEBHOOK_SECRET=user:password as well: give it to the provider with the webhook's address."
        )


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
