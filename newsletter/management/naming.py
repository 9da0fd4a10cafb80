"""How an operator names an edition and a reader at the command line. Raises CommandError where there is none."""

import sys
from datetime import date

from django.core.exceptions import ValidationError
from django.core.management.base import CommandError

from newsletter.desk.finding import by_address
from newsletter.models import Edition
from subscribers.models import Subscriber

EDITION = "an edition, such as daily:2026-11-24"


def edition_named(name: str) -> Edition:
    kind, day = kind_and_day(name)
    try:
        return Edition.objects.get(kind=kind, date=day)
    except Edition.DoesNotExist:
        raise CommandError(f"There is no edition {name}.") from None


def kind_and_day(name: str) -> tuple[str, date]:
    """Of an edition, which there need not be yet."""
    kind, _, day = name.strip().lower().partition(":")
    try:
        return Edition.Kind(kind).value, date.fromisoformat(day)
    except ValueError:
        kinds = ", ".join(Edition.Kind.values)
        words = f"“{name}” is no edition: write its kind ({kinds}) and date, as in daily:2026-11-24."
        raise CommandError(words) from None


def reader_at(address: str) -> Subscriber:
    try:
        return by_address(address)
    except ValidationError as error:
        raise CommandError(error.messages[0]) from None


def lines() -> list[str]:
    """Those of the standard input, without empty ones: one for each of many."""
    return [line.strip() for line in sys.stdin if line.strip()]
