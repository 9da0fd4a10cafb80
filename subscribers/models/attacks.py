"""When sign-up was under attack."""

from datetime import datetime, timedelta
from typing import Self

from django.db import models, transaction
from django.db.models import Q, Value
from django.db.utils import IntegrityError
from django.utils import timezone

# After an operator ended one, none begins by itself for so long: they know better.
TRUCE = timedelta(hours=1)


class AttackQuerySet(models.QuerySet["Attack"]):
    def on(self) -> Self:
        """The one that goes on now, if any."""
        return self.filter(ended_at=None)

    def begin(self, reason: str, at: datetime, by_hand: bool = False) -> bool:
        """Turn attack mode on; False where it is on already."""
        try:
            with transaction.atomic():
                self.create(reason=reason, began_at=at, by_hand=by_hand)
        except IntegrityError:
            return False
        return True

    def ended_by_hand_since(self, moment: datetime) -> Self:
        return self.filter(ended_by_hand=True, ended_at__gt=moment)


class Attack(models.Model):
    """A time in which sign-up asked more of everybody: docs/abuse.md. Begun and ended by counts, or by hand."""

    reason = models.CharField(max_length=300, help_text="Why it began. Without any address.")
    began_at = models.DateTimeField(default=timezone.now)
    ended_at = models.DateTimeField(null=True, blank=True)
    by_hand = models.BooleanField(default=False, help_text="Begun by an operator: it ends by an operator only.")
    ended_by_hand = models.BooleanField(default=False)

    objects = AttackQuerySet.as_manager()

    class Meta:
        ordering = ["-began_at"]
        constraints = [
            # Also what every sign-up reads: AttackQuerySet.on
            models.UniqueConstraint(Value(1), condition=Q(ended_at=None), name="one_attack_at_a_time"),
        ]

    def __str__(self) -> str:
        return self.reason

    def end(self, at: datetime, by_hand: bool = False) -> bool:
        """Turn attack mode off; False where somebody was first."""
        mine = Attack.objects.on().filter(pk=self.pk)
        return bool(mine.update(ended_at=at, ended_by_hand=by_hand))
