"""How often an address was asked in vain, once its row is forgotten."""

from collections.abc import Mapping
from datetime import datetime
from typing import Self

from django.conf import settings
from django.db import models

from subscribers.addresses import address_hash


class UnansweredQuerySet(models.QuerySet["Unanswered"]):
    def of(self, email: str) -> Self:
        return self.filter(address_hash=address_hash(email))

    def outdated(self, at: datetime) -> Self:
        """So old that the address may be asked anew."""
        return self.filter(at__lt=at - settings.KEEP_UNANSWERED)

    def letters_to(self, email: str, at: datetime) -> int:
        """How many letters that asked this address to confirm still count."""
        return sum(self.of(email).exclude(pk__in=self.outdated(at)).values_list("letters", flat=True))

    def add(self, letters: Mapping[str, int], at: datetime) -> None:
        """Count more letters, by address. To be called within the transaction that forgets these addresses."""
        by_hash = {address_hash(email): count for email, count in letters.items() if count}
        known = self.exclude(pk__in=self.outdated(at)).filter(address_hash__in=by_hash)
        for row in known:
            by_hash[row.address_hash] += row.letters
        self.bulk_create(
            [Unanswered(address_hash=key, letters=count, at=at) for key, count in by_hash.items()],
            update_conflicts=True,
            unique_fields=["address_hash"],
            update_fields=["letters", "at"],
        )


class Unanswered(models.Model):
    """A keyed hash of an address that never answered, and how many letters it got: so that forgetting it does not
    begin its limit anew. Gone once the address confirms, or KEEP_UNANSWERED after the last of them was forgotten.
    """

    address_hash = models.CharField(max_length=64, unique=True, editable=False)
    letters = models.PositiveSmallIntegerField(editable=False)
    at = models.DateTimeField(db_index=True, editable=False)  # retention

    objects = UnansweredQuerySet.as_manager()

    def __str__(self) -> str:
        return f"{self.address_hash[:12]}… {self.letters} letters"
