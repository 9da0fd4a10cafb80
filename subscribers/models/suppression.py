"""Addresses that must never be mailed: a table that only ever grows."""

from typing import Any, NoReturn, Self

from django.db import models
from django.db.models import Q

from subscribers.addresses import address_hash


class AppendOnlyError(Exception):
    """Something tried to change or delete a suppression."""


class SuppressionQuerySet(models.QuerySet["Suppression"]):
    def in_force(self) -> Self:
        """Rows that suppress, and that no later row has lifted."""
        return self.filter(lifts=None, lifted_by=None)

    def about(self, email: str) -> Self:
        """Everything that was ever said about an address (as clean_address gives it), the latest first."""
        return self.filter(address_hash=address_hash(email)).order_by("-pk")

    def of(self, *emails: str) -> dict[str, str]:
        """Which of these addresses must never be mailed, each with its reason. The only look-up that decides."""
        by_hash = {address_hash(email): email for email in emails}
        rows = list(self.in_force().filter(address_hash__among=by_hash))
        # Of several the first stands, but a complaint before all.
        rows.sort(key=lambda row: (row.reason == Suppression.Reason.COMPLAINED, -row.pk))
        return {by_hash[row.address_hash]: row.get_reason_display() for row in rows}

    def add(self, email: str, reason: str, words: str = "", by: str = "") -> bool:
        """Suppress an address; False where it is already, for the first reason stands."""
        return self.add_hash(address_hash(email), reason, words, by)

    def add_hash(self, hashed: str, reason: str, words: str = "", by: str = "") -> bool:
        """The same for an address of which we have the hash only.

        A complaint is put on record beside another reason: providers tell of bounces and complaints in any order,
        and it must come to the same.
        """
        known = set(self.in_force().filter(address_hash=hashed).values_list("reason", flat=True))
        if known and (reason != Suppression.Reason.COMPLAINED or reason in known):
            return False
        self.create(address_hash=hashed, reason=reason, words=words, by=by)
        return True

    def lift(self, email: str, words: str, by: str) -> int:
        """Append that the address may be mailed again; returns how many suppressions that lifts.

        Each row lifts one that was seen here: a complaint that arrives at the same moment stays in force.
        """
        lifts = [
            Suppression(address_hash=row.address_hash, reason=Suppression.Reason.LIFTED, lifts=row, words=words, by=by)
            for row in self.in_force().filter(address_hash=address_hash(email))
        ]
        return len(self.bulk_create(lifts, ignore_conflicts=True))

    def update(self, **_: Any) -> NoReturn:
        raise AppendOnlyError("A suppression is never changed; another row may lift it.")

    def delete(self) -> NoReturn:
        raise AppendOnlyError("A suppression is never deleted; another row may lift it.")


class Suppression(models.Model):
    """A keyed hash of an address that must never be mailed; outlives erasure and import.

    Rows are appended, never changed or deleted: neither here, nor by the database (subscribers/append_only.py).
    """

    class Reason(models.TextChoices):
        BOUNCED = "bounced", "the address does not exist"
        COMPLAINED = "complained", "marked as spam"
        ERASED = "erased", "asked to be erased"
        OPERATOR = "operator", "an operator's decision"
        LIFTED = "lifted", "may be mailed again"

    # The gate: SuppressionQuerySet.of
    address_hash = models.CharField(max_length=64, db_index=True, editable=False)
    reason = models.CharField(max_length=12, choices=Reason.choices)
    words = models.CharField(max_length=300, blank=True, help_text="Why, where a person decided it.")
    by = models.CharField(max_length=150, blank=True, help_text="Who decided it; empty where no operator did.")
    lifts = models.OneToOneField(
        "self", on_delete=models.PROTECT, null=True, editable=False, related_name="lifted_by", help_text="What it ends."
    )
    at = models.DateTimeField(auto_now_add=True)

    objects = SuppressionQuerySet.as_manager()

    class Meta:
        ordering = ["-at"]
        permissions = [("lift_suppression", "Can let a suppressed address be mailed again")]
        constraints = [
            models.CheckConstraint(
                condition=(Q(lifts=None) & ~Q(reason="lifted")) | (Q(lifts__isnull=False) & Q(reason="lifted")),
                name="only_a_lift_names_what_it_lifts",
            ),
        ]

    def __str__(self) -> str:
        """The hash last: where a page has no room for all of it, what is cut off is cut off once."""
        return f"{self.get_reason_display()}, {self.address_hash[:12]}…"

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("A suppression is never changed; another row may lift it.")
        super().save(*args, **kwargs | {"force_insert": True})

    def delete(self, *_args: Any, **_kwargs: Any) -> NoReturn:
        raise AppendOnlyError("A suppression is never deleted; another row may lift it.")
