"""What is counted while Redis is gone."""

from django.db import models


class Tally(models.Model):
    """One counter of subscribers/abuse/counting.py, in the place of its key in Redis."""

    key = models.CharField(max_length=200, unique=True, editable=False)
    slots = models.JSONField(default=dict, editable=False, help_text="Counts by the number of their slot.")
    until = models.DateTimeField(db_index=True, editable=False, help_text="When it has nothing more to say.")

    def __str__(self) -> str:
        return self.key
