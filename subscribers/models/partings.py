"""Why people leave."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Parting(models.Model):
    """A reason for leaving, given freely. It names nobody: no reader, no address, and of the time the day only."""

    class Reason(models.TextChoices):
        TOO_MUCH = "too_much", _("Too much mail")
        NOT_MINE = "not_mine", _("Not the papers I care about")
        NO_TIME = "no_time", _("I do not read it any more")
        ELSEWHERE = "elsewhere", _("I follow papers elsewhere")
        NEVER_ASKED = "never_asked", _("I never asked for it")
        OTHER = "other", _("Something else")

    reason = models.CharField(max_length=12, choices=Reason.choices)
    words = models.CharField(max_length=300, blank=True)
    day = models.DateField()

    class Meta:
        verbose_name = "reason for leaving"
        verbose_name_plural = "reasons for leaving"
        ordering = ["-day", "-pk"]

    def __str__(self) -> str:
        return self.get_reason_display()
