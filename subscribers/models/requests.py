"""What strangers asked for, before anybody looks at whose address it is."""

from datetime import datetime, timedelta
from itertools import chain
from typing import Self

from django.db import models
from django.db.models import F
from django.utils import timezone

MAX_ATTEMPTS = 5


class SubscriptionRequestQuerySet(models.QuerySet["SubscriptionRequest"]):
    def due(self, at: datetime, attacked: bool) -> Self:
        """To be looked at now; what an attack holds waits for its end."""
        waiting = self.filter(not_before__lte=at)
        if attacked:
            waiting = waiting.exclude(status=SubscriptionRequest.Status.HELD, reason=SubscriptionRequest.Reason.ATTACK)
        return waiting.order_by("not_before", "pk")

    def claim(self, at: datetime, lease: timedelta, limit: int, attacked: bool) -> list["SubscriptionRequest"]:
        """Take up to `limit` for as long as `lease`, those that were never held first."""
        due, status = self.due(at, attacked), SubscriptionRequest.Status
        fresh = due.filter(status=status.WAITING)[:limit]
        held = due.filter(status=status.HELD)
        taken = [request for request in fresh if request.take(at, lease)]
        return list(chain(taken, (row for row in held[: limit - len(taken)] if row.take(at, lease))))

    def held(self) -> Self:
        return self.filter(status=SubscriptionRequest.Status.HELD)

    def release(self, at: datetime) -> int:
        """Let these through at once, whatever the limits; returns how many."""
        status, reason = SubscriptionRequest.Status.WAITING, SubscriptionRequest.Reason.NONE
        return self.update(status=status, reason=reason, cleared=True, not_before=at, attempts=0)

    def exceed(self, most: int) -> bool:
        """Whether there are more rows than `most`. It walks the index so far at most, never counts all."""
        return most < 0 or self.order_by("pk").values("pk")[most : most + 1].exists()


class SubscriptionRequest(models.Model):
    """Somebody typed this address, and wants this. The row goes when it was carried out.

    The page that stores it looks up nothing about the address, so its answer cannot tell anything about it.
    """

    class Kind(models.TextChoices):
        SUBSCRIBE = "subscribe", "a subscription"
        LINK = "link", "a link to the preferences"
        MOVE = "move", "the mail at this address"

    class Status(models.TextChoices):
        WAITING = "waiting"
        HELD = "held"

    class Reason(models.TextChoices):
        NONE = "", "none"
        NETWORK = "network", "its network asks for much"
        MAILBOX = "mailbox", "this mailbox was written to lately"
        DOMAIN = "domain", "its provider was written to often"
        EVERYBODY = "everybody", "more in an hour than we send"
        RELEASED = "released", "its turn after being held has not come"
        ATTACK = "attack", "came without a proof, under attack"
        BROKEN = "broken", "could not be carried out"

    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=8, choices=Status.choices, default=Status.WAITING)
    reason = models.CharField(max_length=10, choices=Reason.choices, default=Reason.NONE, blank=True)
    email = models.EmailField(max_length=254, db_index=True)  # for the admin's search, and for erasing
    wishes = models.JSONField(default=dict, help_text="What is asked for, beside the address.")
    page = models.CharField(max_length=200, blank=True)
    language = models.CharField(max_length=8, default="en", help_text="Of the page, and so of the words agreed to.")
    network = models.CharField(max_length=50, blank=True, help_text="Truncated to /24 or /56.")
    proven = models.BooleanField(default=False, help_text="Came with a proof of work.")
    cleared = models.BooleanField(default=False, help_text="An operator let it through: no limit holds it.")
    mailbox = models.CharField(max_length=64, editable=False, help_text="A keyed hash: the same for all spellings.")
    # Also the fencing token: who took it knows the present number.
    attempts = models.PositiveSmallIntegerField(default=0)
    at = models.DateTimeField(default=timezone.now, db_index=True)  # retention
    not_before = models.DateTimeField(
        null=True, default=timezone.now, help_text="When it is due; empty: when an operator says so."
    )

    objects = SubscriptionRequestQuerySet.as_manager()

    class Meta:
        verbose_name = "sign-up request"
        indexes = [
            # The worker: SubscriptionRequestQuerySet.claim
            models.Index(fields=["status", "not_before"], name="request_due"),
            # What is held for one mailbox: SubscriptionRequest.hold
            models.Index(fields=["mailbox"], condition=models.Q(status="held"), name="request_held"),
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}, {self.get_status_display()} since {self.at:%Y-%m-%d %H:%M}"

    @property
    def was_held(self) -> bool:
        return self.status == self.Status.HELD

    def take(self, at: datetime, lease: timedelta) -> bool:
        """Take it in hand; False where somebody else was first. One that was tried too often waits for a person."""
        as_read = SubscriptionRequest.objects.filter(pk=self.pk, attempts=self.attempts, not_before__lte=at)
        if self.attempts >= MAX_ATTEMPTS:
            as_read.update(status=self.Status.HELD, reason=self.Reason.BROKEN, not_before=None)
            return False
        if not as_read.update(attempts=F("attempts") + 1, not_before=at + lease):
            return False
        self.attempts += 1
        return True

    def finish(self) -> bool:
        """It is being carried out, in the transaction that does so; False where it is no longer ours."""
        deleted, _ = self._mine.delete()
        return bool(deleted)

    def hold(self, reason: Reason, until: datetime) -> bool:
        """Look at it again then. Of one address one request is held, the latest.

        False where its mailbox had its letter, another spelling of it waits for the next one already, and this request
        ends here.
        """
        held = SubscriptionRequest.objects.held().filter(mailbox=self.mailbox, kind=self.kind).exclude(pk=self.pk)
        if self.kind != self.Kind.MOVE:  # two readers may name one address
            if reason == self.Reason.MAILBOX and held.filter(reason=reason).exclude(email=self.email).exists():
                self._mine.delete()
                return False
            held.filter(email=self.email, pk__lt=self.pk, proven__in={False, self.proven}).delete()
        self._mine.update(status=self.Status.HELD, reason=reason, not_before=until, attempts=0)
        return True

    def retry(self, at: datetime) -> None:
        """Something broke: try again then, as often as MAX_ATTEMPTS."""
        self._mine.update(not_before=at)

    @property
    def _mine(self) -> SubscriptionRequestQuerySet:
        return SubscriptionRequest.objects.filter(pk=self.pk, attempts=self.attempts)
