"""Why people leave."""

from django.db import models


class Parting(models.Model):
    """A reason for leaving, given freely. It names nobody: no reader, no address, and of the time the day only."""

    class Reason(models.TextChoices):
        TOO_MUCH = "too_much", "Too much mail"
        NOT_MINE = "not_mine", "Not the papers I care about"
        NO_TIME = "no_time", "I do not read it any more"
        ELSEWHERE = "elsewhere", "I follow papers elsewhere"
        NEVER_ASKED = "never_asked", "I never asked for it"
        OTHER = "other", "Something else"

    reason = models.CharField(max_length=12, choices=Reason.choices)
    words = models.CharField(max_length=300, blank=True)
    day = models.DateField()

    class Meta:
        ordering = ["-day", "-pk"]

    def __str__(self) -> str:
        return self.get_reason_display()
