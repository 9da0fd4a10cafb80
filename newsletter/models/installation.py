"""Which database this is, as the running service knows it."""

import uuid

from django.db import models


class Installation(models.Model):
    """The one row that tells a database from its copies: see newsletter/delivery/installation.py."""

    epoch = models.UUIDField(default=uuid.uuid4, help_text="Made when mail was first allowed from this database.")
    beat = models.PositiveBigIntegerField(default=0, help_text="Counts the ticks; kept outside the database too.")
    place = models.CharField(max_length=200, help_text="Where the database lay when it was last written down.")
    renewed_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(pk=1), name="one_installation"),
        ]

    def __str__(self) -> str:
        return f"{self.epoch}, tick {self.beat}"
