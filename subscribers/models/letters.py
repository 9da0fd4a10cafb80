"""Everything owed to people one by one."""

import uuid
from datetime import datetime, timedelta
from itertools import islice
from typing import Self

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from subscribers.models.subscribers import Subscriber

OTHERS = 10  # senders that may take the first ones at the same moment


class LetterQuerySet(models.QuerySet["Letter"]):
    def open(self) -> Self:
        """Still to be sent, or in a sender's hands."""
        return self.filter(status__in=Letter.Status.unsettled())

    def due(self, at: datetime) -> Self:
        """Owed now, or taken by a sender that never came back."""
        return self.open().filter(not_before__lte=at).order_by("not_before", "pk")

    def wait(self, at: datetime) -> timedelta:
        """How long until one is due: zero where one is, for ever where none is open."""
        first = self.open().order_by("not_before").values_list("not_before", flat=True).first()
        return max(first - at, timedelta(0)) if first else timedelta.max

    def claim(self, at: datetime, lease: timedelta, limit: int) -> list["Letter"]:
        """Take up to `limit` due letters for as long as `lease`; nobody else gets them until then."""
        worn_out = self.due(at).filter(attempts__gte=MAX_ATTEMPTS)
        worn_out.update(status=Letter.Status.FAILED, reason=f"gave up after {MAX_ATTEMPTS} attempts")
        stale = self.due(at).filter(kind=Letter.Kind.REMINDER, requested_at__lt=at - settings.REMIND_WITHIN)
        stale.update(status=Letter.Status.FAILED, reason="too late to be welcome")
        due = self.due(at).select_related("subscriber")[: limit + OTHERS]
        return list(islice((letter for letter in due if letter.take(at, lease)), limit))


# With the growing pauses of Letter.pause, about a day: longer than most outages, and than a quota of the day.
MAX_ATTEMPTS = 30
MAX_REFUSALS = 8  # about three hours
# Each may have arrived, at a stranger's: three at most, with pauses that outlast a bad hour.
DOUBT_PAUSES = (timedelta(minutes=10), timedelta(hours=2))


class Letter(models.Model):
    """One transactional mail owed to one person. Like a digest, it is a row before it is a message.

    Unlike a digest it is sent again after a crash: a second confirmation is better than none.
    """

    class Kind(models.TextChoices):
        CONFIRMATION = "confirmation"
        REMINDER = "reminder"
        WELCOME = "welcome"
        PREFERENCES = "preferences", "preferences link"
        GOODBYE = "goodbye"
        MOVE_FROM = "move_from", "new address: asks the old one"
        MOVE_TO = "move_to", "new address: asks the new one"

        @classmethod
        def asking(cls) -> list[str]:
            """Ask an address that has not answered yet: they share its limits."""
            return [cls.CONFIRMATION, cls.REMINDER]

    class Status(models.TextChoices):
        OWED = "owed"
        SENDING = "sending"
        SENT = "sent"
        FAILED = "failed"

        @classmethod
        def unsettled(cls) -> list[str]:
            """Something is still to happen to it."""
            return [cls.OWED, cls.SENDING]

    uid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    subscriber = models.ForeignKey(Subscriber, on_delete=models.CASCADE, related_name="letters")
    kind = models.CharField(max_length=12, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.OWED)
    reason = models.CharField(max_length=200, blank=True, help_text="Why it failed or waits.")
    # Also the fencing token: a sender whose lease ran out no longer holds the present number.
    attempts = models.PositiveSmallIntegerField(default=0)
    refusals = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    doubts = models.PositiveSmallIntegerField(default=0, db_default=0, editable=False)
    not_before = models.DateTimeField(help_text="When it is due, or a sender's lease ends.")
    requested_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True, blank=True)

    objects = LetterQuerySet.as_manager()

    class Meta:
        ordering = ["-requested_at"]
        constraints = [
            # Pressing twice owes one letter.
            models.UniqueConstraint(
                fields=["subscriber", "kind"],
                condition=Q(status__in=["owed", "sending"]),
                name="one_open_letter_of_a_kind",
            ),
        ]
        indexes = [
            # The sender: LetterQuerySet.due
            models.Index(fields=["not_before"], condition=Q(status__in=["owed", "sending"]), name="letter_due"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_status_display()}"

    def take(self, at: datetime, lease: timedelta) -> bool:
        """Take it to send it; False where another sender was first."""
        as_read = Letter.objects.due(at).filter(pk=self.pk, attempts=self.attempts).order_by()
        changes = {"status": self.Status.SENDING, "not_before": at + lease}
        if not as_read.update(**changes, attempts=F("attempts") + 1):
            return False
        self.status, self.not_before = self.Status.SENDING, at + lease
        self.attempts += 1
        return True

    def sent(self, at: datetime) -> bool:
        """A server took it. False where the sender no longer held it, here and below."""
        return self._settle(status=self.Status.SENT, sent_at=at, reason="")

    def failed(self, reason: str) -> bool:
        """It will not be sent."""
        return self._settle(status=self.Status.FAILED, reason=reason[:200])

    def retry(self, reason: str, at: datetime) -> bool:
        """Send it again at `at`, unless it was tried MAX_ATTEMPTS times."""
        if self.attempts >= MAX_ATTEMPTS:
            return self.failed(reason)
        return self._settle(status=self.Status.OWED, reason=reason[:200], not_before=at)

    def refused(self, reason: str, at: datetime) -> bool:
        """Send it again at `at`, unless it was refused MAX_REFUSALS times."""
        if self.refusals + 1 >= MAX_REFUSALS or self.attempts >= MAX_ATTEMPTS:
            return self.failed(reason)
        changes = {"status": self.Status.OWED, "reason": reason[:200], "not_before": at}
        return self._settle(**changes, refusals=F("refusals") + 1)

    def doubted(self, reason: str, at: datetime, wait: timedelta) -> bool:
        """It may have been sent: send it again after the pause, or `wait` if that is longer; three times at most."""
        if self.doubts >= len(DOUBT_PAUSES) or self.attempts >= MAX_ATTEMPTS:
            return self._settle(status=self.Status.FAILED, reason=reason[:200], doubts=F("doubts") + 1)
        again = at + max(wait, DOUBT_PAUSES[self.doubts])
        changes = {"status": self.Status.OWED, "reason": reason[:200], "not_before": again}
        return self._settle(**changes, doubts=F("doubts") + 1)

    def put_back(self, reason: str, at: datetime) -> bool:
        """Send it at `at`: nobody was asked to take it, so this was no attempt."""
        changes = {"status": self.Status.OWED, "reason": reason[:200], "not_before": at}
        return self._settle(**changes, attempts=self.attempts - 1)

    @property
    def pause(self) -> timedelta:
        """How long to wait after this attempt: twice as long each time, an hour at most."""
        return min(timedelta(minutes=2**self.attempts), timedelta(hours=1))

    def _settle(self, **changes: object) -> bool:
        held = Letter.objects.filter(pk=self.pk, status=self.Status.SENDING, attempts=self.attempts)
        return bool(held.update(**changes))
